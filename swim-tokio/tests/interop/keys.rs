//! Keys of the whole pool.

use swim_tokio::format_key;
use swim_tokio::serf::SerfAgent;
use swim_tokio::swim_core::Config;
use swim_tokio::swim_core::keyring::{Key, Keyring};
use swim_tokio::swim_core::serf::SerfConfig;

use crate::serf::{self, Net, SOON, Serf};

// `serf keys` blocks its thread until ours has answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_rotated_by_ours_and_then_by_theirs() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let [one, two, three] = [1, 2, 3].map(|n| Key::new(&[n; 32]).unwrap());
    let theirs = Serf::start("theirs", net.addr(1), &[&format!("-encrypt={}", format_key(&one))]);
    let swim = Config::local().keyring(Keyring::new(one.clone())).build().unwrap();
    let (ours, _events) = SerfAgent::builder(SerfConfig::builder(swim).build().unwrap())
        .name("ours")
        .bind(net.addr(2))
        .join([theirs.addr()])
        .spawn()
        .await
        .unwrap();
    theirs.wait_status("ours", "alive", SOON).await;
    for report in [
        ours.install_key(&two, 0).await.unwrap(),
        ours.use_key(&two, 0).await.unwrap(),
        ours.remove_key(&one, 0).await.unwrap(),
    ] {
        assert_eq!(report.result(), Ok(()), "{report:?}");
        assert_eq!((report.nodes(), report.responses()), (2, 2));
    }
    let listed = ours.list_keys(0).await.unwrap();
    assert_eq!(listed.keys().iter().collect::<Vec<_>>(), [(&format_key(&two), &2)]);
    let refused = ours.remove_key(&two, 0).await.unwrap();
    assert_eq!(refused.result().unwrap_err().to_string(), "2/2 nodes reported failure");
    let text = format_key(&three);
    for verb in ["-install", "-use"] {
        let (verb, text) = (verb.to_owned(), text.clone());
        theirs.command(&["keys", &format!("{verb}={text}")]);
    }
    theirs.command(&["keys", &format!("-remove={}", format_key(&two))]);
    let keys: Vec<Key> = ours.keyring().await.unwrap().keys().cloned().collect();
    assert_eq!(keys, [three]);
    assert_eq!(theirs.status_of("ours").unwrap(), "alive", "{}", theirs.log());
}
