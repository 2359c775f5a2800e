//! The field in focus, as the window tells it through the compositor.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use wayland_client::backend::ObjectId;
use wayland_client::{Connection, Dispatch, Proxy, QueueHandle, WEnum};
use wayland_protocols::wp::text_input::zv3::client::zwp_text_input_v3::{
    ContentHint, ContentPurpose,
};
use wayland_protocols_misc::zwp_input_method_v2::client::zwp_input_method_v2::{
    Event, ZwpInputMethodV2,
};

use super::super::wayland::State;

/// Counts through all connections, so that no id comes twice in the life of the program.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// A field that takes text.
#[derive(Clone)]
pub(in crate::insertion) struct Field {
    /// Another with each activation.
    pub(in crate::insertion) id: u64,
    /// For passwords, numbers of cards and what else is hidden or not to be remembered.
    pub(in crate::insertion) is_secret: bool,
    before: Option<String>,
}

impl Field {
    /// What stands before the cursor, or before the selection, where the window tells it.
    pub(in crate::insertion) fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }
}

/// Told event by event, valid with each `done`.
#[derive(Default)]
pub(in crate::insertion) struct Fields {
    /// Who tells. One that was given back may still have something on its way.
    method: Option<ObjectId>,
    coming: Option<Field>,
    current: Option<Field>,
    /// How many `done` came: what a commit refers to.
    pub(in crate::insertion) serial: u32,
    /// When the last of them came.
    pub(super) told: Option<Instant>,
    /// The seat has another input method.
    pub(in crate::insertion) is_refused: bool,
}

impl Fields {
    /// What `method` will tell.
    pub(super) fn of(method: &ZwpInputMethodV2) -> Self {
        Self { method: Some(method.id()), ..Self::default() }
    }

    /// The field in focus.
    pub(in crate::insertion) fn current(&self) -> Option<&Field> {
        self.current.as_ref()
    }

    /// Takes the field in focus for `left`, if the same text stands before its cursor.
    pub(super) fn come_back_to(&mut self, left: &Field) {
        let fields = [&mut self.coming, &mut self.current];
        let same = |field: &&mut Field| field.before == left.before;
        fields.into_iter().flatten().filter(same).for_each(|field| field.id = left.id);
    }
}

impl Dispatch<ZwpInputMethodV2, ()> for State {
    fn event(
        state: &mut Self,
        method: &ZwpInputMethodV2,
        event: Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let fields = &mut state.fields;
        if fields.method.as_ref() != Some(&method.id()) {
            return;
        }
        match event {
            Event::Activate => {
                let id = NEXT.fetch_add(1, Ordering::Relaxed);
                fields.coming = Some(Field { id, is_secret: false, before: None });
            }
            Event::Deactivate => fields.coming = None,
            Event::SurroundingText { text, cursor, anchor } => {
                let Some(field) = &mut fields.coming else { return };
                let begin = cursor.min(anchor) as usize;
                // What a window counts wrongly is not told.
                field.before = text.get(..begin).map(str::to_owned);
            }
            Event::ContentType { hint, purpose } => {
                let Some(field) = &mut fields.coming else { return };
                field.is_secret = is_secret(hint, purpose);
            }
            Event::Done => {
                fields.current = fields.coming.clone();
                fields.serial = fields.serial.wrapping_add(1);
                fields.told = Some(Instant::now());
            }
            Event::Unavailable => fields.is_refused = true,
            _ => {}
        }
    }
}

fn is_secret(hint: WEnum<ContentHint>, purpose: WEnum<ContentPurpose>) -> bool {
    let for_passwords = matches!(
        purpose,
        WEnum::Value(ContentPurpose::Password) | WEnum::Value(ContentPurpose::Pin)
    );
    let is_hidden =
        |hint: ContentHint| hint.intersects(ContentHint::HiddenText | ContentHint::SensitiveData);
    for_passwords || matches!(hint, WEnum::Value(hint) if is_hidden(hint))
}
