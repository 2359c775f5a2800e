#!/usr/bin/env python3
"""Writes a block of 32 numbers in each of the kinds that whisper.cpp's `quantize` knows: the number of the kind, the block in
hexadecimal digits, and what the block holds.

    python make_blocks.py >blocks.txt

Needs the Python packages numpy and gguf.
"""

import numpy as np
from gguf import GGMLQuantizationType as Kind
from gguf.quants import dequantize, quantize

values = np.random.default_rng(1).standard_normal((1, 32)).astype("float32")
for kind in (Kind.Q4_0, Kind.Q4_1, Kind.Q5_0, Kind.Q5_1, Kind.Q8_0):
    block = quantize(values, kind)
    print(int(kind), block.tobytes().hex(), *(repr(float(x)) for x in dequantize(block, kind)[0]))
