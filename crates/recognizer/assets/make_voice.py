#!/usr/bin/env python3
"""Writes Silero's voice detector for 16 kHz in the form that `src/voice.rs` reads.

    python make_voice.py silero_vad_16k_op15.onnx voice.safetensors

The package's own `silero_vad_16k.safetensors` holds an older training; the ONNX files are the ones that the package runs.
What is left out is the windowed Fourier basis, which the program computes. Needs the Python packages numpy, onnx and
safetensors.
"""

import sys

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file

NAMES = {
    "encoder.0.reparam_conv": "conv1",
    "encoder.1.reparam_conv": "conv2",
    "encoder.2.reparam_conv": "conv3",
    "encoder.3.reparam_conv": "conv4",
    "decoder.rnn": "lstm",
    "decoder.decoder.2": "output",
}

tensors = {}
for tensor in onnx.load(sys.argv[1]).graph.initializer:
    name, values = tensor.name.removeprefix("model."), numpy_helper.to_array(tensor)
    for theirs, ours in NAMES.items():
        if name.startswith(theirs + "."):
            tensors[name.replace(theirs, ours)] = np.ascontiguousarray(values, "float32")
save_file(tensors, sys.argv[2], {"source": "silero-vad 6.2.3, silero_vad_16k_op15.onnx"})
for name, values in sorted(tensors.items()):
    print(name, values.shape)
