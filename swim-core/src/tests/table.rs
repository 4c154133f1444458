//! The member table: a shared base with an overlay holds what a table of one's own would.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::format;

use bytes::BytesMut;
use proptest::prelude::*;

use crate::ids::Addr;
use crate::member::{Record, State, Versions};
use crate::rng::{Rng, Seed};
use crate::swim::tests_only::{Base, Members, Shared, wire_len, write};
use crate::wire::{NodeState, PushPullHeader};

fn record(name: u8, meta: u8) -> Record {
    let addr = Addr::from_wire(&[10, 0, 0, name], 7946).unwrap();
    Record::new(format!("n{name}").as_bytes(), addr, &[meta], Versions([1, 5, 2, 0, 0, 0]))
}

#[derive(Clone, Debug)]
enum Op {
    Set(u8, u32, u8),
    Replace(u8, u8, u32),
    Remove(u8),
    Insert(u8, u8),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (any::<u8>(), 1u32..9, 0u8..4).prop_map(|(n, i, s)| Op::Set(n, i, s)),
        (any::<u8>(), any::<u8>(), 1u32..9).prop_map(|(n, m, i)| Op::Replace(n, m, i)),
        any::<u8>().prop_map(Op::Remove),
        (any::<u8>(), any::<u8>()).prop_map(|(n, m)| Op::Insert(n, m)),
    ]
}

fn state(number: u8) -> State {
    [State::Alive, State::Suspect, State::Dead, State::Left][usize::from(number)]
}

fn apply(members: &mut Members, op: &Op) {
    let find = |members: &Members, n: u8| members.find(format!("n{n}").as_bytes());
    match *op {
        Op::Set(n, incarnation, s) => {
            if let Some(slot) = find(members, n) {
                members.set(slot, incarnation, state(s));
            }
        }
        Op::Replace(n, meta, incarnation) => {
            if let Some(slot) = find(members, n) {
                members.replace(slot, record(n, meta), incarnation, State::Alive);
            }
        }
        Op::Remove(n) => {
            if let Some(slot) = find(members, n) {
                members.remove(slot);
            }
        }
        Op::Insert(n, meta) => {
            if find(members, n).is_none() {
                members.insert(record(n, meta), 1, State::Alive);
            }
        }
    }
}

type Seen = BTreeMap<String, (u32, State, Vec<u8>)>;

fn seen(members: &Members) -> Seen {
    members
        .iter()
        .map(|(id, slot)| {
            let record = slot.record();
            assert_eq!(members.find(record.name_bytes()), Some(id));
            let fact = (slot.incarnation(), slot.state(), record.meta().to_vec());
            (record.name().into(), fact)
        })
        .collect()
}

#[test]
fn equal_records_are_kept_once() {
    let mut members = Members::new(&mut Rng::new(Seed::from(1)));
    let shelved = record(1, 0);
    let addr = Addr::from_wire(&[10, 0, 0, 1], 7946).unwrap();
    let told = |members: &Members, meta: &[u8]| {
        members.record(b"n1", addr, meta, Versions([1, 5, 2, 0, 0, 0]))
    };
    assert!(!core::ptr::eq(told(&members, &[0]).name_bytes(), shelved.name_bytes()));
    members.share_records(Arc::new(Base::at_rest(7, [shelved.clone()])));
    assert!(core::ptr::eq(told(&members, &[0]).name_bytes(), shelved.name_bytes()));
    let other = told(&members, &[1]);
    assert_eq!((other.name(), other.meta()), ("n1", &[1][..]));
}

#[test]
fn names_in_any_order_are_found() {
    let mut members = Members::new(&mut Rng::new(Seed::from(1)));
    for n in 0..100 {
        members.insert(record(n, 0), 1, State::Alive);
    }
    let orders: [fn(u8) -> u8; 3] = [|n| n, |n| 99 - n, |n| (u32::from(n) * 37 % 100) as u8];
    for order in orders {
        for n in (0..100).map(order) {
            let name = format!("n{n}");
            assert_eq!(members.find_next(name.as_bytes()), members.find(name.as_bytes()));
        }
    }
    assert_eq!(members.find_next(b"n100"), None);
}

/// A table that points into a shelf, of all names that occur or of some.
fn placed(shelf_len: u8) -> Members {
    let mut members = Members::new(&mut Rng::new(Seed::from(1)));
    members.share_records(Arc::new(Base::at_rest(7, (0..=shelf_len).map(|n| record(n, 0)))));
    members
}

proptest! {
    #[test]
    fn a_shared_table_holds_what_an_own_one_would(ops in prop::collection::vec(op(), 0..400)) {
        let start = || (0..100u8).map(|n| record(n, 0));
        let base = Arc::new(Base::at_rest(7, start()));
        let mut shared = Members::shared(Arc::clone(&base));
        let mut own = Members::new(&mut Rng::new(Seed::from(1)));
        for record in start() {
            own.insert(record, 1, State::Alive);
        }
        for op in &ops {
            apply(&mut shared, op);
            apply(&mut own, op);
            prop_assert_eq!(shared.len(), own.len());
            prop_assert_eq!(shared.live(), own.live());
            prop_assert_eq!(shared.log10_ceil(), own.log10_ceil());
        }
        let (shared_seen, own_seen) = (seen(&shared), seen(&own));
        let live = own_seen.values().filter(|(_, state, _)| state.is_live()).count();
        prop_assert_eq!(own.live() as usize, live);
        prop_assert_eq!(shared_seen, own_seen);
        // Whatever one node does, the others' base stays as it was.
        prop_assert_eq!(seen(&Members::shared(base)), seen(&{
            let mut fresh = Members::new(&mut Rng::new(Seed::from(2)));
            start().for_each(|record| { fresh.insert(record, 1, State::Alive); });
            fresh
        }));
    }

    #[test]
    fn a_table_of_places_holds_what_an_own_one_would(
        ops in prop::collection::vec(op(), 0..400),
        shelf_len in prop_oneof![Just(255u8), 0u8..255],
    ) {
        let mut placed = placed(shelf_len);
        let mut own = Members::new(&mut Rng::new(Seed::from(1)));
        for op in &ops {
            apply(&mut placed, op);
            apply(&mut own, op);
            prop_assert_eq!(placed.live(), own.live());
        }
        let slots = |members: &Members| -> Vec<_> {
            members.iter().map(|(slot, s)| (slot, s.record().name_bytes().to_vec())).collect()
        };
        prop_assert_eq!(slots(&placed), slots(&own));
        prop_assert_eq!(seen(&placed), seen(&own));
    }

    #[test]
    fn a_state_by_reference_says_what_the_table_holds(
        ops in prop::collection::vec(op(), 0..100),
        alone in any::<bool>(),
    ) {
        let roster = Arc::new(Base::at_rest(7, (0..100).map(|n| record(n, 0))));
        let mut members = Members::shared(Arc::clone(&roster));
        if alone {
            members = Members::new(&mut Rng::new(Seed::from(1)));
            members.share_records(Arc::clone(&roster));
        }
        ops.iter().for_each(|op| apply(&mut members, op));
        let (mut bytes, mut push_pull) = (BytesMut::new(), BytesMut::new());
        write(&members, true, b"user", &mut bytes);
        PushPullHeader { join: true, nodes: members.len(), user_state_len: 4 }
            .encode(&mut push_pull);
        members.iter().for_each(|(_, slot)| slot.entry().encode(&mut push_pull));
        prop_assert_eq!(wire_len(&bytes), push_pull.len() + 4);
        let state = Shared::decode(&bytes).unwrap();
        prop_assert_eq!((state.len() as u32, state.user_state()), (members.len(), &b"user"[..]));
        let told: Vec<NodeState<'_>> = state.nodes(&roster).collect();
        let held: Vec<NodeState<'_>> = members.iter().map(|(_, slot)| slot.entry()).collect();
        prop_assert_eq!(told, held);
        for end in 0..bytes.len() {
            // What is cut short ends, and does not panic.
            if let Ok(state) = Shared::decode(&bytes[..end]) {
                prop_assert!(state.nodes(&roster).count() <= members.len() as usize + 100);
            }
        }
    }
}
