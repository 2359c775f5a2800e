//! The ways into windows, by what becomes of a text. Each is made when it is first needed: asking a
//! desktop what it can do takes its time.

use std::sync::Arc;

use crate::config::{Live, Mode};
use crate::parts::{MakeOutput, Output, Wanted};

pub(super) struct Ways {
    make: Arc<MakeOutput>,
    wanted: Wanted,
    typing: Option<Box<dyn Output>>,
    clipboard: Option<Box<dyn Output>>,
    copy: Option<Box<dyn Output>>,
    /// What has put something into a window last.
    last: Mode,
}

impl Ways {
    pub(super) fn new(make: Arc<MakeOutput>, wanted: Wanted) -> Self {
        Self { make, wanted, typing: None, clipboard: None, copy: None, last: Mode::Type }
    }

    /// Whether texts are shown before they are final.
    pub(super) fn shows(&self, mode: Mode) -> bool {
        mode == Mode::Type && self.wanted.live != Live::Final
    }

    /// The way for this mode.
    pub(super) fn of(&mut self, mode: Mode) -> &mut dyn Output {
        let token = self.wanted.token.clone();
        let no_window = Wanted { way: None, live: Live::Final, copy: true, token };
        let (output, wanted) = match mode {
            Mode::Clipboard => {
                let way = Some("clipboard".into());
                (&mut self.clipboard, Wanted { way, copy: false, ..no_window })
            }
            Mode::Copy => (&mut self.copy, no_window),
            Mode::Type | Mode::None => (&mut self.typing, self.wanted.clone()),
        };
        &mut **output.get_or_insert_with(|| (self.make)(&wanted))
    }

    /// The one that knows what can be taken back.
    pub(super) fn last(&mut self) -> &mut dyn Output {
        self.of(self.last)
    }

    /// Something was inserted. What another mode has inserted before can be taken back no more:
    /// each counts from the cursor, and knows only its own texts. Whether it was another mode.
    pub(super) fn has_inserted(&mut self, mode: Mode) -> bool {
        let other = match mode {
            Mode::Type => &mut self.clipboard,
            Mode::Clipboard => &mut self.typing,
            Mode::Copy | Mode::None => return false,
        };
        if let Some(other) = other {
            other.forget();
        }
        std::mem::replace(&mut self.last, mode) != mode
    }

    /// Nobody dictates: gives back what other programs may need.
    pub(super) fn rest(&mut self) {
        let outputs = [&mut self.typing, &mut self.clipboard];
        outputs.into_iter().flatten().for_each(|output| output.rest());
    }

    /// The name of the way that types, if one was looked for.
    pub(super) fn name(&self) -> Option<&'static str> {
        self.typing.as_ref().and_then(|output| output.way())
    }
}
