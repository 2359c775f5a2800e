//! Samples → how likely somebody speaks: Silero's voice detector.
//!
//! Runs on the thread that owns it, on the CPU: 20 million multiplications for a second of sound.
//! Its weights are part of the program (`assets/voice.safetensors`).
//!
//! Source: the 16 kHz network of the Python package silero-vad 6.2.3.

use std::f32::consts::TAU;

use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::SafeTensors;

use crate::kernels::{Activation, Conv1d, Linear, Precision};

const WEIGHTS: &[u8] = include_bytes!("../assets/voice.safetensors");

/// Samples of the chunk before that are heard again.
const CONTEXT: usize = 64;
/// Samples that are mirrored behind a chunk.
const MIRRORED: usize = 64;
/// Window of the Fourier transform.
const N_FFT: usize = 256;
/// From one window to the next.
const HOP: usize = 128;
/// Windows in a chunk.
const N_WINDOWS: usize = (CONTEXT + VoiceDetector::CHUNK + MIRRORED - N_FFT) / HOP + 1;
const N_BINS: usize = N_FFT / 2 + 1;
/// Width of the recurrent layer.
const N_STATE: usize = 128;

/// Hears voices. Remembers what it heard, so each stream of samples needs one of its own.
pub struct VoiceDetector {
    /// Windowed cosines and sines: `[N_FFT] → [2 * N_BINS]`.
    fourier: Linear,
    convolutions: [Conv1d; 4],
    /// Input and state of the recurrent layer → its four gates.
    gates: Linear,
    output: Linear,
    context: [f32; CONTEXT],
    /// `[1, 1, N_STATE]` each.
    hidden: Tensor<3>,
    cell: Tensor<3>,
}

impl VoiceDetector {
    /// Samples that are judged at once: 32 ms.
    pub const CHUNK: usize = 512;

    /// Lays out the weights.
    #[expect(clippy::new_without_default, reason = "it computes for a millisecond")]
    pub fn new() -> Self {
        let file = SafeTensors::deserialize(WEIGHTS).expect("the weights are part of the program");
        let read = |name: &str| {
            let tensor = file.tensor(name).expect("the weights are complete");
            tensor.data().as_chunks().0.iter().map(|&x| f32::from_le_bytes(x)).collect::<Vec<_>>()
        };
        let convolution = |name: &str, stride| {
            let [weight, bias] = ["weight", "bias"].map(|part| read(&format!("{name}.{part}")));
            Conv1d::fast(&weight, &bias, stride, Precision::F32)
        };
        let linear = |weight: &[f32], d_input, bias: Option<&[f32]>| {
            Linear::fast(weight, d_input, bias, Precision::F32)
        };
        let gates: Vec<f32> = read("lstm.weight_ih")
            .chunks_exact(N_STATE)
            .zip(read("lstm.weight_hh").chunks_exact(N_STATE))
            .flat_map(|(input, hidden)| [input, hidden].concat())
            .collect();
        let gates_bias: Vec<f32> =
            read("lstm.bias_ih").iter().zip(read("lstm.bias_hh")).map(|(a, b)| a + b).collect();
        let state = Tensor::zeros([1, 1, N_STATE], &Device::flex());
        Self {
            fourier: linear(&fourier(), N_FFT, None),
            convolutions: [("conv1", 1), ("conv2", 2), ("conv3", 2), ("conv4", 1)]
                .map(|(name, stride)| convolution(name, stride)),
            gates: linear(&gates, 2 * N_STATE, Some(&gates_bias)),
            output: linear(&read("output.weight"), N_STATE, Some(&read("output.bias"))),
            context: [0.0; CONTEXT],
            hidden: state.clone(),
            cell: state,
        }
    }

    /// Hears the next chunk; the probability that somebody speaks at its end.
    ///
    /// # Shapes
    ///
    /// - chunk: mono, 16 kHz, −1.0..=1.0
    pub fn push(&mut self, chunk: &[f32; Self::CHUNK]) -> f32 {
        let mut x = self.spectrum(chunk);
        for convolution in &self.convolutions {
            x = convolution.forward(x, Activation::Relu);
        }
        self.remember(x);
        let hidden = self.hidden.clone().clamp_min(0.0);
        let score = self.output.forward(hidden, Activation::None);
        sigmoid(score).into_scalar()
    }

    /// Forgets the stream so far.
    pub fn reset(&mut self) {
        self.context = [0.0; CONTEXT];
        self.hidden = self.hidden.zeros_like();
        self.cell = self.cell.zeros_like();
    }

    /// Magnitudes of a chunk, `[1, N_WINDOWS, N_BINS]`.
    fn spectrum(&mut self, chunk: &[f32; Self::CHUNK]) -> Tensor<3> {
        // What is not a number would be remembered for ever.
        let sound = |x: f32| if x.is_nan() { 0.0 } else { x.clamp(-1.0, 1.0) };
        let chunk = chunk.map(sound);
        let mut sound = [&self.context[..], &chunk].concat();
        self.context.copy_from_slice(&chunk[Self::CHUNK - CONTEXT..]);
        // Without the last sample itself: `… x y z` goes on as `y x …`.
        let end = sound.len() - 1;
        sound.extend_from_within(end - MIRRORED..end);
        sound[end + 1..].reverse();
        let windows: Vec<f32> =
            (0..N_WINDOWS).flat_map(|i| &sound[i * HOP..i * HOP + N_FFT]).copied().collect();
        let windows = TensorData::new(windows, [1, N_WINDOWS, N_FFT]);
        let windows = Tensor::from_data(windows, &self.hidden.device());
        let waves = self.fourier.forward(windows, Activation::None);
        let part = |from| waves.clone().narrow(2, from, N_BINS).square();
        (part(0) + part(N_BINS)).sqrt()
    }

    /// One step of the recurrent layer.
    fn remember(&mut self, x: Tensor<3>) {
        let input = Tensor::cat(vec![x, self.hidden.clone()], 2);
        let gates = self.gates.forward(input, Activation::None);
        let gate = |i| gates.clone().narrow(2, i * N_STATE, N_STATE);
        let kept = sigmoid(gate(1)) * self.cell.clone();
        self.cell = kept + sigmoid(gate(0)) * tanh(gate(2));
        self.hidden = sigmoid(gate(3)) * tanh(self.cell.clone());
    }
}

/// Cosines, then sines, under a periodic Hann window, `[2 * N_BINS, N_FFT]`.
fn fourier() -> Vec<f32> {
    let hann = |i: usize| 0.5 - 0.5 * (TAU * i as f32 / N_FFT as f32).cos();
    let waves = |wave: fn(f32) -> f32| {
        (0..N_BINS * N_FFT).map(move |at| {
            let (k, i) = (at / N_FFT, at % N_FFT);
            hann(i) * wave(TAU * (k * i % N_FFT) as f32 / N_FFT as f32)
        })
    };
    waves(f32::cos).chain(waves(f32::sin)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::parity::skipped;
    use crate::random::noise;

    fn probabilities(detector: &mut VoiceDetector, samples: &[f32]) -> Vec<f32> {
        samples.as_chunks().0.iter().map(|chunk| detector.push(chunk)).collect()
    }

    /// 16-bit samples behind a header of 44 bytes.
    fn jfk() -> Option<Vec<f32>> {
        let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(crate_dir.join("../../tests/data/cache/jfk.wav")).ok()?;
        let samples = bytes[bytes.len() - 2 * 176_000..].as_chunks().0.iter();
        Some(samples.map(|&x| f32::from(i16::from_le_bytes(x)) / 32768.0).collect())
    }

    #[test]
    fn the_detector_computes_what_silero_computes() {
        let Some(samples) = jfk() else {
            return skipped("parity with silero-vad — no recording; run make test");
        };
        let golden = include_str!("../tests/golden/voice_jfk.txt");
        let golden: Vec<f32> = golden.lines().map(|line| line.parse().unwrap()).collect();
        let mut detector = VoiceDetector::new();
        let ours = probabilities(&mut detector, &samples);
        assert_eq!(ours.len(), golden.len());
        for (i, (ours, golden)) in ours.iter().zip(&golden).enumerate() {
            assert!((ours - golden).abs() < 1e-4, "chunk {i}: {ours}, not {golden}");
        }
        detector.reset();
        assert_eq!(probabilities(&mut detector, &samples), ours);
    }

    #[test]
    fn noise_and_silence_are_no_voice() {
        let mut detector = VoiceDetector::new();
        let noise: Vec<f32> =
            std::iter::repeat_with(noise(1)).map(|x| 0.1 * x).take(32_000).collect();
        for samples in [noise, vec![0.0; 32_000]] {
            let heard = probabilities(&mut detector, &samples);
            assert!(heard.iter().all(|&p| p < 0.2), "{heard:?}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_forgotten() {
        let mut detector = VoiceDetector::new();
        for (bad, good) in [(f32::NAN, 0.0), (f32::INFINITY, 1.0), (-1e30, -1.0)] {
            let [bad, good] = [bad, good].map(|x| {
                detector.reset();
                [x, 0.0].map(|x| detector.push(&[x; VoiceDetector::CHUNK]))
            });
            assert_eq!(bad, good);
        }
    }
}
