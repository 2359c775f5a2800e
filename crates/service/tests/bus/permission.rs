//! The permission to type: asked for in the background, one question at a time, and kept.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::Ordering;

use futures_lite::future;

use crate::client::{Client, Dict, error_name};
use crate::fixture::{Fixture, PATH};

async fn permit(client: &Client, options: Dict<'_>) -> zbus::Result<()> {
    client.call(PATH, "PermitTyping", &(options,)).await
}

#[test]
fn the_user_is_asked_once_and_the_answer_is_kept() {
    let fixture = Fixture::new();
    let file = fixture.folder.path().join("state/portal-token");
    zbus::block_on(async {
        let client = fixture.connect().await;
        let meanwhile = async {
            while !fixture.script.asks.load(Ordering::Relaxed) {
                assert_eq!(client.state().await, "idle");
            }
            let second = permit(&client, Dict::new()).await;
            assert_eq!(client.state().await, "idle", "the daemon waits for no answer");
            *fixture.script.permits.lock().unwrap() = Some(true);
            second
        };
        let (first, second) = future::zip(permit(&client, Dict::new()), meanwhile).await;
        first.unwrap();
        assert_eq!(error_name(second), "Busy");
        assert_eq!(fs::read_to_string(&file).unwrap(), "secret");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

        permit(&client, Dict::from([("forget", true.into())])).await.unwrap();
        assert!(!file.exists());
        *fixture.script.permits.lock().unwrap() = Some(false);
        assert_eq!(error_name(permit(&client, Dict::new()).await), "NotPermitted");
        assert!(!file.exists());
        let unknown = permit(&client, Dict::from([("always", true.into())])).await;
        assert_eq!(error_name(unknown), "UnsupportedOption");
    });
}
