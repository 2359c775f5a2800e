//! A connection to the IBus daemon, from the side of a panel extension. Runs on the thread `ibus`.
//!
//! Every message is taken in the order in which it came: what the daemon says about the focus has
//! been heard when an answer that it sent afterwards is there.

use std::time::{Duration, Instant};

use async_channel::Receiver;
use futures_lite::{StreamExt as _, future};
use zbus::message::{Message, Type};
use zbus::{Connection, MessageStream, OwnedVariant};
use zruntime::SharedRuntime;

use super::focus::Focus;
use super::wire;
use super::{Act, NAME, Order};
use crate::insertion::Target;
use crate::{Error, insertion::ibus::gone};

/// The seat that IBus has for its emoji picker. Whoever owns the name may commit text and show a
/// preedit in the context in focus; the engine and the layout have no part in it.
const EXTENSION: &str = "org.freedesktop.IBus.Panel.Extension.Emoji";
const EXTENSION_PATH: &str = "/org/freedesktop/IBus/Panel/Extension/Emoji";
const PANEL: &str = "org.freedesktop.IBus.Panel";
const CONTEXT: &str = "org.freedesktop.IBus.InputContext";
const IBUS: &str = "org.freedesktop.IBus";
const IBUS_PATH: &str = "/org/freedesktop/IBus";
const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";
/// `REPLACE_EXISTING | DO_NOT_QUEUE`: the picker lets itself be replaced, and gets the name back
/// from the bus as soon as we release it or die.
const TAKE: u32 = 2 | 4;
/// How long the name is kept after the last order, so that an utterance takes it once. While
/// it is ours the picker cannot be opened.
const LEASE: Duration = Duration::from_secs(2);
/// How long the daemon may take to answer.
const ANSWER: Duration = Duration::from_millis(800);
/// Messages of the daemon that wait while an order is carried out.
const QUEUE: std::num::NonZeroUsize = std::num::NonZeroUsize::new(1024).unwrap();

/// What the thread looks at next.
enum Turn {
    Order(Option<Order>),
    Message(Option<zbus::Result<Message>>),
    LeaseEnds,
}

pub(super) struct Session {
    connection: Connection,
    messages: MessageStream,
    runtime: SharedRuntime,
    focus: Focus,
    /// Until when the name is ours; `None`: it is not.
    lease: Option<Instant>,
    /// Until when the daemon may still tell of the focus only because the name is ours now.
    settling: Option<Instant>,
    /// Something is shown at the cursor.
    shown: bool,
}

impl Session {
    /// Connects, and takes away what a predecessor that was killed may have left at the cursor.
    pub(super) async fn open(address: &str) -> zbus::Result<Self> {
        let runtime = SharedRuntime::current()?;
        let builder = zbus::connection::Builder::address(address).max_queued(QUEUE);
        let connection = runtime
            .timeout(ANSWER, builder.build())
            .await
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
        let messages = MessageStream::from(&connection);
        let focus = Focus::default();
        let (lease, settling, shown) = (None, None, false);
        let mut session = Self { connection, messages, runtime, focus, lease, settling, shown };
        for member in ["FocusIn", "FocusOut"] {
            let rule = format!("type='method_call',interface='{CONTEXT}',member='{member}'");
            session.call(BUS, BUS_PATH, BUS, "AddMatch", &rule).await?;
        }
        if session.acquire().await? {
            session.round_trip().await?;
            session.shown = true;
            session.hide().await?;
            session.release().await?;
        }
        Ok(session)
    }

    /// Carries out orders until nobody can give one any more.
    pub(super) async fn run(mut self, orders: &Receiver<Order>) -> zbus::Result<()> {
        loop {
            match self.next(orders).await {
                Turn::Order(Some(order)) => {
                    let done = self.carry_out(order.act).await;
                    let failed = done.as_ref().err().cloned();
                    let answer = done.unwrap_or_else(|error| Err(gone(&error)));
                    // Who asked may have lost patience.
                    order.answer.send(answer).ok();
                    if let Some(error) = failed {
                        return Err(error);
                    }
                }
                Turn::Message(Some(message)) => self.take(&message?).await?,
                Turn::Message(None) => return Ok(()),
                Turn::LeaseEnds => self.release().await?,
                Turn::Order(None) => {
                    self.hide().await?;
                    return self.release().await;
                }
            }
        }
    }

    async fn next(&mut self, orders: &Receiver<Order>) -> Turn {
        let lease = self.lease.filter(|_| !self.shown);
        let runtime = &self.runtime;
        let order = async { Turn::Order(orders.recv().await.ok()) };
        let message = async { Turn::Message(self.messages.next().await) };
        let end = async {
            match lease {
                Some(end) => runtime.sleep_until(end).await,
                None => future::pending().await,
            };
            Turn::LeaseEnds
        };
        future::or(message, future::or(order, end)).await
    }

    /// The outer error is that of the connection.
    async fn carry_out(&mut self, act: Act) -> zbus::Result<Result<Option<Target>, Error>> {
        if !self.acquire().await? {
            let reason = "another program holds the seat of IBus's emoji picker".into();
            return Ok(Err(Error::Unavailable { backend: NAME, reason }));
        }
        self.lease = Some(Instant::now() + LEASE);
        self.round_trip().await?;
        let Some(target) = self.focus.target() else { return Ok(Err(Error::NoTarget)) };
        let text = match act {
            Act::Target => return Ok(Ok(Some(target))),
            Act::Preedit(_) | Act::Insert(_) if target.secret => {
                return Ok(Err(Error::SecretTarget));
            }
            Act::Preedit(text) if !text.is_empty() => {
                return self.show(&text).await.map(|()| Ok(None));
            }
            Act::Preedit(_) => String::new(),
            Act::Insert(text) => text,
        };
        self.hide().await?;
        if !text.is_empty() {
            self.emit("CommitText", &wire::plain(&text)).await?;
        }
        self.round_trip().await?;
        Ok(Ok(None))
    }

    /// Takes the name; the daemon then tells what is in focus. False: it is not to be had.
    async fn acquire(&mut self) -> zbus::Result<bool> {
        const PRIMARY_OWNER: u32 = 1;
        const ALREADY_OWNER: u32 = 4;
        if self.lease.is_some() {
            return Ok(true);
        }
        self.settling = Some(Instant::now() + ANSWER);
        let reply = self.call(BUS, BUS_PATH, BUS, "RequestName", &(EXTENSION, TAKE)).await?;
        if ![PRIMARY_OWNER, ALREADY_OWNER].contains(&reply.body().deserialize()?) {
            return Ok(false);
        }
        self.lease = Some(Instant::now() + LEASE);
        Ok(true)
    }

    async fn release(&mut self) -> zbus::Result<()> {
        if self.lease.take().is_some() {
            self.call(BUS, BUS_PATH, BUS, "ReleaseName", &EXTENSION).await?;
        }
        Ok(())
    }

    fn is_settling(&self) -> bool {
        self.settling.is_some_and(|end| Instant::now() < end)
    }

    async fn show(&mut self, text: &str) -> zbus::Result<()> {
        if !self.shown {
            self.emit("PanelExtension", &wire::extension(true)).await?;
            self.shown = true;
        }
        let body = (wire::underlined(text), wire::length(text), true);
        self.emit("UpdatePreeditTextReceived", &body).await?;
        self.round_trip().await
    }

    async fn hide(&mut self) -> zbus::Result<()> {
        if std::mem::take(&mut self.shown) {
            let body = (wire::plain(""), 0u32, false);
            self.emit("UpdatePreeditTextReceived", &body).await?;
            self.emit("PanelExtension", &wire::extension(false)).await?;
        }
        Ok(())
    }

    /// Takes one message that is no answer.
    async fn take(&mut self, message: &Message) -> zbus::Result<()> {
        let header = message.header();
        let member = header.member().map(|name| name.as_str()).unwrap_or_default();
        let path = header.path().map(|path| path.as_str()).unwrap_or_default();
        match message.message_type() {
            // The last of these come while the name is given back: that the focus has left us as
            // its panel does not mean that it has left the window.
            Type::MethodCall if path == EXTENSION_PATH && self.lease.is_none() => {
                self.connection.reply(&header, &()).await
            }
            Type::MethodCall if path == EXTENSION_PATH => self.answer(message, member).await,
            // Sent by a program to the daemon. While the name is ours, the daemon tells us itself.
            Type::MethodCall if self.lease.is_none() || self.is_settling() => {
                match member {
                    "FocusIn" => self.focus.enter(path),
                    "FocusOut" => self.focus.leave(path),
                    _ => {}
                }
                Ok(())
            }
            Type::Signal if member == "NameLost" => {
                if message.body().deserialize::<&str>()? == EXTENSION {
                    (self.lease, self.shown) = (None, false);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Answers a call of the daemon's to the panel extension.
    async fn answer(&mut self, message: &Message, member: &str) -> zbus::Result<()> {
        let body = message.body();
        match member {
            "FocusIn" => {
                let context: zbus::ObjectPath<'_> = body.deserialize()?;
                self.focus.enter(context.as_str());
                self.settling = None;
            }
            // Meant for the owner before us, who may have been ourselves: no program has said so.
            "FocusOut" if self.is_settling() => {}
            "FocusOut" => {
                let context: zbus::ObjectPath<'_> = body.deserialize()?;
                self.focus.leave(context.as_str());
                // What is shown goes with the focus, or the next window would get it.
                self.hide().await?;
            }
            "ContentType" => self.focus.set_purpose(body.deserialize::<(u32, u32)>()?.0),
            // What the user's engine commits while we show something comes to us: it goes on.
            "CommitTextReceived" => {
                let text: OwnedVariant = body.deserialize()?;
                self.emit("CommitText", &text).await?;
            }
            // And so do the keys: none is for us.
            "ProcessKeyEvent" => return self.connection.reply(&message.header(), &false).await,
            _ => {}
        }
        self.connection.reply(&message.header(), &()).await
    }

    /// Returns when the daemon has done all that was said before.
    async fn round_trip(&mut self) -> zbus::Result<()> {
        let property = (IBUS, "CurrentInputContext");
        let get = self.call(IBUS, IBUS_PATH, "org.freedesktop.DBus.Properties", "Get", &property);
        match get.await {
            // "No focused input context" is an answer as well.
            Ok(_) | Err(zbus::Error::MethodError(..) | zbus::Error::FDO(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn emit<B>(&self, signal: &str, body: &B) -> zbus::Result<()>
    where
        B: serde::Serialize + zbus::DynamicType,
    {
        self.connection.emit_signal(None::<&str>, EXTENSION_PATH, PANEL, signal, body).await
    }

    /// Calls a method and takes every message that comes before its answer.
    async fn call<B>(
        &mut self,
        destination: &str,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
    ) -> zbus::Result<Message>
    where
        B: serde::Serialize + zbus::DynamicType,
    {
        let call = Message::method_call(path, method)
            .destination(destination)
            .interface(interface)
            .build(body)?;
        let serial = call.primary_header().serial_num();
        let end = Instant::now() + ANSWER;
        self.connection.send(&call).await?;
        loop {
            let message = self.runtime.timeout_at(end, self.messages.next()).await;
            let message =
                message.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))?;
            let message = message.ok_or(std::io::Error::from(std::io::ErrorKind::BrokenPipe))??;
            if message.header().reply_serial() != Some(serial) {
                Box::pin(self.take(&message)).await?;
            } else if message.message_type() == Type::Error {
                return Err(message.into());
            } else {
                return Ok(message);
            }
        }
    }
}
