#!/usr/bin/env python3
"""Writes what openai-whisper's tokenizers make of some difficult texts.

    python make_tokenizer.py OUT.json
"""

import json
import sys
from pathlib import Path

import tiktoken
import whisper
from whisper.tokenizer import get_tokenizer

TEXTS = [
    " And so, my fellow Americans: ask not what your country can do for you.",
    "don't  can't we'll I'd they've it's I'm you're DON'T",
    "  two  leading,   and   inner\tspaces\n\nand lines \n ",
    "   ",
    "\u00a0non-breaking\u2003em\u3000ideographic\r\nspaces\u200bnone",
    "Preis: 1.234,56 € (inkl. 19 % MwSt.), am 03.10.1990 um 08:15 Uhr",
    "Äpfel, Öl & Übermut: Straße, Fuß — „Gänsefüßchen“ ‚einfach‘",
    "L'été, ça déjà vu; où est-ce qu'on naïve l'œuvre ?",
    "¿Qué tal? ¡Mañana será otro día, señor Ñandú!",
    "我们今天去北京。你好吗？ 東京都に行きました！ ภาษาไทยไม่มีช่องว่าง",
    "안녕하세요 세계 Привет, мир! Γειά σου Κόσμε שלום עולם مرحبا بالعالم",
    "नमस्ते दुनिया বাংলা தமிழ் ½ ² ³ Ⅷ ٣ ४",
    "e\u0301 combining a\u0308\u0328 🇩🇪 👩\u200d👩\u200d👧 🤦🏽\u200d♂️ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
    "♪ la la ♪♪ ♪♪♪ ♩♫♬♭♮♯ (( )) [[x]] {{y}} <<< >>> -- --- \"(' 「」『』",
    "snake_case CamelCase HTTP/2 a@b.example x=y+1; #!/bin/sh ~user C:\\dir",
    "<|endoftext|> and <|0.00|> are text here",
    "\x00\x01\x1f\x7f\u0085\ufeff\ufffd\u2028",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen",
    "1234567890123456789012345678901234567890",
    "ſ K Å ǅ ﬁ ﷽",
]
WORDS = [
    ("en", " Well, it's 3.5% (or so) - \"isn't it?\" He said: e.g. this… 🤦🏽 naïve"),
    ("de", " Am 3. Oktober fuhr er nach Köln; „schön“, sagte er."),
    ("zh", "我们今天去北京。你好吗？"),
    ("ja", "東京都に行きました！𠮷野家"),
    ("th", "ภาษาไทย ไม่มี"),
    ("ru", " Привет, мир — хорошо."),
    ("fr", " L'été, ça va ?"),
]


def vocabulary(n_vocab):
    """The numbers for the models with `n_vocab` tokens."""
    multilingual = n_vocab > 51864
    n_languages = n_vocab - 51865 + 99 if multilingual else 99
    get = lambda language: get_tokenizer(
        multilingual, num_languages=n_languages, language=language, task="transcribe"
    )
    t = get("en")
    encode = lambda text: t.encoding.encode(text, disallowed_special=())
    suppressed = {*t.non_speech_tokens, t.transcribe, t.translate, t.sot}
    suppressed |= {t.sot_prev, t.sot_lm, t.no_speech}
    words = []
    for language, text in WORDS:
        # A time in front and behind, and one character cut in two at the end.
        ids = [t.timestamp_begin, *encode(text), t.timestamp_begin + 123, *encode("𠮷")[:1]]
        split = get(language) if multilingual else t
        parts, tokens = split.split_to_word_tokens(ids)
        words.append({"language": language, "ids": ids, "words": parts, "tokens": tokens})
    whole = [i for text in TEXTS for i in encode(text)]
    cut = [whole[at : at + n] for n in (1, 2, 5) for at in range(0, len(whole) - n, 7)]
    # OpenAI's list comes from a set, in any order.
    languages = sorted((t.to_language_token(code), code) for code in t.all_language_codes)
    return {
        "n_vocab": n_vocab,
        "special": {
            name: getattr(t, name)
            for name in "eot sot translate transcribe sot_lm sot_prev no_speech no_timestamps "
            "timestamp_begin".split()
        },
        "languages": [[code, token] for token, code in languages],
        "sot_sequence": get("de").sot_sequence,
        "suppressed": sorted(suppressed),
        "blank": [*encode(" "), t.eot],
        "encoded": [encode(text) for text in TEXTS],
        "decoded": [[ids, t.decode(ids)] for ids in cut],
        "with_timestamps": t.decode_with_timestamps(
            [t.sot, t.timestamp_begin + 54, *encode(" a"), t.eot]
        ),
        "words": words,
    }


def main(out):
    made_with = {"openai-whisper": whisper.__version__, "tiktoken": tiktoken.__version__}
    golden = {
        "made_with": made_with,
        "texts": TEXTS,
        "vocabularies": [vocabulary(n) for n in (51864, 51865, 51866)],
    }
    Path(out).write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
