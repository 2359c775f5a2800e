//! Drives one way into the window in focus, to see what it does on a desktop.
//!
//! `way NAME`, where NAME is one of those that `scriven doctor` shows: orders come on
//! stdin, a line each: `target`, `insert TEXT`, `preedit TEXT`, `delete COUNT`, `rest`. In TEXT `\n`
//! begins a line. Every order is answered by a line, `ok …` or `error …`, with the time that it took.
//!
//! `way permit`: asks for the permission that `portal` needs, and keeps it in a temporary file.

#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use std::fs;
use std::io::{self, BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use scriven_desktop::Error;
use scriven_desktop::insertion::portal::{Keep, Portal, Token};
use scriven_desktop::insertion::{Backend, ways};

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let way = match name.as_str() {
        "permit" => return permit(),
        name => open(name),
    };
    let mut way = match way {
        Ok(way) => way,
        Err(error) => {
            println!("error {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("ok {:?}", way.abilities());
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let start = Instant::now();
        let answer = obey(way.as_mut(), &line);
        println!("{answer} ({} ms)", start.elapsed().as_millis());
        std::io::stdout().flush().ok();
    }
    ExitCode::SUCCESS
}

/// Of the ways that have this name, the first that is there.
fn open(name: &str) -> Result<Box<dyn Backend>, Error> {
    let reason = "no way has this name; usage: way NAME|permit".to_owned();
    let mut opened = Err(Error::Unavailable { backend: "way", reason });
    let portal = Box::new(|| Portal::new(Arc::new(TokenFile)).connect(true));
    for (_, connect) in ways(portal).into_iter().filter(|way| way.0 == name) {
        opened = opened.or_else(|_| connect());
    }
    opened
}

fn permit() -> ExitCode {
    if let Err(error) = Portal::new(Arc::new(TokenFile)).permit(Duration::from_secs(60)) {
        println!("error {error}");
        return ExitCode::FAILURE;
    }
    println!("ok");
    ExitCode::SUCCESS
}

/// The permission in a temporary file.
struct TokenFile;

impl TokenFile {
    fn path() -> PathBuf {
        std::env::temp_dir().join("scriven-way.token")
    }
}

impl Keep for TokenFile {
    fn load(&self) -> Option<Token> {
        fs::read_to_string(Self::path()).ok().map(Token)
    }

    fn save(&self, token: Option<&Token>) -> io::Result<()> {
        match token {
            Some(token) => fs::write(Self::path(), &token.0),
            None => fs::remove_file(Self::path()),
        }
    }
}

fn obey(way: &mut dyn Backend, line: &str) -> String {
    let (order, text) = line.split_once(' ').unwrap_or((line, ""));
    let text = text.replace("\\n", "\n");
    let done = match order {
        "target" => way.target().map(|target| format!("{target:?}")),
        "insert" => way.insert(&text).map(|proof| format!("{proof:?}")),
        "preedit" => way.preedit(&text).map(|()| String::new()),
        "delete" => way.delete_before(text.parse().unwrap_or(1)).map(|()| String::new()),
        "rest" => {
            way.rest();
            Ok(String::new())
        }
        _ => return format!("error no such order: {order}"),
    };
    done.map_or_else(|error| format!("error {error}"), |what| format!("ok {what}"))
}
