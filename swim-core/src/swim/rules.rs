//! Which claim wins (memberlist spec 4.2 to 4.4), as pure functions of what is known.
//!
//! At equal incarnation alive < suspect < dead = left, and only a higher incarnation brings a
//! member back. Beyond memberlist's rules, the death of a later life replaces that of an earlier
//! one, so that all who have heard of both hold the same.

use crate::member::State;

/// The largest incarnation that the accused can go beyond (hazard 4).
pub(crate) const ACCUSED_MAX: u32 = u32::MAX - 1;

/// What the table holds about the subject of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) state: State,
    pub(crate) incarnation: u32,
}

/// Whom a claim is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Other,
    Me,
    /// This node, which has said that it leaves.
    MeLeaving,
}

/// What to do about an alive claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnAlive {
    Stale,
    /// The name is held by another address.
    Conflict,
    /// Somebody speaks for this node: answer with a higher incarnation.
    Refute,
    Apply,
    /// The name of a member that is gone goes to another address.
    TakeOver,
}

/// How an alive claim compares with the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Same,
    Other,
    /// Another, and the holder of the name has been dead long enough to lose it.
    OtherReclaimable,
}

pub(crate) fn on_alive(
    known: Known,
    subject: Subject,
    incarnation: u32,
    place: Place,
    same_content: bool,
) -> OnAlive {
    if subject == Subject::MeLeaving {
        return OnAlive::Stale;
    }
    if place != Place::Same {
        let free = known.state == State::Left || place == Place::OtherReclaimable;
        return if free && subject == Subject::Other {
            OnAlive::TakeOver
        } else {
            OnAlive::Conflict
        };
    }
    match subject {
        Subject::Me if incarnation < known.incarnation => OnAlive::Stale,
        Subject::Me if incarnation == known.incarnation && same_content => OnAlive::Stale,
        Subject::Me => OnAlive::Refute,
        _ if incarnation > known.incarnation => OnAlive::Apply,
        _ => OnAlive::Stale,
    }
}

/// What to do about an accusation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnAccusation {
    Stale,
    /// It names an incarnation that could not be refuted.
    Unanswerable,
    /// This node is accused.
    Refute,
    /// One more accuser of a suspect.
    Confirm,
    Apply,
    /// A later life of a member that is gone has ended, too: what is stored gives way, and nobody
    /// need be told.
    Outdate,
}

pub(crate) fn on_suspect(known: Known, subject: Subject, incarnation: u32) -> OnAccusation {
    if is_unanswerable(known, subject, incarnation) {
        return OnAccusation::Unanswerable;
    }
    if incarnation < known.incarnation {
        return OnAccusation::Stale;
    }
    match known.state {
        State::Suspect => OnAccusation::Confirm,
        State::Dead | State::Left => OnAccusation::Stale,
        State::Alive => match subject {
            Subject::Other => OnAccusation::Apply,
            Subject::Me | Subject::MeLeaving => OnAccusation::Refute,
        },
    }
}

pub(crate) fn on_dead(known: Known, subject: Subject, incarnation: u32) -> OnAccusation {
    if is_unanswerable(known, subject, incarnation) {
        return OnAccusation::Unanswerable;
    }
    let newer = incarnation > known.incarnation;
    match (subject, known.state.is_live()) {
        (Subject::Other, false) if newer => OnAccusation::Outdate,
        (_, false) => OnAccusation::Stale,
        (_, true) if incarnation < known.incarnation => OnAccusation::Stale,
        (Subject::Me, true) => OnAccusation::Refute,
        (Subject::Other | Subject::MeLeaving, true) => OnAccusation::Apply,
    }
}

/// No accusation brings a member to the last incarnation, where it could not answer. One that
/// stands there already, because a peer said so, is accused like any other: it would live for ever.
fn is_unanswerable(known: Known, subject: Subject, incarnation: u32) -> bool {
    let raises = incarnation > known.incarnation;
    incarnation > ACCUSED_MAX && (raises || subject != Subject::Other)
}

/// The incarnation that answers an accusation.
pub(crate) fn refutation(own: u32, accused: u32) -> u32 {
    own.max(accused).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 4] = [State::Alive, State::Suspect, State::Dead, State::Left];
    const EDGES: [u32; 6] = [0, 1, 2, u32::MAX - 2, u32::MAX - 1, u32::MAX];

    fn every_known() -> impl Iterator<Item = Known> {
        let all = |state| EDGES.map(|incarnation| Known { state, incarnation });
        STATES.into_iter().flat_map(all)
    }

    #[test]
    fn only_a_higher_incarnation_brings_back() {
        for known in every_known() {
            for incarnation in EDGES {
                let verdict = on_alive(known, Subject::Other, incarnation, Place::Same, true);
                assert_eq!(verdict == OnAlive::Apply, incarnation > known.incarnation);
            }
        }
    }

    #[test]
    fn the_dead_change_by_a_later_death_only() {
        for known in every_known().filter(|k| !k.state.is_live()) {
            for incarnation in EDGES {
                let answerable = incarnation <= ACCUSED_MAX;
                let later = answerable && incarnation > known.incarnation;
                let dead = on_dead(known, Subject::Other, incarnation);
                assert_eq!(dead == OnAccusation::Outdate, later);
                let suspect = on_suspect(known, Subject::Other, incarnation);
                for verdict in [dead, suspect] {
                    assert!(!matches!(verdict, OnAccusation::Apply | OnAccusation::Confirm));
                }
                assert_ne!(suspect, OnAccusation::Outdate);
                assert_ne!(on_dead(known, Subject::MeLeaving, incarnation), OnAccusation::Outdate);
            }
        }
    }

    #[test]
    fn an_accused_node_that_stays_always_has_an_answer() {
        for known in every_known().filter(|k| k.state == State::Alive) {
            for incarnation in EDGES {
                for verdict in [
                    on_dead(known, Subject::Me, incarnation),
                    on_suspect(known, Subject::Me, incarnation),
                ] {
                    match verdict {
                        OnAccusation::Refute => {
                            assert!(refutation(known.incarnation, incarnation) > incarnation);
                        }
                        OnAccusation::Stale => assert!(incarnation < known.incarnation),
                        OnAccusation::Unanswerable => assert_eq!(incarnation, u32::MAX),
                        other => panic!("{other:?}"),
                    }
                }
            }
        }
    }

    #[test]
    fn no_incarnation_makes_a_member_immortal() {
        for known in every_known().filter(|k| k.state.is_live()) {
            let dead = on_dead(known, Subject::Other, known.incarnation);
            assert_eq!(dead, OnAccusation::Apply);
            let suspect = on_suspect(known, Subject::Other, known.incarnation);
            let expected = match known.state {
                State::Alive => OnAccusation::Apply,
                _ => OnAccusation::Confirm,
            };
            assert_eq!(suspect, expected);
        }
    }

    #[test]
    fn a_name_moves_only_when_its_holder_is_gone() {
        for known in every_known() {
            let verdict = on_alive(known, Subject::Other, 1, Place::Other, false);
            let expected = match known.state {
                State::Left => OnAlive::TakeOver,
                _ => OnAlive::Conflict,
            };
            assert_eq!(verdict, expected);
            let mine = on_alive(known, Subject::Me, 9, Place::OtherReclaimable, false);
            assert_eq!(mine, OnAlive::Conflict);
        }
    }

    #[test]
    fn a_leaving_node_accepts_its_death() {
        for incarnation in [1, 5, ACCUSED_MAX] {
            let known = Known { state: State::Alive, incarnation: 1 };
            assert_eq!(on_dead(known, Subject::MeLeaving, incarnation), OnAccusation::Apply);
            let alive = on_alive(known, Subject::MeLeaving, incarnation, Place::Same, true);
            assert_eq!(alive, OnAlive::Stale);
        }
    }
}
