//! One session of shortcuts: made, bound, listed, and listened to until it ends.

use std::collections::HashMap;

use zbus::{Message, OwnedObjectPath, OwnedVariant, Variant};

use super::calls::{Answer, Dictionary, Options, Portal, SESSION, SHORTCUTS, answer, is};
use crate::shortcut::Bound;
use crate::shortcut::keys::Keys;

/// The portal is gone, or has ended the session: why.
type Ended = String;

/// Shortcuts as the portal lists them: name of the action, then what is known of it.
type Listed = Vec<(String, HashMap<String, OwnedVariant>)>;

pub(super) struct Session<'a> {
    portal: Portal,
    bindings: &'a [Bound],
    keys: &'a mut Keys,
    path: OwnedObjectPath,
}

impl<'a> Session<'a> {
    pub(super) fn new(portal: Portal, bindings: &'a [Bound], keys: &'a mut Keys) -> Self {
        Self { portal, bindings, keys, path: OwnedObjectPath::default() }
    }

    /// Until it ends; says why.
    pub(super) async fn serve(mut self) -> Ended {
        match self.bind().await {
            Ok(listed) => self.note(&listed),
            Err(ended) => return ended,
        }
        loop {
            let Some(signal) = self.portal.signal().await else { return gone() };
            if let Err(ended) = self.take(&signal) {
                return ended;
            }
        }
    }

    /// What is bound when all has been asked for.
    async fn bind(&mut self) -> Result<Listed, Ended> {
        let options = self.options([("session_handle_token", Variant::from("scriven"))]);
        let (code, mut results) =
            self.request("CreateSession", |options| (options,), options).await?;
        let handle = results.remove("session_handle").and_then(path_of);
        self.path = handle.ok_or(format!("the portal makes no session (answer {code})"))?;
        let wanted: Vec<(String, Options<'static>)> = self.bindings.iter().map(wanted).collect();
        let (session, options) = (self.path.clone(), self.options([]));
        let body = |options| (session, wanted, "", options);
        let (code, _) = self.request("BindShortcuts", body, options).await?;
        let (session, options) = (self.path.clone(), self.options([]));
        let body = |options| (session, options);
        let (_, mut results) = self.request("ListShortcuts", body, options).await?;
        let listed: Listed =
            results.remove("shortcuts").and_then(|all| all.try_into().ok()).unwrap_or_default();
        tracing::debug!(bind = code, listed = listed.len(), "shortcuts of the portal");
        Ok(listed)
    }

    fn options<const N: usize>(
        &mut self,
        more: [(&'static str, Variant<'static>); N],
    ) -> Options<'static> {
        let mut options = Options::from(more);
        options.insert("handle_token", Variant::from(self.portal.token()));
        options
    }

    /// Calls a method and waits for its answer, for as long as the user may think about it.
    async fn request<B>(
        &mut self,
        method: &str,
        body: impl FnOnce(Options<'static>) -> B,
        options: Options<'static>,
    ) -> Result<Answer, Ended>
    where
        B: zbus::export::serde::Serialize + zbus::wire::DynamicType,
    {
        let call = self.portal.call(method, &body(options)).await;
        let path = call.map_err(|error| format!("the portal refuses {method}: {error}"))?;
        loop {
            let signal = self.portal.signal().await.ok_or_else(gone)?;
            if let Some(answer) = answer(&signal, &path) {
                return Ok(answer);
            }
            self.take(&signal)?;
        }
    }

    fn take(&mut self, signal: &Message) -> Result<(), Ended> {
        if is(signal, SESSION, "Closed", Some(&self.path)) {
            return Err("the desktop has ended the shortcuts".to_owned());
        }
        let body = signal.body();
        let activation = || {
            type Activation = (OwnedObjectPath, String, u64, Dictionary);
            let (session, action, ..): Activation = body.deserialize().ok()?;
            (session == self.path).then_some(action)
        };
        if is(signal, SHORTCUTS, "Activated", None) {
            if let Some(action) = activation() {
                self.keys.pressed(&action);
            }
        } else if is(signal, SHORTCUTS, "Deactivated", None) {
            if let Some(action) = activation() {
                self.keys.released(&action);
            }
        } else if is(signal, SHORTCUTS, "ShortcutsChanged", None)
            && let Ok((session, listed)) = body.deserialize::<(OwnedObjectPath, Listed)>()
            && session == self.path
        {
            self.note(&listed);
        }
        Ok(())
    }

    /// Notes what is bound, and tells it.
    fn note(&mut self, listed: &Listed) {
        let (mut works, mut missing) = (Vec::new(), Vec::new());
        for Bound { action, trigger, .. } in self.bindings {
            let Some((_, known)) = listed.iter().find(|(id, _)| id == action) else {
                missing.push(format!("{action} ({trigger})"));
                self.keys.board().set(action, None, Some(NOT_GRANTED.to_owned()));
                continue;
            };
            let shown = known.get("trigger_description").and_then(text_of);
            works.push(format!("{} for {action}", shown.clone().unwrap_or(trigger.to_string())));
            self.keys.board().set(action, shown, None);
        }
        if missing.is_empty() {
            self.keys.works(&format!("the desktop has bound {}", works.join(", ")));
        } else {
            self.keys.trouble(&format!("{NOT_GRANTED}: {}", missing.join(", ")));
        }
    }
}

const NOT_GRANTED: &str = "the desktop has not granted the shortcut; allow it in the desktop's \
                           keyboard settings, or restart scrivend to be asked again";

fn gone() -> Ended {
    "the desktop's portal is gone".to_owned()
}

/// A binding as the portal wants it.
fn wanted(bound: &Bound) -> (String, Options<'static>) {
    let about = Options::from([
        ("description", Variant::from(bound.description.clone())),
        ("preferred_trigger", Variant::from(bound.trigger.to_string())),
    ]);
    (bound.action.clone(), about)
}

/// A path, which some portals give as a text.
fn path_of(value: OwnedVariant) -> Option<OwnedObjectPath> {
    match &*value {
        Variant::Str(text) => OwnedObjectPath::try_from(text.as_str()).ok(),
        Variant::ObjectPath(path) => Some(path.to_owned().into()),
        _ => None,
    }
}

fn text_of(value: &OwnedVariant) -> Option<String> {
    <&str>::try_from(value).ok().filter(|text| !text.is_empty()).map(str::to_owned)
}
