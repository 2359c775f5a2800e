//! One HTTP request on a thread: its answer, block by block, through a channel.

use std::io::{self, Read};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use ureq::config::RedirectAuthHeaders;
use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::{Agent, Body, Timeout};

use super::{Patience, Wanted};

/// Bytes of one block.
const BLOCK: usize = 128 << 10;
/// Blocks between the network and the disk.
const QUEUE: usize = 8;
const HOST_NOT_FOUND: &str = "the host was not found";

/// What the network brings. The end of the body closes the channel.
pub(super) enum Arrival {
    /// Once, first.
    Head(Head),
    Block(Vec<u8>),
    /// No answer came; why, in words.
    Unreachable(String),
    /// The body broke off; why, in words.
    Cut(String),
}

/// The part of the answer that matters.
pub(super) struct Head {
    pub(super) status: u16,
    /// Where in the file the body begins.
    pub(super) start: u64,
    /// Bytes of the whole file, where the server tells and the answer is about the file.
    pub(super) total: Option<u64>,
    /// Names this version of the file.
    pub(super) etag: Option<String>,
}

/// What the thread needs of its own.
struct Request {
    agent: Agent,
    url: String,
    token: Option<String>,
    start: u64,
    etag: Option<String>,
    connect: Duration,
}

/// Asks for the file from byte `start` on, provided that it is still the version `etag`.
///
/// Dropping the receiver ends the transfer, at the latest when the next block is due.
pub(super) fn start(
    wanted: &Wanted<'_>,
    start: u64,
    etag: Option<&str>,
    patience: &Patience,
) -> io::Result<Receiver<Arrival>> {
    let request = Request {
        agent: agent(patience),
        url: wanted.url.into(),
        token: wanted.token.map(Into::into),
        start,
        etag: etag.map(Into::into),
        connect: patience.connect,
    };
    let (arrival_tx, arrival_rx) = bounded(QUEUE);
    thread::Builder::new().name("download".into()).spawn(move || request.run(&arrival_tx))?;
    Ok(arrival_rx)
}

fn agent(patience: &Patience) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("scriven/", env!("CARGO_PKG_VERSION")))
        .redirect_auth_headers(RedirectAuthHeaders::SameHost)
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .timeout_recv_response(Some(patience.stall))
        .timeout_per_read(Some(patience.stall))
        .build()
        .into()
}

impl Request {
    /// A failure to send means that the caller has given up.
    fn run(&self, arrivals: &Sender<Arrival>) {
        match self.call() {
            Ok(response) => {
                if arrivals.send(Arrival::Head(head(&response))).is_ok() {
                    pass_on(response.into_body().into_reader(), arrivals);
                }
            }
            Err(error) => {
                arrivals.send(Arrival::Unreachable(self.in_words(&error))).ok();
            }
        }
    }

    fn call(&self) -> Result<Response<Body>, ureq::Error> {
        // Compressed on the way, the bytes of a range would not be those of the file.
        let mut request = self.agent.get(&self.url).header(header::ACCEPT_ENCODING, "identity");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if self.start > 0 {
            request = request.header(header::RANGE, format!("bytes={}-", self.start));
            if let Some(etag) = &self.etag {
                request = request.header(header::IF_RANGE, etag);
            }
        }
        request.call()
    }

    /// Why there was no answer, without ureq's vocabulary.
    fn in_words(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::HostNotFound => HOST_NOT_FOUND.into(),
            ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
                format!("no connection within {} s", self.connect.as_secs_f32())
            }
            ureq::Error::Timeout(_) => "the server took the request and did not answer".into(),
            ureq::Error::Io(error) => io_in_words(error),
            other => other.to_string(),
        }
    }
}

fn io_in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "the connection was refused".into(),
        io::ErrorKind::ConnectionReset => "the connection was reset".into(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            "the network does not reach it".into()
        }
        io::ErrorKind::UnexpectedEof => "the connection was closed early".into(),
        // The standard library has no kind for this one.
        _ if error.to_string().starts_with("failed to lookup address") => HOST_NOT_FOUND.into(),
        _ => error.to_string(),
    }
}

fn head<T>(response: &Response<T>) -> Head {
    let headers = response.headers();
    let (start, total) = match response.status() {
        StatusCode::OK => (0, text(headers, header::CONTENT_LENGTH).and_then(|n| n.parse().ok())),
        StatusCode::PARTIAL_CONTENT => {
            text(headers, header::CONTENT_RANGE).and_then(parse_range).unwrap_or_default()
        }
        _ => (0, None),
    };
    // Only a strong name vouches for every byte, and only such a one may be sent back.
    let etag = text(headers, header::ETAG).filter(|etag| etag.starts_with('"'));
    Head { status: response.status().as_u16(), start, total, etag: etag.map(Into::into) }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// `bytes 100-299/300` → 100, of 300.
fn parse_range(range: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}

fn pass_on(mut body: impl Read, arrivals: &Sender<Arrival>) {
    loop {
        let mut block = vec![0; BLOCK];
        let arrival = match body.read(&mut block) {
            Ok(0) => return,
            Ok(n) => {
                block.truncate(n);
                Arrival::Block(block)
            }
            Err(error) => Arrival::Cut(io_in_words(&error)),
        };
        let is_last = matches!(arrival, Arrival::Cut(_));
        if arrivals.send(arrival).is_err() || is_last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_tells_start_and_size() {
        assert_eq!(parse_range("bytes 100-299/300"), Some((100, Some(300))));
        assert_eq!(parse_range("bytes 100-299/*"), Some((100, None)));
        assert_eq!(parse_range("100-299/300"), None);
    }
}
