//! How whole recordings are decoded.

use std::ops::RangeInclusive;

use crate::Error;

/// How much the temperature rises from one attempt to the next.
const TEMPERATURE_STEP: f32 = 0.2;
/// How many texts a search may follow at once: more take longer and hear hardly anything better.
const WIDTHS: RangeInclusive<usize> = 1..=16;

/// How whole recordings are decoded. The defaults are those of OpenAI's program, but for the text of
/// the window before, which feeds loops, and for the beam, which takes its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoding {
    /// The first temperature, 0 to 1: 0 takes the likeliest, more leaves more to chance. Where the
    /// text cannot be right it rises in steps of 0.2 up to 1.
    pub temperature: f32,
    /// How many texts are drawn at a temperature above 0, of which the likeliest is taken.
    pub best_of: usize,
    /// Whether each window is told what was said in the one before.
    pub condition_on_previous_text: bool,
}

impl Default for Decoding {
    fn default() -> Self {
        Self { temperature: 0.0, best_of: 5, condition_on_previous_text: false }
    }
}

impl Decoding {
    /// The temperatures to try, one after the other.
    pub(crate) fn temperatures(&self) -> impl Iterator<Item = f32> {
        let first = self.temperature;
        let n_steps = ((1.0 - first) / TEMPERATURE_STEP + 1e-3).max(0.0) as usize;
        (0..=n_steps).map(move |step| (first + step as f32 * TEMPERATURE_STEP).min(1.0))
    }

    /// Checks each number for itself.
    ///
    /// # Errors
    ///
    /// The first that is out of its range.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if !(0.0..=1.0).contains(&self.temperature) {
            return Err(Error::OutOfRange { name: "temperature", range: "0 to 1" });
        }
        if !WIDTHS.contains(&self.best_of) {
            return Err(Error::OutOfRange { name: "best_of", range: "1 to 16" });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temperatures(temperature: f32) -> Vec<f32> {
        Decoding { temperature, ..Decoding::default() }.temperatures().collect()
    }

    #[test]
    fn temperatures_rise_to_one() {
        let rising = temperatures(0.0);
        let expected = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
        assert_eq!(rising.len(), expected.len());
        assert!(rising.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{rising:?}");
        assert_eq!(temperatures(0.7).len(), 2);
        assert_eq!(temperatures(1.0), [1.0]);
    }

    #[test]
    fn numbers_out_of_range_are_errors_that_name_them() {
        let good = Decoding::default();
        assert!(good.check().is_ok());
        for (bad, name) in [
            (Decoding { temperature: 1.1, ..good.clone() }, "temperature"),
            (Decoding { temperature: f32::NAN, ..good.clone() }, "temperature"),
            (Decoding { best_of: 0, ..good.clone() }, "best_of"),
            (Decoding { best_of: 17, ..good }, "best_of"),
        ] {
            let error = bad.check().unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
        }
    }
}
