//! A web server that fails on request: one file, and a script of what happens to each request.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What happens to a request.
#[derive(Clone, Copy)]
pub(super) enum Act {
    /// The file, or the range asked for.
    Serve,
    /// The same, but the connection breaks after so many bytes of the body.
    Cut(usize),
    /// The same, but nothing comes after so many bytes, for as long as a test may last.
    Stall(usize),
    /// So many bytes at a time, slowly.
    Drip(usize),
    /// The whole file, whatever was asked for.
    IgnoreRange,
    Status(u16),
    /// To the same file, by another name.
    Redirect,
}

/// A server on the loopback interface, until the test ends.
pub(super) struct Server {
    pub(super) address: String,
    /// The requests so far, each with its header, in lower case.
    pub(super) requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves `file` under every name. After the last act of the script it always serves.
    pub(super) fn start(file: Vec<u8>, etag: &'static str, script: &[Act]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, file) = (requests.clone(), Arc::new(file));
        let mut script = Vec::from(script).into_iter();
        let serve = move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let request = read(&stream);
                let act = script.next().unwrap_or(Act::Serve);
                seen.lock().unwrap().push(request.clone());
                let file = file.clone();
                // The client going away in the middle is what some tests are about.
                let answer = move || answer(&stream, &request, &file, etag, act).unwrap_or(());
                thread::Builder::new().name("answer".into()).spawn(answer).unwrap();
            }
        };
        thread::Builder::new().name("server".into()).spawn(serve).unwrap();
        Self { address, requests }
    }

    pub(super) fn n_requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    pub(super) fn request(&self, n: usize) -> String {
        self.requests.lock().unwrap()[n].clone()
    }
}

fn read(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let lines: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    lines.join("\n").to_lowercase()
}

fn answer(
    mut stream: &TcpStream,
    request: &str,
    file: &[u8],
    etag: &str,
    act: Act,
) -> std::io::Result<()> {
    let start = match act {
        Act::IgnoreRange => 0,
        _ => range(request, etag),
    };
    let body = &file[start..];
    let (length, total) = (body.len(), file.len());
    match act {
        Act::Status(status) => {
            return write!(
                stream,
                "HTTP/1.1 {status} X\r\ncontent-length: 3\r\nconnection: close\r\n\r\nno\n"
            );
        }
        Act::Redirect => {
            return write!(
                stream,
                "HTTP/1.1 302 X\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\
                 connection: close\r\n\r\n"
            );
        }
        _ if start > 0 => write!(
            stream,
            "HTTP/1.1 206 X\r\ncontent-range: bytes {start}-{}/{total}\r\n",
            total - 1
        )?,
        _ => write!(stream, "HTTP/1.1 200 X\r\n")?,
    }
    write!(stream, "content-length: {length}\r\netag: {etag}\r\nconnection: close\r\n\r\n")?;
    match act {
        Act::Cut(n) => stream.write_all(&body[..n]),
        Act::Stall(n) => {
            stream.write_all(&body[..n])?;
            thread::sleep(Duration::from_secs(5));
            Ok(())
        }
        Act::Drip(n) => body.chunks(n).try_for_each(|drop| {
            thread::sleep(Duration::from_millis(20));
            stream.write_all(drop)
        }),
        _ => stream.write_all(body),
    }
}

/// The byte a request begins at: 0 unless it asks for a range of the version there is.
fn range(request: &str, etag: &str) -> usize {
    let header = |name| request.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    if header("if-range:").is_some_and(|asked| asked != etag) {
        return 0;
    }
    let start = header("range:").and_then(|range| range.strip_prefix("bytes="));
    start.and_then(|range| range.trim_end_matches('-').parse().ok()).unwrap_or(0)
}
