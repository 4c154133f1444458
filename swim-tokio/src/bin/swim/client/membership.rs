//! `swim join`, `swim leave` and `swim force-leave`.

use super::{Failure, connect};
use crate::flags::{ForceLeaveFlags, JoinFlags, LeaveFlags};
use crate::say::say;

pub(super) async fn join(flags: &JoinFlags) -> Result<(), Failure> {
    if flags.args.is_empty() {
        return Err(Failure::usage("join", "At least one address to join must be specified."));
    }
    let client = connect(&flags.rpc).await?;
    let reached = client.join(flags.args.clone(), flags.replay).await;
    let reached = reached.map_err(|e| Failure::of("Error joining the cluster", &e))?;
    say!("Successfully joined cluster by contacting {reached} nodes.");
    Ok(())
}

pub(super) async fn leave(flags: &LeaveFlags) -> Result<(), Failure> {
    let client = connect(&flags.rpc).await?;
    client.leave().await.map_err(|e| Failure::of("Error leaving", &e))?;
    say!("Graceful leave complete");
    Ok(())
}

pub(super) async fn force_leave(flags: &ForceLeaveFlags) -> Result<(), Failure> {
    let [name] = &flags.args[..] else {
        return Err(Failure::usage("force-leave", "A node name must be specified to force leave."));
    };
    let client = connect(&flags.rpc).await?;
    let left = client.force_leave(name, flags.prune).await;
    left.map_err(|e| Failure::of("Error force leaving", &e))
}
