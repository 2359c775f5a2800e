//! What the running objects introspect to is what `docs/dbus/*.xml` says.

use crate::client::Dict;
use crate::fixture::{Fixture, NAME, PATH};

/// The tags of the interface `name`, one a line, properties and annotations included.
fn members(xml: &str, name: &str) -> Vec<String> {
    let opening = format!("<interface name=\"{name}\">");
    let (_, rest) = xml.split_once(&opening).unwrap_or_else(|| panic!("no {name} in {xml}"));
    let (body, _) = rest.split_once("</interface>").unwrap();
    let mut members: Vec<String> = Vec::new();
    for tag in body.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap();
        let mut words: Vec<&str> = tag.trim_end_matches('/').split_whitespace().collect();
        match words[0] {
            "method" | "signal" | "property" => members.push(words.join(" ")),
            "arg" | "annotation" => {
                // The order of attributes says nothing.
                words[1..].sort_unstable();
                members.last_mut().unwrap().push_str(&format!(" {}", words.join(" ")));
            }
            _ => {}
        }
    }
    // Nor does the order of members.
    members.sort();
    members
}

#[test]
fn the_objects_are_what_the_documentation_says() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let client = fixture.connect().await;
        let session = client.start(Dict::new()).await.unwrap();
        let model = format!("{PATH}/model/tiny_en");
        let documented = [
            (
                PATH,
                NAME.to_owned(),
                include_str!("../../../../docs/dbus/org.scriven.Dictation1.xml"),
            ),
            (
                session.as_str(),
                format!("{NAME}.Session"),
                include_str!("../../../../docs/dbus/org.scriven.Dictation1.Session.xml"),
            ),
            (
                model.as_str(),
                format!("{NAME}.Model"),
                include_str!("../../../../docs/dbus/org.scriven.Dictation1.Model.xml"),
            ),
        ];
        for (path, interface, written) in documented {
            let introspectable = Some("org.freedesktop.DBus.Introspectable");
            let call =
                client.connection.call_method(Some(NAME), path, introspectable, "Introspect", &());
            let served: String = call.await.unwrap().body().deserialize().unwrap();
            assert_eq!(members(&served, &interface), members(written, &interface));
        }
    });
}

#[test]
fn all_objects_are_found_through_the_root() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let client = fixture.connect().await;
        let session = client.start(Dict::new()).await.unwrap();
        let manager = zbus::fdo::ObjectManagerProxy::builder(&client.connection)
            .destination(NAME)
            .path(PATH)
            .build()
            .await
            .unwrap();
        let objects = manager.get_managed_objects().await.unwrap();
        let paths: Vec<_> = objects.keys().map(|path| path.as_str()).collect();
        assert!(paths.contains(&session.as_str()), "{paths:?}");
        let models: Vec<zbus::OwnedObjectPath> =
            client.call(PATH, "ListModels", &()).await.unwrap();
        assert!(models.len() > 5);
        assert!(models.iter().all(|model| paths.contains(&model.as_str())));
    });
}
