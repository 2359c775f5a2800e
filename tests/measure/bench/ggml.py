#!/usr/bin/env python3
"""ggml.py MODEL.safetensors TOKENIZER.json f16|q8_0 OUT.bin: weights in the format of Scriven's models → whisper.cpp's.

The file: a magic number, ten sizes and the kind of the numbers; the Mel filters; the vocabulary; then the tensors, each
with its shape (the last dimension first), name and kind. Numbers of 8 bits come in blocks of 32 behind their scale, which
has 16. Vectors, convolutions' biases (as columns) and positions are 32 bits, and kernels of convolutions 16, in any case.
"""
import json
import struct
import sys

import numpy

MAGIC = 0x67676D6C
F32, F16, Q8_0 = 0, 1, 8
# What the header calls a file of this kind; 2000 is the version of the blocks.
FILE_KIND = {"f16": 1, "q8_0": 2007}
BLOCK = 32
N_BINS = 201


def safetensors(path):
    """The description and the tensors, by name."""
    data = open(path, "rb").read()
    (length,) = struct.unpack_from("<Q", data)
    table = json.loads(data[8 : 8 + length])
    about = table.pop("__metadata__")
    tensors = {}
    for name, entry in table.items():
        start, end = (8 + length + at for at in entry["data_offsets"])
        assert entry["dtype"] == "F16", f"{name} is {entry['dtype']}"
        tensors[name] = numpy.frombuffer(data[start:end], numpy.float16).reshape(entry["shape"])
    return json.loads(about["dims"]), tensors


def vocabulary(path):
    """The bytes of each token of text. A tokenizer writes bytes that cannot be printed as letters behind U+0100."""
    table = json.load(open(path, encoding="utf-8"))
    end = next(token["id"] for token in table["added_tokens"] if token["content"] == "<|endoftext|>")
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printed]
    byte_of = {chr(byte): byte for byte in printed} | {chr(0x100 + n): byte for n, byte in enumerate(others)}
    tokens = {id: bytes(byte_of[letter] for letter in token) for token, id in table["model"]["vocab"].items() if id < end}
    return [tokens[id] for id in range(end)]


def mel_filters(n_mels):
    """Triangles over the bins of 0 to 8000 Hz, evenly spread on Slaney's scale and of the same area: [n_mels, N_BINS]."""
    step, knee = 200 / 3, 15
    # Linear up to 1000 Hz, the knee; from there on 27 steps are a factor of 6.4.
    hertz = lambda mel: numpy.where(mel < knee, mel * step, 1000 * 6.4 ** ((mel - knee) / 27))
    corners = hertz(numpy.linspace(0, knee + 27 * numpy.log(8) / numpy.log(6.4), n_mels + 2))
    bins = numpy.linspace(0, 8000, N_BINS)
    low, middle, high = (corners[i : n_mels + i, None] for i in range(3))
    triangles = numpy.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)).clip(0)
    return (triangles * 2 / (high - low)).astype(numpy.float32)


def q8_0(values):
    """Blocks of a scale and 32 numbers."""
    blocks = values.astype(numpy.float32).reshape(-1, BLOCK)
    scales = numpy.abs(blocks).max(1, keepdims=True) / 127
    rounded = numpy.rint(numpy.divide(blocks, scales, out=numpy.zeros_like(blocks), where=scales > 0))
    packed = numpy.empty(len(blocks), [("scale", "<f2"), ("values", "i1", BLOCK)])
    packed["scale"], packed["values"] = scales[:, 0], rounded
    return packed.tobytes()


def encoded(name, values, kind):
    """Shape, number of the kind, and bytes of a tensor."""
    if name.startswith("encoder.conv") and name.endswith(".bias"):
        values = values[:, None]
    elif values.ndim == 3 or values.ndim == 2 and kind == "f16" and "positional" not in name:
        return values.shape, F16, values.tobytes()
    elif values.ndim == 2 and "positional" not in name:
        return values.shape, Q8_0, q8_0(values)
    return values.shape, F32, values.astype(numpy.float32).tobytes()


def write(dims, tensors, tokens, kind, out):
    audio = [dims[f"n_audio_{part}"] for part in ("ctx", "state", "head", "layer")]
    text = [dims[f"n_text_{part}"] for part in ("ctx", "state", "head", "layer")]
    out.write(struct.pack("<12I", MAGIC, dims["n_vocab"], *audio, *text, dims["n_mels"], FILE_KIND[kind]))
    out.write(struct.pack("<2I", dims["n_mels"], N_BINS) + mel_filters(dims["n_mels"]).tobytes())
    out.write(struct.pack("<I", len(tokens)))
    for token in tokens:
        out.write(struct.pack("<I", len(token)) + token)
    for name, values in tensors.items():
        shape, number, data = encoded(name, values, kind)
        title = name.encode()
        out.write(struct.pack(f"<{3 + len(shape)}I", len(shape), len(title), number, *reversed(shape)) + title + data)


if __name__ == "__main__":
    weights, tokenizer, kind, path = sys.argv[1:]
    dims, tensors = safetensors(weights)
    with open(path, "wb") as out:
        write(dims, tensors, vocabulary(tokenizer), kind, out)
