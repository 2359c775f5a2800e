//! The model objects.

use std::sync::atomic::Ordering;

use crate::client::{Dict, error_name};
use crate::fixture::{Fixture, NAME, PATH, install};

const MODEL: &str = "org.scriven.Dictation1.Model";

fn path(id: &str) -> String {
    format!("{PATH}/model/{id}")
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
        crate::client::soon(async {
            while client.property::<String>(&path("tiny"), MODEL, "State").await != "failed" {}
        })
        .await;
        let detail: String = client.property(&path("tiny"), MODEL, "Detail").await;
        assert!(detail.contains("/nowhere/model.pt"), "{detail}");
        assert_eq!(client.property::<String>(PATH, NAME, "ModelState").await, "unloaded");
    });
}
