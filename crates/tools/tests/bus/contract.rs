//! `docs/dbus/*.xml` against the proxies of the program and against the daemon of these tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::daemon::{Daemon, NAME, PATH};
use crate::fixture::Bus;

/// `method StartSession(a{sv}) → o` and the like.
type Members = BTreeSet<String>;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(root.join(path)).unwrap()
}

fn contract(interface: &str) -> Members {
    members(&read(&format!("../../docs/dbus/{interface}.xml")), interface)
}

/// The members of an interface in introspection XML.
fn members(xml: &str, interface: &str) -> Members {
    let (_, xml) = xml.split_once(&format!("<interface name=\"{interface}\"")).unwrap();
    let xml = &xml[..xml.find("</interface>").unwrap()];
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!("{name}=\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let mut found = Members::new();
    let (mut kind, mut name, mut ins, mut outs) = ("", String::new(), String::new(), String::new());
    for tag in xml.split('<').skip(1) {
        match tag.split([' ', '/', '>']).next().unwrap() {
            start @ ("method" | "signal") if !tag.starts_with('/') => {
                (kind, name) = (start, attribute(tag, "name").unwrap());
                (ins, outs) = Default::default();
            }
            "arg" if attribute(tag, "direction").as_deref() == Some("out") && kind == "method" => {
                outs.push_str(&attribute(tag, "type").unwrap());
            }
            "arg" => ins.push_str(&attribute(tag, "type").unwrap()),
            "property" => {
                let (name, r#type) = (attribute(tag, "name"), attribute(tag, "type"));
                found.insert(format!("property {} {}", name.unwrap(), r#type.unwrap()));
                continue;
            }
            _ => (),
        }
        let ends = tag.trim_end().ends_with("/>") && !tag.starts_with("arg");
        if !kind.is_empty() && (ends || tag.starts_with('/')) {
            found.insert(format!("{kind} {name}({ins}) → {outs}"));
            kind = "";
        }
    }
    found
}

/// The members of an interface in the source of the proxies and of the property structs.
fn proxied(interface: &str, trait_name: &str, properties: &str) -> Members {
    let source = read("src/proxy.rs");
    let cut = |start: String| {
        let (_, rest) = source.split_once(&start).unwrap_or_else(|| panic!("no {start}"));
        rest[..rest.find("\n}").unwrap()].to_owned()
    };
    assert!(source.contains(&format!("interface = \"{interface}\"")));
    let mut found = Members::new();
    let mut attributes = String::new();
    for item in cut(format!("pub(crate) trait {trait_name} {{")).split(';') {
        let item = item.split_whitespace().collect::<Vec<_>>().join(" ");
        let Some((before, function)) = item.split_once("fn ") else { continue };
        attributes.clear();
        attributes.push_str(before);
        let (name, rest) = function.split_once('(').unwrap();
        let name = match attributes.split_once("name = \"") {
            Some((_, renamed)) => renamed.split('"').next().unwrap().to_owned(),
            None => pascal(name),
        };
        let (args, result) = rest.rsplit_once(") -> zbus::Result<").unwrap();
        let args: String = (args.trim_end_matches([',', ' ']).split(", ").skip(1))
            .map(|arg| signature(arg.split_once(": ").unwrap().1))
            .collect();
        let kind = if attributes.contains("signal") { "signal" } else { "method" };
        let result = signature(result.strip_suffix('>').unwrap());
        found.insert(format!("{kind} {name}({args}) → {result}"));
    }
    for line in cut(format!("pub(crate) struct {properties} {{")).lines() {
        if let Some((name, r#type)) = line.trim().trim_start_matches("pub(crate) ").split_once(": ")
            && !line.contains("///")
        {
            let r#type = signature(r#type.trim_end_matches(','));
            found.insert(format!("property {} {type}", pascal(name)));
        }
    }
    found
}

fn pascal(name: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').map(word).collect()
}

fn signature(rust: &str) -> &'static str {
    match rust {
        "()" => "",
        "bool" => "b",
        "u32" => "u",
        "i64" => "x",
        "u64" => "t",
        "&str" | "String" => "s",
        "Vec<String>" => "as",
        "(String, String)" => "(ss)",
        "(u64, u64)" => "(tt)",
        "Fd<'_>" => "h",
        "OwnedObjectPath" => "o",
        "Vec<OwnedObjectPath>" => "ao",
        "Dictionary" | "&Options<'_>" => "a{sv}",
        "Vec<Dictionary>" => "aa{sv}",
        "(Vec<Dictionary>, Vec<Dictionary>)" => "aa{sv}aa{sv}",
        other => panic!("no signature known for {other}"),
    }
}

#[test]
fn the_proxies_are_the_contract() {
    for (interface, trait_name, properties) in [
        ("org.scriven.Dictation1", "Dictation", "DaemonProperties"),
        ("org.scriven.Dictation1.Session", "Session", "SessionProperties"),
        ("org.scriven.Dictation1.Model", "Model", "ModelProperties"),
    ] {
        assert_eq!(proxied(interface, trait_name, properties), contract(interface));
    }
}

#[test]
fn the_daemon_of_these_tests_keeps_the_contract() {
    let bus = Bus::start();
    let daemon = Daemon::start(&bus);
    bus.run(&["start"]);
    let introspect = |path: &str| {
        zbus::block_on(async {
            let connection =
                zbus::connection::Builder::address(bus.address.as_str()).build().await.unwrap();
            let object = zbus::fdo::IntrospectableProxy::builder(&connection)
                .destination(NAME)
                .path(path.to_owned())
                .build();
            object.await.unwrap().introspect().await.unwrap()
        })
    };
    for (interface, path) in [
        ("org.scriven.Dictation1", PATH.to_owned()),
        ("org.scriven.Dictation1.Session", format!("{PATH}/session/1_1/t")),
        ("org.scriven.Dictation1.Model", format!("{PATH}/model/base")),
    ] {
        assert_eq!(members(&introspect(&path), interface), contract(interface));
    }
    daemon.stop();
}
