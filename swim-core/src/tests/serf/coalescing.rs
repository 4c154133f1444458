//! Events that are told together.

use core::time::Duration;
use std::vec::Vec;

use bytes::Bytes;

use super::net::{Net, config, swim, tags};
use crate::serf::{Change, Command, Event, SerfConfig};

const S: fn(u64) -> Duration = Duration::from_secs;

#[test]
fn members_that_join_at_about_the_same_time_are_one_event() {
    let gathers = SerfConfig::builder(swim()).coalesce_period(S(3)).build().unwrap();
    let mut net = Net::new(0, &config());
    net.add(gathers, "n0", &tags("web"));
    net.run_for(S(5));
    net.take_events(0);
    for i in 1..6 {
        net.add(config(), &std::format!("n{i}"), &tags("web"));
        net.join(i, 0);
    }
    net.run_for(S(5));
    let told: Vec<_> = net
        .take_events(0)
        .into_iter()
        .filter_map(|event| match event {
            Event::Members { change, members } => Some((change, members.len())),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(Change::Join, 5)]);
}

#[test]
fn of_user_events_that_may_be_coalesced_the_last_is_told() {
    let gathers = SerfConfig::builder(swim()).user_coalesce_period(S(3)).build().unwrap();
    for (coalesce, count) in [(true, 1), (false, 5)] {
        let mut net = Net::new(1, &gathers);
        for n in 0..5u8 {
            let (name, payload) = ("deploy".into(), Bytes::from(Vec::from([n])));
            net.command(0, Command::UserEvent { name, payload, coalesce });
        }
        net.run_for(S(5));
        let told: Vec<u8> = net
            .take_events(0)
            .into_iter()
            .filter_map(|event| match event {
                Event::User(event) => Some(event.payload[0]),
                _ => None,
            })
            .collect();
        assert_eq!((told.len(), told.last()), (count, Some(&4)));
    }
}

#[test]
fn an_update_is_told_once_whatever_comes_later() {
    let gathers = SerfConfig::builder(swim()).coalesce_period(S(3)).build().unwrap();
    let mut net = Net::joined(2, &gathers);
    net.command(1, Command::SetTags(tags("db")));
    net.run_for(S(5));
    let late = net.add(config(), "late", &tags("web"));
    net.join(late, 0);
    net.run_for(S(5));
    let updates = net.take_changes(0).into_iter().filter(|(change, _)| *change == Change::Update);
    assert_eq!(updates.count(), 1);
}
