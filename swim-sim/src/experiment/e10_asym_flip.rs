//! E10: ten members stop hearing anything every other 20 s (Rapid figure 9).

use core::time::Duration;

use swim_core::{Config, ConfigBuilder};

use super::lab::Lab;
use super::outcome::{Band, Experiment, Found, Row};
use super::views::{self, Drops, FAULTY, Views};
use crate::block::Ends;
use crate::course::Course;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "E10",
    name: "asym-flip",
    title: "10 members lose all that is sent to them, 20 s on, 20 s off, for 900 s",
    source: "Rapid (USENIX ATC 2018), figure 9, memberlist",
    cost: "about 5 minutes of CPU",
    run,
};

/// Members, as published: a suspicion lasts longer in a larger group, and with it ends later in a
/// turn.
const N: u32 = 1000;
const TURN: Duration = Duration::from_secs(20);
const DROPS: Drops =
    Drops { ends: Ends::Into, share: 1.0, course: Course::Turns { on: TURN, off: TURN } };

fn run(lab: &Lab) -> Found {
    let n = N;
    let configs = [memberlist2018 as fn() -> ConfigBuilder, Config::lan];
    let mut runs = lab.each(&configs, |config| views::watch(lab, config(), n, DROPS, 1));
    let (ours, old) = (runs.remove(1), runs.remove(0));
    let mut found = Found { seeds: "1".to_owned(), ..Found::default() };
    let least = f64::from(n - FAULTY);
    found.rows.push(
        Row::new("view changes after the first removal", "per member", old.changes)
            .published_as("for ever")
            .band(Band::AtLeast(20.0))
            .ours(ours.changes),
    );
    found.rows.push(
        Row::new("longest time with all 10 out everywhere", "s", old.longest_all_out_s)
            .published_as("never")
            .band(Band::AtMost(60.0))
            .ours(ours.longest_all_out_s),
    );
    found.rows.push(
        Row::new("smallest view", "members", f64::from(old.smallest))
            .published_as(&format!("{} of {n}", least))
            .ours(f64::from(ours.smallest)),
    );
    found.rows.push(
        Row::new("largest view", "members", f64::from(old.largest))
            .published_as(&n.to_string())
            .ours(f64::from(ours.largest)),
    );
    found.rows.push(
        Row::new("healthy members declared dead", "reports", old.evicted as f64)
            .ours(ours.evicted as f64),
    );
    found.plots.push(views::plot(
        "Views of healthy members",
        &[("memberlist2018", &old), ("our defaults", &ours)],
    ));
    found.note(
        "Rapid takes one step to 990 and stays there. Ours has no such mode yet: what is missing \
         is a damping of members that come back again and again.",
    );
    found
}

fn memberlist2018() -> ConfigBuilder {
    Config::lan().memberlist2018()
}

/// One step out, none back: what a stable mode must show, judged without one, for the negative
/// control.
pub(super) fn control(lab: &Lab) -> Row {
    let Views { changes, .. } = views::watch(lab, Config::lan(), 200, DROPS, 1);
    let once = f64::from(FAULTY - 1);
    Row::new("E10 view changes after the first removal, no damping", "per member", changes)
        .published(once)
        .band(Band::AtMost(once))
}
