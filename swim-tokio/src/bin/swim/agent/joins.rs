//! Joining at the start, once or until it works.

use std::time::Duration;

use swim_tokio::agent::AgentConfig;
use swim_tokio::serf::SerfHandle;

use super::settings::RETRY_INTERVAL_MIN;

/// Joins those that must be joined for the agent to start.
pub(crate) async fn at_start(handle: &SerfHandle, config: &AgentConfig) -> Result<(), String> {
    if config.start_join.is_empty() {
        return Ok(());
    }
    join(handle, &config.start_join, config.replay_on_join).await
}

/// Joins those that may not be there yet; an error once that was tried again often enough: as with
/// Serf, the first attempt does not count.
pub(crate) async fn retry(handle: &SerfHandle, config: &AgentConfig) -> Result<(), String> {
    if config.retry_join.is_empty() {
        return Ok(());
    }
    let interval = match config.retry_interval {
        Duration::ZERO => INTERVAL,
        interval => interval.max(RETRY_INTERVAL_MIN),
    };
    let mut retries = 0;
    loop {
        let Err(why) = join(handle, &config.retry_join, config.replay_on_join).await else {
            tracing::info!("Join completed.");
            return Ok(());
        };
        if config.retry_max_attempts > 0 && retries == config.retry_max_attempts {
            tracing::warn!("Join failed: {why}");
            return Err("maximum retry join attempts made, exiting".into());
        }
        tracing::warn!("Join failed: {why}, retrying in {interval:?}");
        retries = retries.saturating_add(1);
        tokio::time::sleep(interval).await;
    }
}

/// Joins, and says so in the log.
pub(crate) async fn join(
    handle: &SerfHandle,
    seeds: &[String],
    replay: bool,
) -> Result<(), String> {
    tracing::info!("joining: [{}] replay: {replay}", seeds.join(" "));
    match handle.join(seeds.iter().map(String::as_str), replay).await {
        Ok(joined) => {
            tracing::info!("joined: {} nodes", joined.reached);
            for failure in joined.failures {
                tracing::warn!("error joining: {failure}");
            }
            Ok(())
        }
        Err(e) => Err(e.to_string()),
    }
}

/// As with Serf.
const INTERVAL: Duration = Duration::from_secs(30);
