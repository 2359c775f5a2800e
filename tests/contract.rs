//! The XML in `docs/dbus` is what the daemon introspects to.

use std::collections::BTreeSet;
use std::fs;

use crate::fixture::{Room, project};
use crate::hearing::{Options, PATH, call, call_on, start};

/// Each member of an interface on a line: kind, name, arguments with types and directions.
fn members(xml: &str, interface: &str) -> BTreeSet<String> {
    let opening = format!("<interface name=\"{interface}\"");
    let at = xml.find(&opening).unwrap_or_else(|| panic!("{interface} is not in {xml}"));
    let body = &xml[at..at + xml[at..].find("</interface>").unwrap()];
    let mut members: Vec<String> = Vec::new();
    for tag in body.split('<').skip(2) {
        let of = |name| attribute(tag, name).unwrap_or_default();
        match tag.split_whitespace().next().unwrap_or_default().trim_end_matches(['>', '/']) {
            kind @ ("method" | "signal") => members.push(format!("{kind} {}", of("name"))),
            "property" => {
                members.push(format!("property {} {} {}", of("name"), of("type"), of("access")));
            }
            "arg" => {
                let arg = format!(" {}:{}:{}", of("direction"), of("name"), of("type"));
                members.last_mut().unwrap().push_str(&arg);
            }
            _ => (),
        }
    }
    members.into_iter().collect()
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

#[test]
fn the_daemon_is_what_the_xml_says() {
    let room = Room::new();
    let _daemon = room.ready_daemon();
    let bus = room.connect();
    let session = start(&bus, &Options::new()).unwrap();
    let reply = call(&bus, "ListModels", &()).unwrap();
    let models: Vec<zbus::OwnedObjectPath> = reply.body().deserialize().unwrap();
    let objects = [
        ("org.scriven.Dictation1", PATH),
        ("org.scriven.Dictation1.Session", session.as_str()),
        ("org.scriven.Dictation1.Model", models[0].as_str()),
    ];
    for (interface, path) in objects {
        let reply =
            call_on(&bus, path, "org.freedesktop.DBus.Introspectable", "Introspect", &()).unwrap();
        let served: String = reply.body().deserialize().unwrap();
        let file = project().join(format!("docs/dbus/{interface}.xml"));
        let written = fs::read_to_string(file).unwrap();
        assert_eq!(members(&served, interface), members(&written, interface), "{interface}");
    }
}
