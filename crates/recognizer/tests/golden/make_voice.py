#!/usr/bin/env python3
"""Writes how much of a voice Silero's own network hears in each chunk of a recording, one number a line.

    python make_voice.py silero_vad_16k_op15.onnx jfk.wav >voice_jfk.txt

Needs the Python packages numpy and onnxruntime; the network is that of the package silero-vad 6.2.3.
"""

import sys
import wave

import numpy as np
import onnxruntime

with wave.open(sys.argv[2]) as file:
    samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype("float32") / 32768
session = onnxruntime.InferenceSession(sys.argv[1])
state, context = np.zeros((2, 1, 128), "float32"), np.zeros(64, "float32")
for start in range(0, len(samples) - 511, 512):
    chunk = samples[start : start + 512]
    inputs = {"input": np.concatenate([context, chunk])[None], "state": state, "sr": np.array(16000)}
    probability, state = session.run(None, inputs)
    context = chunk[-64:]
    print(f"{probability[0, 0]:.6f}")
