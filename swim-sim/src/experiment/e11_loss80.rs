//! E11: ten members lose 80 % of what they send, or of what they are sent (Rapid figures 1 and 10).

use swim_core::{Config, ConfigBuilder};

use super::lab::Lab;
use super::outcome::{Band, Experiment, Found, Row};
use super::views::{self, Drops, FAULTY};
use crate::block::Ends;
use crate::course::Course;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "E11",
    name: "loss80",
    title: "80 % of the packets of 10 members are lost for 900 s: outgoing, then incoming",
    source: "Rapid (USENIX ATC 2018), figures 1 and 10, memberlist; text and caption differ on the \
             direction",
    cost: "about 10 minutes of CPU",
    run,
};

const DIRECTIONS: [(&str, Drops); 2] = [
    ("outgoing", Drops { ends: Ends::OutOf, share: 0.8, course: Course::Steady }),
    ("incoming", Drops { ends: Ends::Into, share: 0.8, course: Course::Steady }),
];

fn run(lab: &Lab) -> Found {
    let n = lab.pick(1000, 200);
    let configs = [memberlist2018 as fn() -> ConfigBuilder, Config::lan];
    let jobs: Vec<_> = DIRECTIONS.iter().flat_map(|d| configs.map(|c| (d.1, c))).collect();
    let runs = lab.each(&jobs, |(drops, config)| views::watch(lab, config(), n, *drops, 1));
    let mut found = Found { seeds: "1".to_owned(), ..Found::default() };
    for ((name, _), pair) in DIRECTIONS.iter().zip(runs.chunks_exact(2)) {
        let (old, ours) = (&pair[0], &pair[1]);
        found.rows.push(
            Row::new(
                format!("{name}: longest time with all 10 out everywhere"),
                "s",
                old.longest_all_out_s,
            )
            .published_as("never conclusive")
            .band(Band::AtMost(60.0))
            .ours(ours.longest_all_out_s),
        );
        found.rows.push(
            Row::new(
                format!("{name}: first time that all 10 are out everywhere"),
                "s",
                old.all_out_s,
            )
            .published_as("never; target ≤ 60")
            .ours(ours.all_out_s),
        );
        found.rows.push(
            Row::new(format!("{name}: smallest view"), "members", f64::from(old.smallest))
                .published_as(&format!("992 of 1000 (all out: {})", n - FAULTY))
                .ours(f64::from(ours.smallest)),
        );
        found.rows.push(
            Row::new(
                format!("{name}: view changes after the first removal"),
                "per member",
                old.changes,
            )
            .ours(ours.changes),
        );
        found.rows.push(
            Row::new(
                format!("{name}: healthy members declared dead"),
                "reports",
                old.evicted as f64,
            )
            .published_as("target 0")
            .ours(ours.evicted as f64),
        );
        let title = format!("Views of healthy members, {name} packets lost");
        found.plots.push(views::plot(&title, &[("memberlist2018", old), ("our defaults", ours)]));
    }
    found.note(
        "Ours has no mode yet that decides such cases once and for all (target: all 10 out within \
         60 s, no healthy member declared dead).",
    );
    found
}

fn memberlist2018() -> ConfigBuilder {
    Config::lan().memberlist2018()
}
