//! Drives one way into the window in focus, to see what it does on a desktop.
//!
//! `way ibus`, `way portal`: orders come on stdin, a line each: `target`, `insert TEXT`,
//! `preedit TEXT`, `delete COUNT`. In TEXT `\n` begins a line. Every order is answered by a line,
//! `ok …` or `error …`, with the time that it took.
//!
//! `way permit`: asks for the permission that `portal` needs, and keeps it in a temporary file.

#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use std::fs;
use std::io::{self, BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use scriven_desktop::insertion::portal::{Keep, Portal, Token};
use scriven_desktop::insertion::{Backend, ibus};

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let way = match name.as_str() {
        "ibus" => ibus::connect(),
        "portal" => Portal::new(Arc::new(TokenFile)).connect(true),
        "permit" => return permit(),
        _ => {
            println!("usage: way ibus|portal|permit");
            return ExitCode::FAILURE;
        }
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
        _ => return format!("error no such order: {order}"),
    };
    done.map_or_else(|error| format!("error {error}"), |what| format!("ok {what}"))
}
