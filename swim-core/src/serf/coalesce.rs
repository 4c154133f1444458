//! Gathering events that come at about the same time (serf spec 2.7).

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::ids::NodeName;
use crate::serf::{Change, Event, Member, UserEvent};
use crate::time::Instant;

/// How long events wait for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// For this long after the first of them; Serf's agent has 3 s.
    pub quantum: Duration,
    /// For this long after the latest of them; Serf's agent has 1 s.
    pub quiescent: Duration,
}

impl Window {
    /// What Serf's agent uses, for members and for events of applications.
    pub const AGENT: Self =
        Self { quantum: Duration::from_secs(3), quiescent: Duration::from_secs(1) };
}

/// Puts events together that come at about the same time: of members what became of them in the
/// end, of an application's events of one name the latest.
///
/// It stands between a node and its consumer: what the node tells goes in by
/// [`handle`](Self::handle), what the consumer shall hear comes out by
/// [`poll_event`](Self::poll_event). Whatever is not gathered passes through at once, and may
/// overtake what waits.
///
/// Unlike Serf it forgets what it has delivered: Serf repeats an update of a member with every
/// later event of another one (serf spec 13.3).
#[derive(Clone, Debug)]
pub struct Coalescer {
    members: Option<Gathering<Members>>,
    users: Option<Gathering<Users>>,
    ready: VecDeque<Event>,
}

impl Coalescer {
    /// Gathers events of members and of applications in these windows, or not at all.
    pub const fn new(members: Option<Window>, users: Option<Window>) -> Self {
        Self {
            members: match members {
                Some(window) => Some(Gathering::new(window, Members::new())),
                None => None,
            },
            users: match users {
                Some(window) => Some(Gathering::new(window, Users::new())),
                None => None,
            },
            ready: VecDeque::new(),
        }
    }

    /// Takes an event that happened at `now`.
    pub fn handle(&mut self, now: Instant, event: Event) {
        self.handle_timeout(now);
        match (event, &mut self.members, &mut self.users) {
            (Event::Members { change, members }, Some(gathering), _) => {
                gathering.touch(now);
                gathering.kept.take(change, members);
            }
            (Event::User(event), _, Some(gathering)) if event.coalesce => {
                gathering.touch(now);
                gathering.kept.take(event);
                if gathering.kept.count >= USER_EVENTS_MAX {
                    gathering.flush(&mut self.ready);
                }
            }
            // Whoever has missed events takes the whole table afresh, older news only confuse.
            (event @ Event::Lagged(_), members, users) => {
                members.iter_mut().for_each(|gathering| gathering.flush(&mut self.ready));
                users.iter_mut().for_each(|gathering| gathering.flush(&mut self.ready));
                self.ready.push_back(event);
            }
            (event, ..) => self.ready.push_back(event),
        }
    }

    /// Lets those go whose window is over.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(gathering) = self.members.as_mut().filter(|gathering| gathering.is_due(now)) {
            gathering.flush(&mut self.ready);
        }
        if let Some(gathering) = self.users.as_mut().filter(|gathering| gathering.is_due(now)) {
            gathering.flush(&mut self.ready);
        }
    }

    /// The next event for the consumer.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if anything waits.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let members = self.members.as_ref().and_then(|gathering| gathering.deadline);
        let users = self.users.as_ref().and_then(|gathering| gathering.deadline);
        members.into_iter().chain(users).min()
    }
}

/// Events that wait, and until when.
#[derive(Clone, Debug)]
struct Gathering<K> {
    window: Window,
    /// The end of the quantum, while anything waits.
    end: Option<Instant>,
    /// The sooner of that and of the quiescent time.
    deadline: Option<Instant>,
    kept: K,
}

trait Kept {
    /// Moves what is kept to `out`.
    fn drain(&mut self, out: &mut VecDeque<Event>);
}

impl<K> Gathering<K> {
    const fn new(window: Window, kept: K) -> Self {
        Self { window, end: None, deadline: None, kept }
    }

    /// An event came: the first starts the quantum, each starts the quiescent time anew.
    fn touch(&mut self, now: Instant) {
        let end = *self.end.get_or_insert(now + self.window.quantum);
        self.deadline = Some(end.min(now + self.window.quiescent));
    }

    fn is_due(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    fn flush(&mut self, out: &mut VecDeque<Event>)
    where
        K: Kept,
    {
        (self.end, self.deadline) = (None, None);
        self.kept.drain(out);
    }
}

/// The latest of each member; as many as there are members.
#[derive(Clone, Debug)]
struct Members {
    latest: BTreeMap<NodeName, (Change, Member)>,
    /// What was delivered last of each member, until it is reaped.
    told: BTreeMap<NodeName, Change>,
}

impl Members {
    const fn new() -> Self {
        Self { latest: BTreeMap::new(), told: BTreeMap::new() }
    }

    fn take(&mut self, change: Change, members: Vec<Member>) {
        for member in members {
            self.latest.insert(member.swim().node_name(), (change, member));
        }
    }
}

impl Kept for Members {
    /// One event of each kind. That a member has joined is no news if that is what was told of it
    /// last; an update always is.
    fn drain(&mut self, out: &mut VecDeque<Event>) {
        let mut by_change: BTreeMap<Change, Vec<Member>> = BTreeMap::new();
        for (name, (change, member)) in core::mem::take(&mut self.latest) {
            let before = match change {
                Change::Reap => self.told.remove(&name),
                _ => self.told.insert(name, change),
            };
            if before != Some(change) || change == Change::Update {
                by_change.entry(change).or_default().push(member);
            }
        }
        out.extend(
            by_change.into_iter().map(|(change, members)| Event::Members { change, members }),
        );
    }
}

/// Of each name the events of the latest time.
#[derive(Clone, Debug)]
struct Users {
    latest: BTreeMap<String, Vec<UserEvent>>,
    /// How many are kept.
    count: usize,
}

impl Users {
    const fn new() -> Self {
        Self { latest: BTreeMap::new(), count: 0 }
    }

    fn take(&mut self, event: UserEvent) {
        let Some(events) = self.latest.get_mut(&event.name) else {
            self.latest.insert(event.name.clone(), alloc::vec![event]);
            self.count += 1;
            return;
        };
        let known = events.first().map_or(0, |first| first.ltime);
        if event.ltime < known {
            return;
        }
        if event.ltime > known {
            self.count -= events.len();
            events.clear();
        }
        events.push(event);
        self.count += 1;
    }
}

impl Kept for Users {
    fn drain(&mut self, out: &mut VecDeque<Event>) {
        self.count = 0;
        out.extend(core::mem::take(&mut self.latest).into_values().flatten().map(Event::User));
    }
}

/// At so many events of applications they go before their time: names are a peer's choice.
const USER_EVENTS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::ids::{Addr, Incarnation};
    use crate::member::{self, Record, State, Versions};
    use crate::serf::Status;

    fn member(name: &str) -> Member {
        let addr = Addr::from_wire(&[127, 0, 0, 1], 7946).unwrap();
        let record = Record::new(name.as_bytes(), addr, b"", Versions::from([0; 6]));
        let (incarnation, state) = (Incarnation(1), State::Alive);
        let swim = member::Member { record, incarnation, state };
        Member { swim, status: Status::Alive }
    }

    fn of(change: Change, name: &str) -> Event {
        Event::Members { change, members: alloc::vec![member(name)] }
    }

    fn user(name: &str, ltime: u64, payload: u8, coalesce: bool) -> Event {
        let payload = Bytes::copy_from_slice(&[payload]);
        Event::User(UserEvent { ltime, name: name.into(), payload, coalesce })
    }

    fn ms(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn both() -> Coalescer {
        Coalescer::new(Some(Window::AGENT), Some(Window::AGENT))
    }

    /// What comes out: a line for each event.
    fn drain(coalescer: &mut Coalescer) -> Vec<String> {
        let line = |event| match event {
            Event::Members { change, members } => {
                let names: Vec<_> = members.iter().map(Member::name).collect();
                alloc::format!("{change:?} {}", names.join(" "))
            }
            Event::User(event) => alloc::format!("{} {:?}", event.name, &event.payload[..]),
            other => alloc::format!("{other:?}"),
        };
        core::iter::from_fn(|| coalescer.poll_event()).map(line).collect()
    }

    #[test]
    fn members_that_join_together_are_one_event() {
        let mut coalescer = both();
        for n in 0..5 {
            coalescer.handle(ms(100 * n), of(Change::Join, &alloc::format!("n{n}")));
        }
        coalescer.handle(ms(450), of(Change::Failed, "n3"));
        assert_eq!(drain(&mut coalescer), [""; 0]);
        assert_eq!(coalescer.poll_timeout(), Some(ms(1450)));
        coalescer.handle_timeout(ms(1449));
        assert_eq!(drain(&mut coalescer), [""; 0]);
        coalescer.handle_timeout(ms(1450));
        assert_eq!(drain(&mut coalescer), ["Join n0 n1 n2 n4", "Failed n3"]);
        assert_eq!(coalescer.poll_timeout(), None);
    }

    #[test]
    fn nothing_waits_longer_than_the_quantum() {
        let mut coalescer = both();
        let mut told = Vec::new();
        for n in 0..40 {
            coalescer.handle(ms(100 * n), of(Change::Join, &alloc::format!("n{n:02}")));
            let lines = drain(&mut coalescer).len();
            told.extend((0..lines).map(|_| 100 * n));
        }
        assert_eq!(told, [3000]);
        // What came at the end of one quantum starts the next.
        assert_eq!(coalescer.poll_timeout(), Some(ms(4900)));
    }

    #[test]
    fn a_member_is_told_of_again_only_if_something_became_of_it() {
        let mut coalescer = both();
        let mut after = |at: u64, changes: &[Change]| {
            changes.iter().for_each(|change| coalescer.handle(ms(at), of(*change, "n")));
            coalescer.handle_timeout(ms(at + 1000));
            drain(&mut coalescer)
        };
        assert_eq!(after(0, &[Change::Join]), ["Join n"]);
        assert_eq!(after(2000, &[Change::Failed, Change::Join]), [""; 0]);
        assert_eq!(after(4000, &[Change::Update]), ["Update n"]);
        assert_eq!(after(6000, &[Change::Update]), ["Update n"]);
        assert_eq!(after(8000, &[Change::Leave]), ["Leave n"]);
        assert_eq!(after(10000, &[Change::Reap]), ["Reap n"]);
        assert!(coalescer.members.is_some_and(|members| members.kept.told.is_empty()));
    }

    /// Serf repeats the update (serf spec 2.7, 13.3).
    #[test]
    fn an_update_is_not_repeated_with_the_next_member() {
        let mut coalescer = both();
        coalescer.handle(ms(0), of(Change::Update, "a"));
        coalescer.handle_timeout(ms(1000));
        assert_eq!(drain(&mut coalescer), ["Update a"]);
        coalescer.handle(ms(5000), of(Change::Join, "b"));
        coalescer.handle_timeout(ms(6000));
        assert_eq!(drain(&mut coalescer), ["Join b"]);
    }

    #[test]
    fn of_events_of_one_name_the_latest_count() {
        let mut coalescer = both();
        for (name, ltime, payload) in
            [("x", 3, 1), ("x", 5, 2), ("y", 1, 3), ("x", 4, 4), ("x", 5, 5)]
        {
            coalescer.handle(ms(0), user(name, ltime, payload, true));
        }
        coalescer.handle(ms(0), user("x", 9, 6, false));
        assert_eq!(drain(&mut coalescer), ["x [6]"]);
        coalescer.handle_timeout(ms(1000));
        assert_eq!(drain(&mut coalescer), ["x [2]", "x [5]", "y [3]"]);
    }

    #[test]
    fn more_events_than_are_kept_go_at_once() {
        let mut coalescer = both();
        for n in 0..USER_EVENTS_MAX {
            assert_eq!(coalescer.poll_event(), None);
            coalescer.handle(ms(0), user(&alloc::format!("{n}"), 1, 0, true));
        }
        assert_eq!(drain(&mut coalescer).len(), USER_EVENTS_MAX);
        assert_eq!(coalescer.poll_timeout(), None);
    }

    #[test]
    fn what_is_not_gathered_passes_through() {
        let mut coalescer = Coalescer::new(None, None);
        coalescer.handle(ms(0), of(Change::Join, "a"));
        coalescer.handle(ms(0), user("x", 1, 1, true));
        assert_eq!(drain(&mut coalescer), ["Join a", "x [1]"]);
        let mut coalescer = both();
        coalescer.handle(ms(0), of(Change::Join, "a"));
        coalescer.handle(ms(1), Event::Lagged(3));
        assert_eq!(drain(&mut coalescer), ["Join a", "Lagged(3)"]);
        assert_eq!(coalescer.poll_timeout(), None);
    }
}
