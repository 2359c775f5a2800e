//! The model objects.

use std::sync::atomic::Ordering;

use futures_lite::StreamExt as _;
use scriven_service::models::Catalog;
use sha2::{Digest as _, Sha256};
use zbus::fdo::PropertiesProxy;

use crate::client::{Client, Dict, error_name, soon};
use crate::fixture::{Fixture, NAME, PATH, install};
use crate::server::{Act, Server};

const MODEL: &str = "org.scriven.Dictation1.Model";

fn path(id: &str) -> String {
    format!("{PATH}/model/{id}")
}

/// A server that has the model `tiny`, slowly at first, and a daemon that knows no other.
fn slow_download() -> (Server, Fixture) {
    let file = vec![1; 1_000_000];
    let sha256: String = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
    let server = Server::start(file, "\"v1\"", &[Act::Drip(5_000)]);
    let catalog = format!(
        "[[model]]\nid = 'tiny'\nmultilingual = true\nparameters = 1\nlicense = 'MIT'\n\
         [[model.source]]\nkind = 'url'\nurl = '{}/tiny.pt'\nsize = 1000000\n\
         sha256 = '{sha256}'\n",
        server.address
    );
    let fixture = Fixture::with_catalog(Catalog::parse(&catalog).unwrap());
    (server, fixture)
}

/// What `State` of a model goes through, up to `last`.
async fn states_until(
    client: &Client,
    model: &str,
    last: &str,
    act: impl AsyncFnOnce(),
) -> Vec<String> {
    let proxy = PropertiesProxy::builder(&client.connection).destination(NAME).path(path(model));
    let proxy = proxy.build().await.unwrap();
    let mut changes = proxy.receive_properties_changed().await.unwrap();
    act().await;
    let mut states: Vec<String> = Vec::new();
    while states.last().is_none_or(|state| state != last) {
        let change = soon(changes.next()).await.unwrap();
        let changed = &change.args().unwrap().changed_properties;
        states.extend(changed.get("State").map(|state| state.downcast_ref::<String>().unwrap()));
    }
    states
}

/// Waits until bytes of a model have come.
async fn until_begun(client: &Client, model: &str) {
    soon(async {
        while client.property::<(u64, u64)>(&path(model), MODEL, "Progress").await.0 == 0 {}
    })
    .await;
}

#[test]
fn a_download_that_is_asked_for_while_a_cancelled_one_winds_down_goes_on_with_it() {
    let (server, fixture) = slow_download();
    zbus::block_on(async {
        let client = fixture.connect().await;
        let states = states_until(&client, "tiny", "failed", async || {
            client.call::<_, ()>(&path("tiny"), "Download", &()).await.unwrap();
            until_begun(&client, "tiny").await;
            client.call::<_, ()>(&path("tiny"), "CancelDownload", &()).await.unwrap();
            client.call::<_, ()>(&path("tiny"), "Download", &()).await.unwrap();
        });
        assert_eq!(states.await, ["downloading", "converting", "failed"], "it is no model");
    });
    assert_eq!(server.n_requests(), 2);
    assert!(server.request(1).contains("\nrange: bytes="), "{}", server.request(1));
}

#[test]
fn a_cancel_is_also_for_the_download_that_waits() {
    let (server, fixture) = slow_download();
    zbus::block_on(async {
        let client = fixture.connect().await;
        let states = states_until(&client, "tiny", "absent", async || {
            client.call::<_, ()>(&path("tiny"), "Download", &()).await.unwrap();
            until_begun(&client, "tiny").await;
            for member in ["CancelDownload", "Download", "CancelDownload"] {
                client.call::<_, ()>(&path("tiny"), member, &()).await.unwrap();
            }
        });
        assert_eq!(states.await, ["downloading", "absent"]);
    });
    assert_eq!(server.n_requests(), 1);
}

#[test]
fn the_model_chosen_last_is_used_and_remembered() {
    let fixture = Fixture::new();
    let tiny = fixture.folder.path().join("models/tiny");
    std::fs::create_dir_all(&tiny).unwrap();
    install(&tiny);
    zbus::block_on(async {
        let client = fixture.connect().await;
        client.until("ModelState", "ready").await;
        client.until("Model", "base").await;
        client.call::<_, ()>(&path("tiny"), "Use", &()).await.unwrap();
        client.until("Model", "tiny").await;
        client.until("ModelState", "ready").await;
        let answer = client.call::<_, ()>(&path("small"), "Use", &()).await;
        assert_eq!(error_name(answer), "NoModel");
    });
    let remembered = std::fs::read_to_string(fixture.folder.path().join("state/model")).unwrap();
    assert_eq!(remembered, "tiny");
}

#[test]
fn a_model_in_use_is_not_changed_under_a_session() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let client = fixture.connect().await;
        client.start(Dict::new()).await.unwrap();
        let remove = client.call::<_, ()>(&path("base"), "Remove", &()).await;
        assert_eq!(error_name(remove), "Busy");
        let r#use = client.call::<_, ()>(&path("base"), "Use", &()).await;
        assert_eq!(error_name(r#use), "Busy");
    });
}

#[test]
fn a_removed_model_is_gone() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let client = fixture.connect().await;
        client.until("ModelState", "ready").await;
        assert_eq!(client.property::<String>(&path("base"), MODEL, "State").await, "installed");
        client.call::<_, ()>(&path("base"), "Remove", &()).await.unwrap();
        client.until("ModelState", "unloaded").await;
        assert_eq!(client.property::<String>(&path("base"), MODEL, "State").await, "absent");
        assert_eq!(error_name(client.start(Dict::new()).await), "NoModel");
    });
}

#[test]
fn an_import_that_fails_says_why() {
    let fixture = Fixture::bare();
    fixture.script.loaded.store(true, Ordering::Relaxed);
    zbus::block_on(async {
        let client = fixture.connect().await;
        let relative = client.call::<_, ()>(&path("tiny"), "Import", &"model.pt").await;
        assert_eq!(error_name(relative), "InvalidArgument");
        client.call::<_, ()>(&path("tiny"), "Import", &"/nowhere/model.pt").await.unwrap();
        soon(async {
            while client.property::<String>(&path("tiny"), MODEL, "State").await != "failed" {}
        })
        .await;
        let detail: String = client.property(&path("tiny"), MODEL, "Detail").await;
        assert!(detail.contains("/nowhere/model.pt"), "{detail}");
        assert_eq!(client.property::<String>(PATH, NAME, "ModelState").await, "unloaded");
    });
}
