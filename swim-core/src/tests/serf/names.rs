//! Names that Serf calls valid.

use core::time::Duration;
use std::string::String;
use std::sync::Arc;

use super::net::{Net, config, tags};
use crate::serf::{SerfConfig, Status};
use crate::{Config, NodeName, ValidNames};

#[test]
fn a_name_is_letters_digits_dashes_and_dots() {
    for name in ["a", "Web-1.dc1", &"x".repeat(128)] {
        assert!(NodeName::is_valid_for_serf(name), "{name}");
    }
    for name in ["", "a b", "a_b", "ä", "a/b", &"x".repeat(129)] {
        assert!(!NodeName::is_valid_for_serf(name), "{name}");
    }
}

#[test]
fn a_node_that_wants_valid_names_takes_no_others_in() {
    let swim = Config::lan().policy(Arc::new(ValidNames::new(None))).build().unwrap();
    let strict = SerfConfig::builder(swim).build().unwrap();
    let mut net = Net::new(1, &strict);
    let long: String = "x".repeat(129);
    for name in ["a b", &long, "fine"] {
        let i = net.add(config(), name, &tags("web"));
        net.join(i, 0);
        net.run_for(Duration::from_secs(5));
    }
    assert_eq!(net.status(0, "fine"), Some(Status::Alive));
    assert_eq!((net.status(0, "a b"), net.status(0, &long)), (None, None));
    assert!(net.serf(0).node().stats().vetoed >= 2);
}
