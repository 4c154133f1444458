//! Tags.

use std::time::Duration;

use serde_json::json;
use swim_tokio::swim_core::serf::{Status, Tags};

use crate::agents::serf;
use crate::diary::Diary;
use crate::ours::{Ours, SOON, local, wait_until};
use crate::serf::{self as theirs, Net, Serf};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn ours_is_found_by_the_tags_it_starts_with() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &["-tag=role=db"]);
    let tags = Tags::new([("role", "web")]).unwrap();
    let _ours = Ours::spawn(local("ours", net.addr(2)).tags(tags).join([theirs.addr()])).await;
    theirs.wait_status("ours", "alive", SOON).await;
    let found = theirs.output(&["members", "-tag", "role=web"]);
    assert_eq!(found, format!("ours  {}  alive  role=web\n", net.addr(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_change_of_tags_is_one_update_for_the_handler_of_theirs() {
    if !theirs::is_there() {
        return;
    }
    let (net, diary) = (Net::new(), Diary::new());
    let theirs = Serf::start("theirs", net.addr(1), &[&diary.flag()]);
    let ours = Ours::join("ours", net.addr(2), theirs.addr()).await;
    theirs.wait_status("ours", "alive", SOON).await;
    wait_until("the join is told", || !diary.entries("member-join").is_empty()).await;
    ours.handle.set_tags(Tags::new([("x", "1")]).unwrap()).await.unwrap();
    // The agent gathers events for 1 s after the last, and for 3 s at most.
    tokio::time::sleep(Duration::from_millis(3500)).await;
    let updates = diary.entries("member-update");
    assert_eq!(updates, [format!("member-update|||ours,{},,x=1;", net.addr(2).ip())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn tags_of_512_bytes_are_told_and_longer_ones_refused() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    // A mark, a map, a name of one byte, a length of three bytes.
    let value = "v".repeat(512 - 7);
    let refused = Tags::new([("t", format!("{value}v"))]).unwrap_err().to_string();
    let said = serf(theirs.rpc(), &["tags", "-set", &format!("t={value}v")]).await;
    assert!(said.out.contains(&refused) && said.code == Some(1), "{said:?} {refused}");
    let tags = Tags::new([("t", &value[..])]).unwrap();
    let ours = Ours::spawn(local("ours", net.addr(2)).tags(tags).join([theirs.addr()])).await;
    theirs.wait_status("ours", "alive", SOON).await;
    let members = theirs.members();
    let seen = members.iter().find(|member| member["name"] == "ours").unwrap();
    assert_eq!(seen["tags"], json!({ "t": value }));
    drop(ours);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_a_serf_of_protocol_2_the_role_is_known() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let ours = Ours::spawn(local("ours", net.addr(1))).await;
    let join = format!("-join={}", net.addr(1));
    let flags = ["-protocol=2", "-role=web", &join];
    let _theirs = Serf::start("theirs", net.addr(2), &flags);
    ours.wait_status("theirs", Status::Alive).await;
    let members = ours.handle.members().await.unwrap();
    let seen = members.get("theirs").unwrap();
    assert_eq!(seen.tags(), Tags::new([("role", "web")]).unwrap());
    assert_eq!(seen.versions().app().2, 2);
}
