//! E8: members that hardly get any processor time (Lifeguard figure 1).

use core::time::Duration;

use swim_core::{Config, ConfigBuilder};

use super::lab::Lab;
use super::lifeguard::{self, Counts, Run};
use super::outcome::{Band, Experiment, Found, Row};
use crate::change::Stall;
use crate::course::Course;
use crate::draw::Draw;
use crate::fault::{Fault, Who};
use crate::page::{Mark, Plot};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "E8",
    name: "cpu-stress",
    title: "100 members, 1 to 32 of them run for 1 to 10 % of the time, for five minutes",
    source: "Lifeguard (DSN 2018), figure 1",
    cost: "about 3 minutes of CPU",
    run,
};

const N: u32 = 100;
const DISTRESSED: [u32; 6] = [1, 2, 4, 8, 16, 32];
const SWIM_TOTAL: [f64; 6] = [13., 42., 364., 954., 1775., 3310.];
const SWIM_HEALTHY: [f64; 6] = [0., 0., 218., 328., 364., 614.];
const LIFEGUARD_TOTAL: [f64; 6] = [0., 0., 0., 0., 97., 1269.];
const QUIET: Duration = Duration::from_secs(15);
const STRESS: Duration = Duration::from_secs(300);
/// Mean time from one burst to the next; the share of it that a member runs is drawn for each.
const CYCLE: Duration = Duration::from_secs(1);
/// Longer times, shown to tell how much hangs on the one that was chosen.
const LONGER_S: [u64; 2] = [4, 16];
/// 1 to 10 %, in thousandths.
const DUTY: (u64, u64) = (10, 100);

fn run(lab: &Lab) -> Found {
    let seeds = lab.pick(5, 1);
    let measure = |config: fn() -> ConfigBuilder| -> Vec<Counts> {
        let runs =
            lab.repeat(&DISTRESSED, |_| seeds, |c, seed| stress(lab, config(), *c, CYCLE, seed));
        runs.into_iter().map(Counts::sum).collect()
    };
    let swim = measure(lifeguard::swim);
    let lifeguard = measure(published);
    let ours = measure(Config::lan);
    let fp = |c: &Counts| c.fp as f64 / seeds as f64;
    let healthy = |c: &Counts| c.fp_healthy as f64 / seeds as f64;
    let mut found = Found { seeds: format!("1..={seeds}"), ..Found::default() };
    for (i, c) in DISTRESSED.into_iter().enumerate() {
        found.rows.push(
            Row::new(format!("SWIM, {c} distressed: FP"), "per run", fp(&swim[i]))
                .published(SWIM_TOTAL[i]),
        );
        found.rows.push(
            Row::new(
                format!("SWIM, {c} distressed: FP at healthy members"),
                "per run",
                healthy(&swim[i]),
            )
            .published(SWIM_HEALTHY[i]),
        );
        let row = Row::new(format!("Lifeguard, {c} distressed: FP"), "per run", fp(&lifeguard[i]))
            .published(LIFEGUARD_TOTAL[i])
            .ours(fp(&ours[i]));
        found.rows.push(match c {
            ..=8 => row.band(Band::AtMost(0.0)),
            32 => row.band(Band::AtMost(fp(&swim[i]) / 2.5)),
            _ => row,
        });
    }
    // A run without any would make the growth infinite; half a report stands for none.
    let growth = (fp(&swim[4]).max(0.5) / fp(&swim[0]).max(0.5)).log2() / 4.0;
    found.rows.push(
        Row::new("SWIM: exponent of the growth from 1 to 16", "", growth)
            .published((SWIM_TOTAL[4] / SWIM_TOTAL[0]).log2() / 4.0)
            .band(Band::AtLeast(1.0)),
    );
    for s in LONGER_S {
        let cycle = Duration::from_secs(s);
        for (name, config) in [("SWIM", lifeguard::swim as fn() -> _), ("Lifeguard", published)] {
            let run = |_: &(), seed| stress(lab, config(), 16, cycle, seed);
            let counts = Counts::sum(lab.repeat(&[()], |()| seeds, run).remove(0));
            let metric = format!("{name}, 16 distressed, bursts {s} s apart: FP");
            found.rows.push(Row::new(metric, "per run", fp(&counts)));
        }
    }
    let points = |values: &dyn Fn(usize) -> f64| -> Vec<(f64, f64)> {
        let all = DISTRESSED.iter().enumerate().map(|(i, c)| (f64::from(*c), values(i)));
        all.filter(|p| p.1 > 0.0).collect()
    };
    found.plots.push(
        Plot::new("False positives in five minutes", "distressed members", "false positives")
            .log_x()
            .log_y()
            .with(Mark::Line, "SWIM", points(&|i| fp(&swim[i])))
            .with(Mark::Line, "Lifeguard", points(&|i| fp(&lifeguard[i])))
            .with(Mark::Line, "our defaults", points(&|i| fp(&ours[i])))
            .with(Mark::Published, "SWIM, published", points(&|i| SWIM_TOTAL[i]))
            .with(Mark::Published, "Lifeguard, published", points(&|i| LIFEGUARD_TOTAL[i])),
    );
    found.note(
        "A frozen driver reads all its mail as soon as it runs, and that costs it no time. With \
         bursts a second apart every refutation is read long before a suspicion ends; a starved \
         process also falls behind its mail, which this fault does not show.",
    );
    found.note(
        "The paper starved virtual machines of CPU; here a driver is frozen in bursts of random \
         length, a second apart on average. How long the bursts of a starved process are is not \
         published.",
    );
    found
}

fn published() -> ConfigBuilder {
    Config::lan().lifeguard()
}

/// One run: some members run only now and then.
fn stress(lab: &Lab, config: ConfigBuilder, distressed: u32, cycle: Duration, seed: u64) -> Counts {
    let mut draw = Draw::new(seed, "E8");
    let mut nodes: Vec<u32> = (0..N).collect();
    let slow = draw.choose(&mut nodes, distressed as usize).to_vec();
    let stalls = |node: &u32| {
        let runs = cycle.mul_f64(draw.between(DUTY.0, DUTY.1) as f64 / 1000.0);
        let course = Course::Bursts { on: cycle - runs, off: runs };
        (QUIET, Fault::Stalls { who: Who::Node(*node), part: Stall::Loop, course, time: STRESS })
    };
    let faults = slow.iter().map(stalls).collect();
    Run { seed, nodes: N, slow, faults, time: QUIET + STRESS }.count(lab, config)
}
