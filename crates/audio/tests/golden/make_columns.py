#!/usr/bin/env python3
"""Writes columns_80.txt and columns_128.txt: what openai-whisper makes of a signal given by formula.

    pip install openai-whisper==20250625
    python3 make_columns.py

The signal is two seconds of a falling chirp with noise from a linear congruential generator, so that
tests/columns.rs can make the same one without a file. Its samples are exact in 32-bit floats. `log10`
of the filterbank's energies is written before Whisper's clipping, every tenth column on a line.
"""

import pathlib

import numpy as np
import torch
import whisper.audio

N_SAMPLES = 32_000
HERE = pathlib.Path(__file__).parent


def signal() -> np.ndarray:
    """A chirp from 7 kHz down to 100 Hz at 1/4 of full scale, noise 48 dB below, the last 1/4 s silent."""
    state, samples = 1, []
    for i in range(N_SAMPLES):
        state = (state * 1_664_525 + 1_013_904_223) % 2**32
        t = i / 16_000
        chirp = np.sin(2 * np.pi * (7_000 * t - 1_725 * t * t))
        noise = state / 2**31 - 1
        samples.append(0.0 if i >= 28_000 else 0.25 * chirp + 0.001 * noise)
    return (np.round(np.array(samples) * 32_768) / 32_768).astype(np.float32)


def columns(audio: np.ndarray, n_mels: int) -> np.ndarray:
    """whisper.audio.log_mel_spectrogram up to the clipping, computed with 64 bits."""
    samples = torch.from_numpy(audio).double()
    samples = torch.nn.functional.pad(samples, (0, whisper.audio.N_SAMPLES))
    window = torch.hann_window(whisper.audio.N_FFT, dtype=torch.float64)
    stft = torch.stft(
        samples, whisper.audio.N_FFT, whisper.audio.HOP_LENGTH, window=window, return_complex=True
    )
    power = stft[..., :-1].abs() ** 2
    filters = whisper.audio.mel_filters(torch.device("cpu"), n_mels).double()
    log = torch.clamp(filters @ power, min=1e-10).log10()
    clipped = torch.maximum(log, log.max() - 8.0)
    theirs = whisper.audio.log_mel_spectrogram(audio, n_mels, padding=whisper.audio.N_SAMPLES)
    apart = ((clipped + 4.0) / 4.0 - theirs).abs().max().item() * 4
    print(f"{n_mels} bands: 64 bits and whisper's own 32 bits are at most {apart:.1e} apart")
    return log[:, : len(audio) // whisper.audio.HOP_LENGTH].T.numpy()


for n_mels in (80, 128):
    lines = [" ".join(f"{x:.4f}" for x in column) for column in columns(signal(), n_mels)[::10]]
    (HERE / f"columns_{n_mels}.txt").write_text("\n".join(lines) + "\n")
