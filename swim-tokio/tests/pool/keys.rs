//! Encryption, labels and the keyring file.

use std::time::Duration;

use swim_tokio::swim_core::keyring::{Key, Keyring};
use swim_tokio::swim_core::{Config, Lane};
use swim_tokio::{CommandError, Delivery, Spread, StartError};
use tokio::time::timeout;

use crate::support::{SOON, alone, builder, joined, key, message, until_live, wait_for};

#[tokio::test]
async fn keys_of_every_length_encrypt_a_pool() {
    for len in [16, 24, 32] {
        let ring = Keyring::new(Key::new(&[7; 32][..len]).unwrap());
        let config = Config::local().keyring(ring).label(b"pool");
        let (a, _a_events) = alone(config.clone(), "a").await;
        let (_b, mut b_events) = joined(config, "b", &a).await;
        until_live(&a, 2).await;
        let spread = timeout(SOON, a.broadcast(Lane::High, None, &b"secret"[..])).await.unwrap();
        assert_eq!(spread, Ok(Spread::Sent));
        assert_eq!(wait_for(&mut b_events, message).await.1, b"secret");
    }
}

#[tokio::test]
async fn another_key_label_or_none_cannot_join_and_is_told_why() {
    let config = || Config::local().stream_timeout(Duration::from_millis(500));
    let ring = |n| Keyring::new(key(n));
    let (a, _a_events) = alone(config().keyring(ring(1)).label(b"one"), "a").await;
    for (config, says) in [
        (config().keyring(ring(2)).label(b"one"), "none of 1 keys decrypts it"),
        (config().label(b"one"), "encrypted"),
        (config().keyring(ring(1)).label(b"two"), "closed without an answer"),
        (config().keyring(ring(1)), "closed without an answer"),
    ] {
        let result = builder(config, "b").join([a.local_addr()]).spawn().await;
        let Err(StartError::Join(e)) = result else { panic!("joined: {result:?}") };
        let text = e.to_string();
        assert!(text.contains(says), "{text}");
        assert!(text.starts_with(&format!("cannot join {}: ", a.local_addr())), "{text}");
    }
    assert_eq!(a.members().await.unwrap().all().len(), 1);
    assert!(a.stats().await.unwrap().driver.streams_unopened >= 4);
}

#[tokio::test]
async fn a_key_is_rotated_without_losing_anybody() {
    let config = Config::local().keyring(Keyring::new(key(1)));
    let (a, _a_events) = alone(config.clone(), "a").await;
    let (b, mut b_events) = joined(config, "b", &a).await;
    for handle in [&a, &b] {
        handle.install_key(key(2)).await.unwrap();
    }
    for handle in [&a, &b] {
        handle.use_key(key(2)).await.unwrap();
        handle.remove_key(key(1)).await.unwrap();
    }
    assert!(matches!(a.remove_key(key(2)).await, Err(CommandError::Rejected(_))));
    let keys = a.keyring().await.unwrap();
    assert_eq!(keys.keys().collect::<Vec<_>>(), [&key(2)]);
    until_live(&a, 2).await;
    a.send(b.local_addr(), &b"x"[..], Delivery::Stream).await.unwrap();
    assert_eq!(wait_for(&mut b_events, message).await.1, b"x");
}

#[tokio::test]
async fn a_change_of_keys_is_in_the_file_when_the_command_ends() {
    let dir = std::env::temp_dir().join(format!("swim-pool-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("keys.json");
    let config = Config::local().keyring(Keyring::new(key(1)));
    let start = || builder(config.clone(), "a").keyring_file(&path);
    let (a, _events) = start().spawn().await.unwrap();
    let stored = || swim_tokio::read_keyring(&path).unwrap().unwrap();
    assert_eq!(stored(), Keyring::new(key(1)));
    a.install_key(key(2)).await.unwrap();
    assert_eq!(stored().len(), 2);
    let (one, two) = tokio::join!(a.use_key(key(2)), a.install_key(key(3)));
    assert_eq!((one, two), (Ok(()), Ok(())));
    assert_eq!(stored().primary(), Some(&key(2)));
    assert_eq!(stored().len(), 3);
    a.shutdown().await;
    let (a, _events) = start().spawn().await.unwrap();
    assert_eq!(a.keyring().await.unwrap(), stored());
    std::fs::remove_dir_all(&dir).unwrap();
    assert_eq!(a.install_key(key(4)).await, Err(CommandError::NotSaved));
    let missing = builder(Config::local(), "b").keyring_file(&path).spawn().await;
    assert!(matches!(missing, Err(StartError::Keyring(_))), "{missing:?}");
}
