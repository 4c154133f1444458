//! `swim keys`.

use swim_tokio::rpc::wire::KeyReport;
use swim_tokio::rpc::{Client, ClientError};

use super::columns::columns;
use super::{Failure, connect};
use crate::flags::KeysFlags;
use crate::say::{self, say};

pub(super) async fn run(flags: &KeysFlags) -> Result<(), Failure> {
    let KeysFlags { install, primary, remove, list, rpc } = flags;
    let given = [install, primary, remove].into_iter().filter(|key| !key.is_empty()).count();
    match given + usize::from(*list) {
        0 => return Err(Failure::usage("keys", "")),
        1 => {}
        _ => {
            return Err(Failure::new("Only one of -install, -use, -remove, or -list allowed"));
        }
    }
    let client = connect(rpc).await?;
    if *list {
        say!("==> Asking all members for installed keys...");
        let report = done("Failed to gather member keys", client.list_keys().await)?;
        say!("==> Keys gathered, listing cluster keys...\n");
        say::text(format_args!("{}", table(&report)));
        return Ok(());
    }
    change(&client, flags).await
}

async fn change(client: &Client, flags: &KeysFlags) -> Result<(), Failure> {
    let KeysFlags { install, primary, remove, .. } = flags;
    if !install.is_empty() {
        say!("==> Installing key on all members...");
        done("Error installing key", client.install_key(install).await)?;
        say!("==> Successfully installed key!");
    } else if !primary.is_empty() {
        say!("==> Changing primary key on all members...");
        done("Error changing primary key", client.use_key(primary).await)?;
        say!("==> Successfully changed primary key!");
    } else {
        say!("==> Removing key on all members...");
        done("Error removing key", client.remove_key(remove).await)?;
        say!("==> Successfully removed key!");
    }
    Ok(())
}

/// Prints what the nodes say that failed.
fn done(what: &str, outcome: Result<KeyReport, ClientError>) -> Result<KeyReport, Failure> {
    let error = match outcome {
        Ok(report) => return Ok(report),
        Err(error) => error,
    };
    if let ClientError::Keys { report, .. } = &error {
        let row = |(node, text): (&String, &String)| {
            vec!["failed:".to_owned(), node.clone(), text.clone()]
        };
        let rows: Vec<_> = report.messages.iter().map(row).collect();
        say!("{}", columns(&rows));
    }
    Err(Failure::of(what, &error))
}

/// Each key, and how many nodes have it.
fn table(report: &KeyReport) -> String {
    let keys = report.keys.iter().flatten();
    let row =
        |(key, nodes): (&String, &u32)| vec![key.clone(), format!("[{nodes}/{}]", report.nodes)];
    columns(&keys.map(row).collect::<Vec<_>>())
}
