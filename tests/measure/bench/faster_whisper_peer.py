#!/usr/bin/env python3
"""faster_whisper_peer.py WEIGHTS_FOLDER RECORDING parts|file [RUNS]: faster-whisper, weights and activations in 8 bits.

Greedy, temperature 0, no fallback. `parts`: the encoder alone, without the keys and values of the decoder, which
CTranslate2 computes with the first token; the milliseconds a token as the difference between two searches.
"""
import sys

import ctranslate2
import numpy
from faster_whisper import WhisperModel, decode_audio
from faster_whisper.tokenizer import Tokenizer

import peer

LENGTHS = 256, 512, 1500
FEW = 5
# `max_length` of CTranslate2 is twice the number of new tokens.
ENOUGH = 400


def load(folder):
    return WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=peer.THREADS, num_workers=1)


def transcribe(model, sound, **options):
    segments, _ = model.transcribe(
        sound, language="en", beam_size=1, temperature=0.0, condition_on_previous_text=False, **options
    )
    return list(segments)


def parts(model, recording, runs):
    columns = model.feature_extractor(decode_audio(recording))
    def window(n_ctx):
        missing = max(0, 2 * n_ctx - columns.shape[1])
        padded = numpy.pad(columns[:, : 2 * n_ctx], ((0, 0), (0, missing)))
        return ctranslate2.StorageView.from_array(numpy.ascontiguousarray(padded[None], numpy.float32))

    for n_ctx in LENGTHS:
        columns_of = window(n_ctx)
        peer.say(f"encoder-{n_ctx}", peer.median(runs, lambda: model.model.encode(columns_of)), "ms")
    features = model.model.encode(window(LENGTHS[-1]))
    multilingual = model.model.is_multilingual
    tokenizer = Tokenizer(model.hf_tokenizer, multilingual, task="transcribe", language="en")
    prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
    search = lambda max_length: model.model.generate(features, [prompt], beam_size=1, max_length=max_length)
    tokens = search(ENOUGH)[0].sequences_ids[0]
    few = peer.median(runs, lambda: search(2 * FEW))
    everything = peer.median(runs, lambda: search(ENOUGH))
    # The end of the text is a token too.
    peer.say("token", (everything - few) / (len(tokens) + 1 - FEW), "ms")
    peer.tell(tokenizer.decode(tokens))


if __name__ == "__main__":
    folder, recording, what, runs = (*sys.argv[1:], 9)[:4]
    model = load(folder)
    if what == "parts":
        parts(model, recording, int(runs))
    else:
        text = lambda: "".join(segment.text for segment in transcribe(model, recording))
        peer.measure_file(int(runs), text)
