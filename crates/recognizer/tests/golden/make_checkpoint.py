#!/usr/bin/env python3
"""Writes a Whisper model of one layer as OpenAI saves them, in today's and in the older format.

    python make_checkpoint.py FOLDER
"""

import sys
from pathlib import Path

import torch
from whisper.model import ModelDimensions, Whisper

DIMS = ModelDimensions(
    n_mels=80,
    n_audio_ctx=24,
    n_audio_state=64,
    n_audio_head=1,
    n_audio_layer=1,
    n_vocab=100,
    n_text_ctx=16,
    n_text_state=64,
    n_text_head=1,
    n_text_layer=1,
)
STRIDES = [5, 3, 1]


def main(folder):
    storage = ((torch.arange(1200) * 37 % 251 - 125) / 64).half()
    state = Whisper(DIMS).state_dict()
    order = sorted(state)
    views = {
        name: storage.as_strided(x.shape, STRIDES[-x.dim() :], 11 * order.index(name) % 200)
        for name, x in state.items()
    }
    checkpoint = {"dims": vars(DIMS), "model_state_dict": views}
    torch.save(checkpoint, Path(folder, "checkpoint.pt"))
    torch.save(
        checkpoint, Path(folder, "checkpoint_legacy.pt"), _use_new_zipfile_serialization=False
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
