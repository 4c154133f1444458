//! The `serde` feature: public data as JSON and back.
#![cfg(feature = "serde")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use swim_core::keyring::{Key, Keyring};
use swim_core::{
    Admission, Config, ConfigBuilder, Event, ExchangeError, Identity, InboundId, KnobValue,
    Network, Node, NodeName, OpId, OutboundId, Outcome, Rejected, Seat, Seed, SendError, Token,
    Via,
};

fn home() -> SocketAddr {
    "10.0.0.1:7946".parse().unwrap()
}

#[track_caller]
fn both<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T, json: &Value) {
    assert_eq!(&serde_json::to_value(value).unwrap(), json);
    assert_eq!(&serde_json::from_value::<T>(json.clone()).unwrap(), value);
}

#[test]
fn what_is_read_back_is_what_was_written() {
    both(&OpId(7), &json!(7));
    both(&(InboundId(1), OutboundId(2), Token(3)), &json!([1, 2, 3]));
    both(&SendError::Local, &json!("Local"));
    both(&Admission::Join, &json!("Join"));
    both(&"10.0.0.0/8".parse::<Network>().unwrap(), &json!("10.0.0.0/8"));
    both(&KnobValue::Flag(true), &json!({"Flag": true}));
    both(
        &KnobValue::Time(Duration::from_millis(1500)),
        &json!({
            "Time": {"secs": 1, "nanos": 500_000_000}
        }),
    );
    let seat = Seat { addr: home(), name: Some(NodeName::new("a").unwrap()) };
    both(&seat, &json!({"addr": "10.0.0.1:7946", "name": "a"}));
    both(&Outcome::Left, &json!("Left"));
    let failed = vec![(home(), ExchangeError::Refused)];
    both(
        &Outcome::Joined { reached: 1, failed },
        &json!({
            "Joined": {"reached": 1, "failed": [["10.0.0.1:7946", "Refused"]]}
        }),
    );
}

#[test]
fn an_identity_is_checked_as_it_is_read() {
    let me = Identity::new("a", home()).unwrap().meta(b"m").unwrap();
    let me = me.app_versions(2, 5, 4).unwrap();
    both(
        &me,
        &json!({
            "name": "a", "addr": "10.0.0.1:7946", "meta": [109], "app_versions": [2, 5, 4]
        }),
    );
    let read = |json| serde_json::from_value::<Identity>(json).map_err(|e| e.to_string());
    let short = json!({"name": "a", "addr": "10.0.0.1:7946"});
    assert_eq!(read(short), Ok(Identity::new("a", home()).unwrap()));
    let why = read(json!({"name": "a", "addr": "0.0.0.0:7946"})).unwrap_err();
    assert!(why.contains("cannot reach"), "{why}");
    assert!(read(json!({"name": "", "addr": "10.0.0.1:7946"})).is_err());
    let versions = json!({"name": "a", "addr": "10.0.0.1:7946", "app_versions": [3, 2, 3]});
    assert!(read(versions).is_err());
    assert!(serde_json::from_value::<Network>(json!("10.0.0.0/33")).is_err());
}

#[test]
fn events_and_refusals_can_be_written() {
    let me = Identity::new("a", home()).unwrap();
    let now = swim_core::Instant::ZERO;
    let mut node = Node::new(Config::lan().build().unwrap(), me, Seed::from(1), now);
    let up = serde_json::to_value(node.poll_event().unwrap()).unwrap();
    assert_eq!((&up["Up"]["name"], &up["Up"]["state"]), (&json!("a"), &json!("Alive")));
    let payload = Bytes::from_static(b"hi");
    let message = Event::Message { from: home(), via: Via::Datagram, payload };
    assert_eq!(
        serde_json::to_value(message).unwrap(),
        json!({
            "Message": {"from": "10.0.0.1:7946", "via": "Datagram", "payload": [104, 105]}
        })
    );
    let refused = serde_json::to_value(Rejected::MetaTooLong(600)).unwrap();
    assert_eq!(refused, json!("metadata has 600 bytes, at most 512"));
}

/// What is written of a configuration makes it again, but for keys and policy.
#[test]
fn a_configuration_can_be_written_and_its_knobs_read() {
    let key = Key::new(b"0123456789abcdef").unwrap();
    let config = Config::wan()
        .gossip_nodes(7)
        .label(b"x")
        .allowed(&["10.0.0.0/8".parse().unwrap()])
        .keyring(Keyring::new(key))
        .build()
        .unwrap();
    let json = serde_json::to_value(&*config).unwrap();
    assert_eq!((&json["label"], &json["allowed"]), (&json!([120]), &json!(["10.0.0.0/8"])));
    assert_eq!(json["knobs"]["gossip_nodes"], json!({"Number": 7}));
    assert!(json.get("keyring").is_none() && !json.to_string().contains("48,49,50"));
    let set = |builder: ConfigBuilder, (name, value): (&String, &Value)| {
        builder.knob(name, serde_json::from_value(value.clone()).unwrap()).unwrap()
    };
    let copy = json["knobs"].as_object().unwrap().iter().fold(Config::lan(), set);
    assert_eq!(copy.build().unwrap().knobs(), config.knobs());
}
