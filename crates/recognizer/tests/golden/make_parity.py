#!/usr/bin/env python3
"""Computes the numbers that our Whisper is compared with, by openai-whisper itself.

    python make_parity.py CTRANSLATE2_FOLDER JFK.wav OUT.json

The model gets the `f16` weights of the CTranslate2 folder and computes in `f32`, so that whatever
differs is ours. README.md says what the fields hold. Needs the package openai-whisper.
"""

import json
import struct
import sys
import wave
from pathlib import Path

import numpy as np
import torch
import whisper
from whisper.audio import N_SAMPLES, log_mel_spectrogram, mel_filters, pad_or_trim
from whisper.decoding import DecodingOptions
from whisper.model import ModelDimensions, Whisper
from whisper.timing import find_alignment
from whisper.tokenizer import get_tokenizer

TYPES = [np.float32, np.int8, np.int16, np.int32, np.float16]
# Columns of log energy kept, and columns of the logits kept beside the twenty highest.
COLUMNS = [0, 1, 2, 50, 333, 500, 777, 1000, 1098, 1099]
# Encoder positions kept: every fiftieth is one a second.
STRIDE, WIDTH = 50, 32
# A window cut to the speech: 1,152 columns, 576 positions.
TRUNCATED = 576


def ctranslate2(path):
    """Reads the variables of a `model.bin`."""
    data, at = Path(path).read_bytes(), 0

    def number(kind):
        nonlocal at
        at += struct.calcsize(kind)
        return struct.unpack_from("<" + kind, data, at - struct.calcsize(kind))[0]

    def name():
        nonlocal at
        length = number("H")
        at += length
        return data[at - length : at - 1].decode()

    variables = {}
    number("I"), name(), number("I")
    for _ in range(number("I")):
        key, shape = name(), [number("I") for _ in range(number("B"))]
        dtype, length = TYPES[number("B")], number("I")
        values = np.frombuffer(data, dtype, length // np.dtype(dtype).itemsize, at)
        variables[key] = torch.tensor(values.reshape(shape).copy())
        at += length
    return variables


def state_dict(ct2):
    """CTranslate2's names → OpenAI's."""
    state = {}

    def affine(ours, theirs, part=slice(None)):
        state[f"{ours}.weight"] = ct2[f"{theirs}/weight"][part]
        if not ours.endswith(".key"):
            state[f"{ours}.bias"] = ct2[f"{theirs}/bias"][part]

    def norm(ours, theirs):
        state[f"{ours}.weight"] = ct2[f"{theirs}/gamma"]
        state[f"{ours}.bias"] = ct2[f"{theirs}/beta"]

    d = len(ct2["encoder/conv1/bias"])
    thirds = [slice(i * d, (i + 1) * d) for i in range(3)]
    for half in "encoder", "decoder":
        state[f"{half}.positional_embedding"] = ct2[f"{half}/position_encodings/encodings"]
        n_layer = sum(k.startswith(half) and k.endswith("ffn/linear_0/bias") for k in ct2)
        for i in range(n_layer):
            ours, theirs = f"{half}.blocks.{i}", f"{half}/layer_{i}"
            for projection, part in zip(("query", "key", "value"), thirds):
                affine(f"{ours}.attn.{projection}", f"{theirs}/self_attention/linear_0", part)
            affine(f"{ours}.attn.out", f"{theirs}/self_attention/linear_1")
            norm(f"{ours}.attn_ln", f"{theirs}/self_attention/layer_norm")
            if half == "decoder":
                affine(f"{ours}.cross_attn.query", f"{theirs}/attention/linear_0")
                affine(f"{ours}.cross_attn.key", f"{theirs}/attention/linear_1", thirds[0])
                affine(f"{ours}.cross_attn.value", f"{theirs}/attention/linear_1", thirds[1])
                affine(f"{ours}.cross_attn.out", f"{theirs}/attention/linear_2")
                norm(f"{ours}.cross_attn_ln", f"{theirs}/attention/layer_norm")
            affine(f"{ours}.mlp.0", f"{theirs}/ffn/linear_0")
            affine(f"{ours}.mlp.2", f"{theirs}/ffn/linear_1")
            norm(f"{ours}.mlp_ln", f"{theirs}/ffn/layer_norm")
    affine("encoder.conv1", "encoder/conv1")
    affine("encoder.conv2", "encoder/conv2")
    norm("encoder.ln_post", "encoder/layer_norm")
    norm("decoder.ln", "decoder/layer_norm")
    state["decoder.token_embedding.weight"] = ct2["decoder/embeddings/weight"]
    return {name: values.float() for name, values in state.items()}


def load(folder):
    """Builds openai-whisper's model, with its own choice of alignment heads."""
    state = state_dict(ctranslate2(folder / "model.bin"))
    layers = lambda half: sum(f"{half}.blocks." in k and k.endswith("mlp_ln.bias") for k in state)
    n_vocab, d = state["decoder.token_embedding.weight"].shape
    dims = ModelDimensions(
        n_mels=state["encoder.conv1.weight"].shape[1],
        n_audio_ctx=len(state["encoder.positional_embedding"]),
        n_audio_state=d,
        n_audio_head=d // 64,
        n_audio_layer=layers("encoder"),
        n_vocab=n_vocab,
        n_text_ctx=len(state["decoder.positional_embedding"]),
        n_text_state=d,
        n_text_head=d // 64,
        n_text_layer=layers("decoder"),
    )
    model = Whisper(dims)
    model.load_state_dict(state)
    name = {384: "tiny", 512: "base"}[d] + ("" if model.is_multilingual else ".en")
    model.set_alignment_heads(whisper._ALIGNMENT_HEADS[name])
    return name, model.eval()


def rounded(x, digits=5):
    return [round(float(v), digits) for v in torch.as_tensor(x).flatten()]


def encode_truncated(encoder, mel, n_ctx):
    """`AudioEncoder.forward` over the first `n_ctx` positions alone."""
    x = torch.nn.functional.gelu(encoder.conv1(mel[..., : 2 * n_ctx]))
    x = torch.nn.functional.gelu(encoder.conv2(x)).permute(0, 2, 1)
    x = x + encoder.positional_embedding[:n_ctx]
    for block in encoder.blocks:
        x = block(x)
    return encoder.ln_post(x)


def features(x):
    """A sample of encoder output `[n_ctx, d]`."""
    return {
        "positions": list(range(0, len(x), STRIDE)),
        "values": [rounded(row[:WIDTH]) for row in x[::STRIDE]],
        "norms": rounded(x.norm(dim=-1), 3),
    }


def rows(logits):
    """The twenty highest of each row, and every 2,500th column."""
    top = logits.topk(20)
    return {
        "top_ids": top.indices.tolist(),
        "top_values": [rounded(row, 4) for row in top.values],
        "columns": list(range(0, logits.shape[-1], 2500)),
        "column_values": [rounded(row[::2500], 4) for row in logits],
        "logsumexp": rounded(logits.logsumexp(-1), 4),
    }


def decode(model, mel, **options):
    result = whisper.decode(model, mel, DecodingOptions(temperature=0, fp16=False, **options))
    return {
        "tokens": result.tokens,
        "text": result.text,
        "language": result.language,
        "avg_logprob": round(result.avg_logprob, 6),
        "no_speech_prob": round(result.no_speech_prob, 8),
        "compression_ratio": round(result.compression_ratio, 6),
    }


def aligned(model, tokenizer, tokens, mel, n_frames):
    """Times of the words, straight from the attention: no merged punctuation, no corrections."""
    words = find_alignment(model, tokenizer, tokens, mel, n_frames)
    return [
        [w.word, w.tokens, round(float(w.start), 2), round(float(w.end), 2),
         round(float(w.probability), 5)]
        for w in words
    ]


def words(model, audio):
    result = model.transcribe(
        audio, language="en", temperature=0, fp16=False, word_timestamps=True, verbose=None
    )
    return [
        {
            "id": segment["id"],
            "start": round(segment["start"], 2),
            "end": round(segment["end"], 2),
            "text": segment["text"],
            "tokens": segment["tokens"],
            "words": [
                [w["word"], round(float(w["start"]), 2), round(float(w["end"]), 2),
                 round(float(w["probability"]), 5)]
                for w in segment["words"]
            ],
        }
        for segment in result["segments"]
    ]


@torch.no_grad()
def main(folder, clip, out):
    name, model = load(Path(folder))
    with wave.open(clip) as file:
        assert (file.getframerate(), file.getnchannels()) == (16000, 1)
        audio = np.frombuffer(file.readframes(file.getnframes()), np.int16) / np.float32(32768)
    tokenizer = get_tokenizer(model.is_multilingual, num_languages=99, language="en", task="transcribe")
    padded = pad_or_trim(audio, N_SAMPLES)
    window = torch.hann_window(400)
    power = torch.stft(torch.from_numpy(padded), 400, 160, window=window, return_complex=True)
    power = power[..., :-1].abs() ** 2
    raw = (mel_filters("cpu", model.dims.n_mels) @ power).clamp(min=1e-10).log10()
    mel = log_mel_spectrogram(padded, model.dims.n_mels)
    xa = model.encoder(mel[None])
    truncated = encode_truncated(model.encoder, mel[None], TRUNCATED)
    timed = decode(model, mel, language="en")
    plain = decode(model, mel, language="en", without_timestamps=True)
    prompt = [*tokenizer.sot_sequence_including_notimestamps]
    forced = [*prompt, *plain["tokens"]]
    logits = lambda xa: model.decoder(torch.tensor([forced]), xa)[0]
    golden = {
        "made_with": {
            "openai-whisper": whisper.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "model": name,
        "dims": vars(model.dims),
        "samples": len(audio),
        "columns": {
            "at": COLUMNS,
            "raw": [rounded(raw[:, i]) for i in COLUMNS],
            "normalized": [rounded(mel[:, i]) for i in COLUMNS],
            "largest_raw": round(raw.max().item(), 6),
        },
        "encoder": features(xa[0]),
        "encoder_truncated": {"n_ctx": TRUNCATED} | features(truncated[0]),
        "forced": {"tokens": forced} | rows(logits(xa)),
        "forced_truncated": {"tokens": forced} | rows(logits(truncated)),
        "greedy": {"timestamps": timed, "without_timestamps": plain},
        "aligned": aligned(model, tokenizer, plain["tokens"], mel, len(audio) // 160),
        "transcribe": words(model, audio),
    }
    if model.is_multilingual:
        _, probabilities = model.detect_language(mel)
        golden["languages"] = {code: round(p, 8) for code, p in probabilities.items()}
        golden["greedy"]["translate_german"] = decode(model, mel, language="de", task="translate")
    # One field a line.
    fields = (f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in golden.items())
    Path(out).write_text("{\n" + ",\n".join(fields) + "\n}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
