//! Writes what the fuzzer begins with: `seeds FOLDER`, run at the root of the tree, makes
//! `FOLDER/TARGET/NAME`. By code, as far as the tree has no such file already.

use std::fs;
use std::path::PathBuf;

use scriven_fuzz::{expand, shorten};
use scriven_recognizer::fuzzing::samples;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).expect("usage: seeds FOLDER"));
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)
    };
    for (name, bytes) in models() {
        write("model", &name, &bytes)?;
    }
    for (name, bytes) in sounds()? {
        write("sound", &name, &bytes)?;
    }
    for (at, text) in configurations()?.iter().enumerate() {
        write("config", &format!("documented-{at}"), text.as_bytes())?;
    }
    for (at, text) in VOCABULARIES.iter().enumerate() {
        write("vocabulary", &format!("list-{at}"), text.as_bytes())?;
    }
    for (at, text) in STATES.iter().enumerate() {
        write("state", &format!("file-{at}"), text.as_bytes())?;
    }
    for (at, text) in SAID.iter().enumerate() {
        write("writing", &format!("said-{at}"), text.as_bytes())?;
        write("tokens", &format!("said-{at}"), text.as_bytes())?;
    }
    for at in 0..8u8 {
        let bytes: Vec<u8> = (0..200u8).map(|n| n.wrapping_mul(37).wrapping_add(at)).collect();
        write("options", &format!("numbers-{at}"), &bytes)?;
    }
    Ok(())
}

/// Each format alone, and the folders that some come in.
fn models() -> Vec<(String, Vec<u8>)> {
    let mut inputs = Vec::new();
    for (name, bytes) in samples() {
        let short = shorten(&[bytes.clone()]);
        assert_eq!(expand(&short), [&bytes[..]], "{name}");
        inputs.push((name.to_owned(), short));
        if name.starts_with("ctranslate2") || name.starts_with("safetensors") {
            let heads = br#"{"alignment_heads": [[0, 0]]}"#.to_vec();
            inputs.push((format!("{name}-folder"), shorten(&[bytes, heads])));
        }
    }
    let [index, first, second] = scriven_recognizer::fuzzing::shards();
    inputs.push(("shards".into(), shorten(&[index, first, second])));
    inputs
}

/// A sound in each container and coding that can be written in a few lines, and the FLAC of the tests.
fn sounds() -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut sounds = vec![
        ("tone.flac".to_owned(), fs::read("crates/audio/tests/data/tone.flac")?),
        ("ogg".into(), ogg()),
        ("aiff".into(), aiff()),
        ("caf".into(), caf()),
        ("au-like".into(), b".snd\0\0\0\x18\0\0\0\x40\0\0\0\x01\0\0\x1f\x40\0\0\0\x01".to_vec()),
        ("mp4".into(), mp4()),
        ("mkv".into(), mkv()),
        ("adts".into(), adts()),
        ("id3".into(), [b"ID3\x04\0\0\0\0\0\x0aTIT2\0\0\0\0\0\0".as_slice(), &mpeg(0xfb)].concat()),
    ];
    for layer in [0xfb, 0xfd, 0xff] {
        sounds.push((format!("mpeg-{layer:x}"), mpeg(layer)));
    }
    // PCM, Microsoft's ADPCM, floats, A-law, µ-law, IMA's ADPCM, and the extensible form.
    for (tag, bits, block) in [
        (1, 16, 2),
        (1, 8, 1),
        (1, 24, 3),
        (2, 4, 256),
        (3, 32, 4),
        (6, 8, 1),
        (7, 8, 1),
        (17, 4, 256),
    ] {
        sounds.push((format!("wav-{tag}-{bits}"), wav(tag, bits, block)));
    }
    Ok(sounds)
}

fn wav(tag: u16, bits: u16, block: u16) -> Vec<u8> {
    let mut format = Vec::new();
    for number in [tag, 1] {
        format.extend(number.to_le_bytes());
    }
    for number in [16_000u32, 16_000 * u32::from(block)] {
        format.extend(number.to_le_bytes());
    }
    for number in [block, bits] {
        format.extend(number.to_le_bytes());
    }
    if tag == 2 {
        // Samples of a block, and the seven pairs of coefficients.
        format.extend([32, 0, 0xf4, 1, 7, 0]);
        for number in [256i16, 0, 512, -256, 0, 0, 192, 64, 240, 0, 460, -208, 392, -232] {
            format.extend(number.to_le_bytes());
        }
    } else if tag == 17 {
        format.extend([2, 0, 0xf9, 1]);
    }
    let data: Vec<u8> = (0..512u32).map(|at| (at * 7 % 251) as u8).collect();
    let chunk =
        |name: &[u8], body: &[u8]| [name, &(body.len() as u32).to_le_bytes(), body].concat();
    let body = [&b"WAVE"[..], &chunk(b"fmt ", &format), &chunk(b"data", &data)].concat();
    chunk(b"RIFF", &body)
}

fn aiff() -> Vec<u8> {
    let chunk =
        |name: &[u8], body: &[u8]| [name, &(body.len() as u32).to_be_bytes(), body].concat();
    // One channel, 100 frames of 16 bits, 16 kHz as a float of ten bytes.
    let common =
        [&[0, 1, 0, 0, 0, 100, 0, 16][..], &[0x40, 0x0c, 0xfa, 0, 0, 0, 0, 0, 0, 0]].concat();
    let sound = [&[0; 8][..], &[3; 200]].concat();
    chunk(b"FORM", &[&b"AIFF"[..], &chunk(b"COMM", &common), &chunk(b"SSND", &sound)].concat())
}

fn caf() -> Vec<u8> {
    let chunk =
        |name: &[u8], body: &[u8]| [name, &(body.len() as u64).to_be_bytes(), body].concat();
    let mut description = 16_000f64.to_be_bytes().to_vec();
    description.extend(b"lpcm");
    for number in [0u32, 2, 1, 1, 16] {
        description.extend(number.to_be_bytes());
    }
    let data = [&[0; 4][..], &[5; 200]].concat();
    [&b"caff\0\x01\0\0"[..], &chunk(b"desc", &description), &chunk(b"data", &data)].concat()
}

/// Two frames of MPEG audio with nothing in them; `layer` is the second byte of the header.
fn mpeg(layer: u8) -> Vec<u8> {
    let mut frame = vec![0xff, layer, 0x50, 0xc0];
    frame.resize(417, 0);
    frame.repeat(2)
}

/// Two frames of AAC as it is broadcast: one channel, 16 kHz.
fn adts() -> Vec<u8> {
    let frame =
        [0xff, 0xf1, 0x60, 0x40, 0x02, 0x1f, 0xfc, 0x01, 0x18, 0x20, 0x07, 0, 0, 0, 0, 0, 0];
    frame.repeat(2)
}

/// A page with the first header of Vorbis.
fn ogg() -> Vec<u8> {
    let head = b"\x01vorbis\0\0\0\0\x01\x80\x3e\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xb8\x01";
    let mut page = b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01".to_vec();
    page.push(head.len() as u8);
    page.extend(head);
    page
}

/// Boxes of an MP4 file with one track of AAC, and no sound.
fn mp4() -> Vec<u8> {
    let atom = |name: &[u8], body: &[u8]| {
        [&(body.len() as u32 + 8).to_be_bytes()[..], name, body].concat()
    };
    let full = |name: &[u8], body: &[u8]| atom(name, &[&[0; 4], body].concat());
    let esds = full(
        b"esds",
        &[
            3, 25, 0, 1, 0, 4, 17, 0x40, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 2, 0x14, 8,
            6, 1, 2,
        ],
    );
    let mut entry = vec![0; 28];
    (entry[7], entry[17], entry[19], entry[24], entry[25]) = (1, 1, 16, 0x3e, 0x80);
    let mp4a = atom(b"mp4a", &[entry, esds].concat());
    let stbl = atom(
        b"stbl",
        &[
            full(b"stsd", &[&[0, 0, 0, 1][..], &mp4a].concat()),
            full(b"stts", &[0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 4, 0]),
            full(b"stsc", &[0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]),
            full(b"stsz", &[0, 0, 0, 8, 0, 0, 0, 1]),
            full(b"stco", &[0, 0, 0, 1, 0, 0, 2, 0]),
        ]
        .concat(),
    );
    let media = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3e, 0x80, 0, 0, 4, 0, 0x55, 0xc4, 0, 0];
    let mut track = vec![0; 80];
    track[11] = 1;
    let mut movie = vec![0; 96];
    (movie[10], movie[11], movie[95]) = (0x3e, 0x80, 2);
    let mdia = atom(
        b"mdia",
        &[
            full(b"mdhd", &media),
            full(b"hdlr", b"\0\0\0\0soun\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            atom(b"minf", &[full(b"smhd", &[0; 4]), stbl].concat()),
        ]
        .concat(),
    );
    let trak = atom(b"trak", &[full(b"tkhd", &track), mdia].concat());
    let moov = atom(b"moov", &[full(b"mvhd", &movie), trak].concat());
    [atom(b"ftyp", b"M4A \0\0\0\0M4A "), moov, atom(b"mdat", &[0x21; 64])].concat()
}

/// The head of a Matroska file with one track of PCM and one block.
fn mkv() -> Vec<u8> {
    let element = |id: &[u8], body: &[u8]| [id, &[0x40, body.len() as u8], body].concat();
    let head = element(
        b"\x1a\x45\xdf\xa3",
        &[
            element(b"\x42\x82", b"matroska"),
            element(b"\x42\x87", &[4]),
            element(b"\x42\x85", &[2]),
        ]
        .concat(),
    );
    let audio = [
        element(b"\xb5", &16_000f32.to_be_bytes()),
        element(b"\x9f", &[1]),
        element(b"\x62\x64", &[16]),
    ];
    let entry = [
        element(b"\xd7", &[1]),
        element(b"\x73\xc5", &[1]),
        element(b"\x83", &[2]),
        element(b"\x86", b"A_PCM/INT/LIT"),
        element(b"\xe1", &audio.concat()),
    ];
    let tracks = element(b"\x16\x54\xae\x6b", &element(b"\xae", &entry.concat()));
    let block = [&[0x81, 0, 0, 0x80][..], &[9; 40]].concat();
    let cluster =
        element(b"\x1f\x43\xb6\x75", &[element(b"\xe7", &[0]), element(b"\xa3", &block)].concat());
    let info = element(b"\x15\x49\xa9\x66", &element(b"\x2a\xd7\xb1", &[0x0f, 0x42, 0x40]));
    let segment = element(b"\x18\x53\x80\x67", &[info, tracks, cluster].concat());
    [head, segment].concat()
}

/// The blocks of docs/configuration.md.
fn configurations() -> std::io::Result<Vec<String>> {
    let page = fs::read_to_string("docs/configuration.md")?;
    let blocks = page.split("```").skip(1).step_by(2);
    Ok(blocks.filter_map(|block| block.strip_prefix("toml\n")).map(Into::into).collect())
}

const VOCABULARIES: [&str; 4] = [
    "# one a line\nScriven\nGrace Hopper\njay son => JSON\nsign off => Yours,\\n\\tGrace\n",
    "phrase,replacement\n\"a \"\"b\"\"\",c\nd\n",
    "spoken\twritten\nnew mark\t—\n",
    "\u{feff}É\r\nstraße => Straße\r\n",
];

const STATES: [&str; 5] = [
    "{\"id\":1700000000000000,\"text\":\"one\",\"state\":\"undelivered\"}\n\
     {\"id\":1700000000000000,\"state\":\"delivered\",\"backend\":\"x11\"}\n\
     {\"id\":1700000000000001,\"text\":\"two\",\"language\":\"en\",\"state\":\"undone\",\"detail\":\"x\"}\n",
    "{\"bus\":\"bus\",\"players\":[{\"player\":\":1.7\",\"from\":0.8,\"to\":0.2}]}",
    "b7f2c9d0-0000-4000-8000-c0ffee000000\n",
    "tiny.en\n",
    "\x40\0\0\0\0\0\0\0{\"__metadata__\":{\"dims\":\"{\\\"n_vocab\\\":51864}\"},\"a\":{}}         ",
];

const SAID: [&str; 6] = [
    "\0en\nHello comma new line. Scratch that. I'm John, new paragraph, period.",
    "\x1fde\nPunkt Absatz neue Zeile. Komma \"Straße\"",
    "\x07ja\n改行。こんにちは、句点",
    "\x0ffr\nà la ligne « bonjour » virgule point d'interrogation ?",
    "\x03ru\nточка новая строка",
    "\x2atr\nİstanbul ı e\u{301} \u{200d}👩‍👩‍👧 um uh...",
];
