//! Ctrl-C as a stream, for commands that have something to end before they go.

use std::io;

use futures_lite::{Stream, StreamExt as _};
use zruntime::SharedRuntime;
use zruntime::signal::{Signal, Signals};

/// An item for each SIGINT and SIGTERM from now on, in place of the program's end.
///
/// A command that takes this must end by itself on the first, or at the latest on the second.
pub(crate) fn interrupts() -> io::Result<impl Stream<Item = ()> + Unpin> {
    let runtime = SharedRuntime::current()?;
    let signals = Signals::new(&runtime, [Signal::Interrupt, Signal::Terminate])?;
    Ok(signals.map(drop))
}
