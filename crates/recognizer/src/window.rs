//! Columns as they arrive → the window that the encoder takes.
//!
//! Columns are raw log₁₀ energies. Whisper's dynamic-range step looks at the loudest value of the
//! whole window, so it is taken here, anew for each window.
//!
//! Source: `log_mel_spectrogram` and `pad_or_trim` in openai/whisper, `whisper/audio.py` at c0d2f62.

use burn::tensor::{Device, Tensor, TensorData};

/// Columns in a second.
pub(crate) const COLUMNS_PER_SECOND: usize = 100;
/// Columns behind one position of the encoder.
pub(crate) const COLUMNS_PER_POSITION: usize = 2;
/// The longest window, 30 seconds, in positions of the encoder.
pub(crate) const MAX_POSITIONS: usize = 1_500;
/// The longest window in columns.
pub(crate) const MAX_COLUMNS: usize = MAX_POSITIONS * COLUMNS_PER_POSITION;

/// Energies more than this below the loudest are cut off, in log₁₀.
const DYNAMIC_RANGE: f32 = 8.0;
/// log₁₀ energy of digital silence.
const SILENCE: f32 = -10.0;

/// What stands behind the last column, up to the length of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    /// Digital silence, as if zeros had been recorded: for live sound.
    Silence,
    /// The value 0.0 after scaling, as OpenAI's `transcribe` does: for whole recordings.
    Zero,
}

/// Scales columns as Whisper does and lays them out as the encoder takes them.
///
/// `loudest` is the largest value of the sound the columns are part of.
///
/// # Shapes
///
/// - columns: `[n_frames, n_mels]`, log₁₀ energy
/// - output: `[1, 2 * n_ctx, n_mels]`
pub(crate) fn window(
    columns: &[f32],
    n_mels: usize,
    n_ctx: usize,
    loudest: f32,
    padding: Padding,
    device: &Device,
) -> Tensor<3> {
    let n_frames = n_ctx * COLUMNS_PER_POSITION;
    let scale = |x: f32| (x.max(loudest - DYNAMIC_RANGE) + 4.0) / 4.0;
    let empty = match padding {
        Padding::Silence => scale(SILENCE),
        Padding::Zero => 0.0,
    };
    let mut window = vec![empty; n_frames * n_mels];
    for (into, x) in window.iter_mut().zip(columns) {
        *into = scale(*x);
    }
    Tensor::from_data(TensorData::new(window, [1, n_frames, n_mels]), device)
}

/// The largest value of some columns; digital silence has −10.
pub(crate) fn loudest(columns: &[f32]) -> f32 {
    columns.iter().copied().fold(SILENCE, f32::max)
}

/// Lengths that the encoder is run at, in positions.
pub(crate) const BUCKETS: [usize; 14] =
    [96, 128, 192, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280, MAX_POSITIONS];

/// The same for a GPU, which takes longer to get used to a length than it saves by a shorter one.
pub(crate) const GPU_BUCKETS: [usize; 3] = [512, 1024, MAX_POSITIONS];

/// The shortest of `buckets` that holds `n_columns` and `pad` positions of silence behind them.
pub(crate) fn bucket(buckets: &[usize], n_columns: usize, pad: usize) -> usize {
    let needed = n_columns.div_ceil(COLUMNS_PER_POSITION) + pad;
    buckets.iter().copied().find(|&n_ctx| n_ctx >= needed).unwrap_or(MAX_POSITIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_the_columns_and_the_pad() {
        for buckets in [&BUCKETS[..], &GPU_BUCKETS] {
            for n_columns in 0..=MAX_COLUMNS {
                let n_ctx = bucket(buckets, n_columns, 64);
                assert!(n_ctx * COLUMNS_PER_POSITION >= n_columns);
                assert!(n_ctx == MAX_POSITIONS || n_ctx - n_columns.div_ceil(2) >= 64);
            }
        }
    }

    #[test]
    fn silence_is_cut_off_eight_below_the_loudest() {
        let columns = [2.0, -10.0, -3.0, -4.0];
        let device = Device::flex();
        let scaled = window(&columns, 2, 2, loudest(&columns), Padding::Silence, &device);
        let scaled = scaled.try_into_vec_as::<f32>().unwrap();
        assert_eq!(scaled, [1.5, -0.5, 0.25, 0.0, -0.5, -0.5, -0.5, -0.5]);
    }

    #[test]
    fn padding_by_zero_is_zero_after_scaling() {
        let scaled = window(&[2.0], 1, 1, 2.0, Padding::Zero, &Device::flex());
        assert_eq!(scaled.try_into_vec_as::<f32>().unwrap(), [1.5, 0.0]);
    }
}
