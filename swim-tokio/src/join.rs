//! A join, as both kinds of handle do it: resolve the seeds, ask the driver, report.

use std::net::SocketAddr;
use std::time::Duration;

use swim_core::Seat;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::addr::JoinAddr;
use crate::driver::JoinReport;
use crate::error::{CommandError, JoinError, SeedFailure};

/// How a join ended that reached somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Joined {
    /// Addresses that exchanged state with this node.
    pub reached: u32,
    /// Seeds that did not, and why.
    pub failures: Vec<SeedFailure>,
}

/// Seeds whose addresses are known, and those that have none.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) seats: Vec<Seat>,
    pub(crate) failures: Vec<SeedFailure>,
}

impl Resolved {
    /// Resolves all seeds side by side; what is kept has their order.
    pub(crate) async fn new<S: Into<JoinAddr>>(
        seeds: impl IntoIterator<Item = S>,
        local: SocketAddr,
    ) -> Result<Self, JoinError> {
        let mut tasks = JoinSet::new();
        for (n, seed) in seeds.into_iter().map(Into::into).enumerate() {
            tasks.spawn(async move {
                let found = timeout(RESOLVE_TIMEOUT, seed.resolve(local)).await;
                let late = || Err(format!("no address within {RESOLVE_TIMEOUT:?}"));
                (n, seed.to_string(), found.unwrap_or_else(|_| late()))
            });
        }
        if tasks.is_empty() {
            return Err(JoinError::NoSeeds);
        }
        let mut found = tasks.join_all().await;
        found.sort_by_key(|(n, ..)| *n);
        let mut resolved = Self::default();
        for (_, seed, found) in found {
            match found {
                Ok(seats) => resolved.seats.extend(seats),
                Err(why) => resolved.failures.push(SeedFailure { seed, why }),
            }
        }
        Ok(resolved)
    }

    /// What to tell whoever asked for the join.
    pub(crate) fn report(
        mut failures: Vec<SeedFailure>,
        report: Result<JoinReport, CommandError>,
    ) -> Result<Joined, JoinError> {
        let JoinReport { reached, failures: failed } = report.map_err(JoinError::Command)?;
        failures.extend(
            failed.into_iter().map(|(addr, why)| SeedFailure { seed: addr.to_string(), why }),
        );
        if reached == 0 {
            return Err(JoinError::Failed(failures));
        }
        Ok(Joined { reached, failures })
    }
}

/// A resolver that is silent for longer will not answer.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(10);
