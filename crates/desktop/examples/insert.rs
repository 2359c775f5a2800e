//! `insert [--way NAME] TEXT`: puts TEXT into the window in focus, and says which ways there are.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use scriven_desktop::Error;
use scriven_desktop::delivery::{Delivery, Live};
use scriven_desktop::insertion::{ladder::Ladder, portal, ways};

fn main() -> std::io::Result<ExitCode> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut ladder = Ladder::new(ways(Box::new(|| {
        let reason = "only the daemon keeps the permission; see: scriven permit".into();
        Err(Error::Unavailable { backend: portal::NAME, reason })
    })));
    if arguments.first().is_some_and(|argument| argument == "--way") && arguments.len() > 2 {
        ladder = ladder.pinned(&arguments[1]);
        arguments.drain(..2);
    }
    let mut delivery = Delivery::new(ladder, Live::Final);
    let delivered = delivery.insert(&arguments.join(" "));
    for rung in delivery.rungs() {
        writeln!(stdout(), "{}: {:?}", rung.name, rung.verdict)?;
    }
    writeln!(stdout(), "{delivered:?}")?;
    Ok(if delivered.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
