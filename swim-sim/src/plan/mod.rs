//! Advice: what a cluster of so many nodes on such links would do, measured in worlds of its size.

mod estimate;
mod size;
mod trial;
mod words;

use core::time::Duration;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;
use swim_core::Config;

pub(crate) use self::estimate::{Estimate, Rate};
use self::size::Size;
use self::trial::Trial;
pub(crate) use self::words::text;
use crate::link::Links;

/// What somebody wants to know.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) nodes: u32,
    pub(crate) links: Links,
    /// Share of packets lost, and the round trip, for the text; `None` is that of a local network.
    pub(crate) loss: f64,
    pub(crate) rtt: Option<Duration>,
    /// Settings by name; the first is the one that is asked about.
    pub(crate) settings: Vec<(String, Arc<Config>)>,
    /// How much to measure: 1 is some ten seconds of a core for each of the settings.
    pub(crate) effort: f64,
}

/// What these settings do, and how sure that is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Answer {
    pub(crate) name: String,
    /// Seeds of its worlds: from 1 to this.
    pub(crate) worlds: u64,
    /// From a crash to its first report, and to that of the last live node.
    pub(crate) first_s: Estimate,
    pub(crate) all_s: Estimate,
    /// Crashes that some live node had not reported when its world ended.
    pub(crate) unnoticed: u64,
    /// From a change of a member's metadata until all hold it.
    pub(crate) change_s: Estimate,
    /// Changes that some node had not heard of when its world ended.
    pub(crate) unheard: u64,
    /// Live members declared dead, in the whole cluster.
    pub(crate) wronged: Rate,
    /// What a node sends in a second: datagrams and stream messages, without headers.
    pub(crate) bytes_per_node_s: f64,
    pub(crate) datagrams_per_node_s: f64,
    pub(crate) probe_timeout_s: f64,
    pub(crate) events: u64,
}

impl Question {
    /// Runs the worlds, some at a time; the answer is a function of the question.
    pub(crate) fn answer(&self, done: &(dyn Fn() + Sync)) -> Vec<Answer> {
        let sizes: Vec<Size> = self.sizes().collect();
        let jobs: Vec<(usize, u64)> = (0..sizes.len())
            .flat_map(|i| (1..=sizes[i].worlds).map(move |seed| (i, seed)))
            .collect();
        let run = |&(i, seed): &(usize, u64)| {
            let config = Arc::clone(&self.settings[i].1);
            let trial = Trial::run(config, self.links.clone(), &sizes[i], seed);
            done();
            (i, trial)
        };
        let trials: Vec<(usize, Trial)> = jobs.par_iter().with_max_len(1).map(run).collect();
        let of = |i: usize| trials.iter().filter(move |t| t.0 == i).map(|t| &t.1);
        self.settings
            .iter()
            .enumerate()
            .map(|(i, (name, config))| Answer::of(name, config, of(i).collect()))
            .collect()
    }

    /// How many worlds that are.
    pub(crate) fn worlds(&self) -> u64 {
        self.sizes().map(|size| size.worlds).sum()
    }

    fn sizes(&self) -> impl Iterator<Item = Size> {
        self.settings.iter().map(|(_, config)| Size::of(config, self.nodes, self.effort))
    }
}

impl Answer {
    fn of(name: &str, config: &Config, trials: Vec<&Trial>) -> Self {
        let each = |of: fn(&Trial) -> &Vec<Duration>| {
            Estimate::of(trials.iter().flat_map(|t| of(t).iter().copied()).collect())
        };
        let sum = |of: fn(&Trial) -> u64| trials.iter().map(|t| of(t)).sum();
        let watched: Duration = trials.iter().map(|t| t.watched).sum();
        let per_node_s = |of: fn(&Trial) -> f64| {
            trials.iter().map(|t| of(t)).sum::<f64>() / trials.len().max(1) as f64
        };
        Self {
            name: name.to_owned(),
            worlds: trials.len() as u64,
            first_s: each(|t| &t.first),
            all_s: each(|t| &t.all),
            unnoticed: sum(|t| t.unnoticed),
            change_s: each(|t| &t.change),
            unheard: sum(|t| t.unheard),
            wronged: Rate::of(sum(|t| t.wronged), watched),
            bytes_per_node_s: per_node_s(|t| t.bytes_per_node_s),
            datagrams_per_node_s: per_node_s(|t| t.datagrams_per_node_s),
            probe_timeout_s: config.probe_timeout().as_secs_f64(),
            events: sum(|t| t.events),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(loss: f64) -> Question {
        let links = Links::default().with_loss(loss).unwrap();
        let lan = Config::lan().build().unwrap();
        let mut settings = vec![("lan".to_owned(), Arc::clone(&lan))];
        let hasty = lan.to_builder().suspicion_mult(1).build().unwrap();
        settings.push(("hasty".to_owned(), hasty));
        Question { nodes: 20, links, loss, rtt: None, settings, effort: 0.05 }
    }

    #[test]
    fn the_answer_is_a_function_of_the_question_and_says_what_the_formulas_say() {
        let q = question(0.0);
        let once = q.answer(&|| ());
        let json = |a: &[Answer]| serde_json::to_string(a).unwrap();
        assert_eq!(json(&once), json(&q.answer(&|| ())));
        let [lan, hasty] = &once[..] else { panic!("two settings, two answers") };
        assert!(lan.first_s.count >= 20 && lan.unnoticed + lan.unheard == 0, "{lan:?}");
        // At 20 members: a suspicion of 5.2 s at least, 1 to 2 s until the first probe fails.
        assert!((5.2..9.0).contains(&lan.first_s.median), "{:?}", lan.first_s);
        assert!(lan.all_s.median >= lan.first_s.median && lan.all_s.p99 >= lan.all_s.median);
        assert!(hasty.first_s.median < lan.first_s.median / 1.5, "{:?}", hasty.first_s);
        assert!((0.1..3.0).contains(&lan.change_s.median), "{:?}", lan.change_s);
        assert_eq!((lan.wronged.count, lan.wronged.low_per_day), (0, 0.0));
        assert!(lan.bytes_per_node_s > 50.0 && lan.datagrams_per_node_s > 1.9, "{lan:?}");
    }

    #[test]
    fn much_loss_and_haste_wrong_the_living() {
        let [lan, hasty] = &question(0.4).answer(&|| ())[..] else { panic!("two answers") };
        assert!(hasty.wronged.count > lan.wronged.count, "{:?} {:?}", hasty.wronged, lan.wronged);
        assert!(hasty.wronged.low_per_day > 0.0);
    }
}
