#![allow(clippy::print_stdout)]
use std::fs::File; use std::io::Write; use std::collections::BTreeMap; use std::sync::Mutex;
use scriven_audio::file::{FileSource, Pace}; use scriven_audio::{Progress, Source};
static WHERE: Mutex<Option<String>> = Mutex::new(None);
fn read(bytes: &[u8]) -> Result<usize, String> {
    let mut f = tempfile::tempfile().unwrap(); f.write_all(bytes).unwrap();
    let mut s = FileSource::open(f, Pace::AsFast).map_err(|e| e.to_string())?;
    let (mut out, mut n) = (Vec::new(), 0);
    loop { match s.read(&mut out) { Ok(Progress::Ended) => return Ok(n), Ok(_) => {n += out.len(); out.clear(); if n > 16000*600 { return Err("TOO LONG".into()); }}, Err(e) => return Err(e.to_string()) } }
}
fn main() {
    let n: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    std::panic::set_hook(Box::new(|i| { *WHERE.lock().unwrap() = Some(format!("{} {}", i.location().unwrap(), i.payload().downcast_ref::<&str>().map(|s| s.to_string()).or(i.payload().downcast_ref::<String>().cloned()).unwrap_or_default())); }));
    let mut seed = std::env::args().nth(2).and_then(|x| x.parse().ok()).unwrap_or(1u64);
    let mut rnd = move || { seed ^= seed << 13; seed ^= seed >> 7; seed ^= seed << 17; seed };
    for path in std::env::args().skip(3) {
        let orig = std::fs::read(&path).unwrap();
        println!("{path}: plain {:?}", read(&orig));
        let mut panics: BTreeMap<String, u64> = BTreeMap::new(); let (mut ok, mut err, mut slow) = (0, 0, 0.0f64); let mut long = 0;
        for _ in 0..n {
            let mut b = orig.clone();
            if rnd() % 3 == 0 { b.truncate(1 + (rnd() as usize) % b.len()); }
            let reach = if rnd() % 2 == 0 { b.len().min(200) } else { b.len() };
            for _ in 0..1 + rnd() % 8 { let at = rnd() as usize % reach; b[at] = match rnd() % 4 { 0 => 0, 1 => 255, 2 => 0x7f, _ => rnd() as u8 }; }
            let t = std::time::Instant::now();
            match std::panic::catch_unwind(|| read(&b)) { Ok(Ok(_)) => ok += 1, Ok(Err(e)) => { err += 1; if e == "TOO LONG" { long += 1; } }, Err(_) => { *panics.entry(WHERE.lock().unwrap().take().unwrap().replace("/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/", "")).or_default() += 1; } }
            let t = t.elapsed().as_secs_f64(); if t > slow { slow = t; if t > 1.0 { std::fs::write("/tmp/w/fuzzslow", &b).unwrap(); } }
        }
        println!("  ok {ok} err {err} long {long} slowest {slow:.3}"); for (k, v) in panics { println!("  PANIC {v} {k}"); }
    }
}
