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
    install(&fixture.folder.path().join("models/tiny"));
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

/// The models that `ListModels` tells, by the ends of their paths.
async fn listed(client: &Client) -> Vec<String> {
    let paths: Vec<zbus::OwnedObjectPath> = client.call(PATH, "ListModels", &()).await.unwrap();
    paths.iter().map(|path| path.as_str().rsplit('/').next().unwrap().to_owned()).collect()
}

#[test]
fn a_model_that_the_catalog_does_not_have_is_shown_used_and_removed_as_any_other() {
    // On the bus `tiny-en` would be where `tiny.en` is.
    let fixture = Fixture::with_models(&["base", "my-own.2", "tiny-en"]);
    fixture.script.loaded.store(true, Ordering::Relaxed);
    zbus::block_on(async {
        let client = fixture.connect().await;
        client.until("ModelState", "ready").await;
        let own = path("my_own_2");
        assert_eq!(listed(&client).await.len(), Catalog::builtin().entries().len() + 1);
        assert_eq!(client.property::<String>(&own, MODEL, "Id").await, "my-own.2");
        assert_eq!(client.property::<String>(&own, MODEL, "State").await, "installed");
        assert!(client.property::<u64>(&own, MODEL, "Size").await > 0);
        assert_eq!(client.property::<String>(&path("tiny_en"), MODEL, "State").await, "absent");
        client.call::<_, ()>(&own, "Use", &()).await.unwrap();
        client.until("Model", "my-own.2").await;
        let download = client.call::<_, ()>(&own, "Download", &()).await;
        let message = download.as_ref().unwrap_err().to_string();
        assert!(message.contains("run: scriven model import my-own.2"), "{message}");
        assert_eq!(error_name(download), "NotFound");
        client.call::<_, ()>(&own, "Remove", &()).await.unwrap();
        assert!(!listed(&client).await.contains(&"my_own_2".into()));
        let gone = client.call::<_, ()>(&own, "Use", &()).await;
        assert!(matches!(gone, Err(zbus::Error::FDO(_))), "{gone:?}");
        client.until("Model", "base").await;
    });
    assert!(!fixture.folder.path().join("models/my-own.2").exists());
}

#[test]
fn an_import_under_a_new_name_appears_at_once_and_its_failure_can_be_removed() {
    let fixture = Fixture::bare();
    zbus::block_on(async {
        let client = fixture.connect().await;
        let file = "/nowhere/model.pt";
        let states = states_until(&client, "my_own", "failed", async || {
            let shown: zbus::OwnedObjectPath =
                client.call(PATH, "ImportModel", &("my-own", file)).await.unwrap();
            assert_eq!(shown.as_str(), path("my_own"));
        });
        assert_eq!(states.await, ["downloading", "failed"]);
        assert!(listed(&client).await.contains(&"my_own".into()));
        let detail: String = client.property(&path("my_own"), MODEL, "Detail").await;
        assert!(detail.contains(file), "{detail}");
        client.call::<_, ()>(&path("my_own"), "Remove", &()).await.unwrap();
        assert!(!listed(&client).await.contains(&"my_own".into()));
    });
}

#[test]
fn a_warm_up_is_seen_at_the_model_and_is_over_when_it_is_loaded() {
    let fixture = Fixture::loading();
    zbus::block_on(async {
        let client = fixture.connect().await;
        let detail_is = async |wanted: &str| {
            let detail = async || client.property::<String>(&path("base"), MODEL, "Detail").await;
            while detail().await != wanted {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        };
        soon(detail_is("warming up the GPU, 3 of 15")).await;
        assert_eq!(client.property::<String>(PATH, NAME, "ModelState").await, "loading");
        fixture.script.loaded.store(true, Ordering::Relaxed);
        client.until("ModelState", "ready").await;
        soon(detail_is("")).await;
    });
}

#[test]
fn a_name_that_cannot_be_a_model_s_is_refused_and_leaves_nothing() {
    let fixture = Fixture::bare();
    zbus::block_on(async {
        let client = fixture.connect().await;
        let before = listed(&client).await;
        for id in ["", "../own", "a/b", "My-Own", ".own", "tiny-en", "ö", &"x".repeat(65)] {
            let answer =
                client.call::<_, ()>(PATH, "ImportModel", &(id, "/nowhere/model.pt")).await;
            assert_eq!(error_name(answer), "InvalidArgument", "{id}");
        }
        let answer = client.call::<_, ()>(PATH, "ImportModel", &("my-own", "model.pt")).await;
        assert_eq!(error_name(answer), "InvalidArgument");
        assert_eq!(listed(&client).await, before);
    });
    assert!(!fixture.folder.path().join("models").exists());
}
