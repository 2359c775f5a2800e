#!/usr/bin/env python3
"""whisper_cpp_peer.py WEIGHTS.bin RECORDING parts|file [RUNS]: whisper.cpp by way of pywhispercpp.

Greedy, temperature 0, no fallback. `parts`: the encoder together with the keys and values of the decoder, for whisper.cpp
computes them in one; the milliseconds a token without the choice of the token, which its library leaves to the caller;
the verification of 20 tokens in one pass, which needs more of the library than pywhispercpp hands on.
"""
import ctypes
import glob
import os
import sys
import wave

import _pywhispercpp as library
import numpy
from pywhispercpp.model import Model

import peer

LENGTHS = 256, 512, 1500
DRAFT = 20
# Takes what the library has to say.
SILENT = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)


def text_of(model, recording, **options):
    return " ".join(segment.text.strip() for segment in model.transcribe(recording, **options))


def tokens_of(context):
    """Of the last transcription, without timestamps and marks."""
    end = library.whisper_token_eot(context)
    for segment in range(library.whisper_full_n_segments(context)):
        for at in range(library.whisper_full_n_tokens(context, segment)):
            if (token := library.whisper_full_get_token_id(context, segment, at)) < end:
                yield token


def prompt_of(context):
    english = [library.whisper_token_lang(context, 0), library.whisper_token_transcribe(context)]
    multilingual = library.whisper_is_multilingual(context)
    return [library.whisper_token_sot(context), *(english if multilingual else []), library.whisper_token_not(context)]


def parts(model, path, recording, runs):
    context = model._ctx
    for n_ctx in LENGTHS:
        # A transcription is what sets the length of the window.
        text_of(model, recording, audio_ctx=n_ctx, max_tokens=1)
        encode = lambda: library.whisper_encode(context, 0, peer.THREADS)
        peer.say(f"encoder-keys-{n_ctx}", peer.median(runs, encode), "ms")
    text = text_of(model, recording, audio_ctx=LENGTHS[-1], max_tokens=0, no_timestamps=True)
    tokens, prompt = list(tokens_of(context)), prompt_of(context)

    def step_by_step():
        for at, token in enumerate(tokens):
            library.whisper_decode(context, token, 1, len(prompt) + at, peer.THREADS)

    for at, token in enumerate(prompt):
        library.whisper_decode(context, token, 1, at, peer.THREADS)
    peer.say("token", peer.median(runs, step_by_step) / len(tokens), "ms")
    verify(path, recording, [*prompt, *tokens[:DRAFT]], runs)
    peer.tell(text)


def verify(path, recording, tokens, runs):
    """Some tokens in one pass."""
    found = glob.glob(os.path.join(os.path.dirname(library.__file__), "**", "libwhisper*.so*"), recursive=True)
    if not found:
        print("whisper.cpp: no library to be found, so no verification", file=sys.stderr)
        return
    whisper = ctypes.CDLL(found[0])
    whisper.whisper_log_set(SILENT, None)
    whisper.whisper_init_from_file.restype = ctypes.c_void_p
    context = ctypes.c_void_p(whisper.whisper_init_from_file(path.encode()))
    samples = sound(recording)
    pointer = samples.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    whisper.whisper_pcm_to_mel(context, pointer, len(samples), peer.THREADS)
    whisper.whisper_encode(context, 0, peer.THREADS)
    batch = (ctypes.c_int32 * len(tokens))(*tokens)
    decode = lambda: whisper.whisper_decode(context, batch, len(tokens), 0, peer.THREADS)
    assert decode() == 0
    peer.say("verify-20", peer.median(runs, decode), "ms")


def sound(recording):
    with wave.open(recording) as file:
        return numpy.frombuffer(file.readframes(file.getnframes()), numpy.int16).astype(numpy.float32) / 32768


if __name__ == "__main__":
    path, recording, what, runs = (*sys.argv[1:], 9)[:4]
    options = {"n_threads": peer.THREADS, "language": "en", "temperature_inc": 0.0, "print_progress": False}
    model = Model(path, redirect_whispercpp_logs_to=None, **options)
    if what == "parts":
        parts(model, path, recording, int(runs))
    else:
        peer.measure_file(int(runs), lambda: text_of(model, recording))
