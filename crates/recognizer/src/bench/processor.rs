//! What a processor reaches at its best, for what a model takes to be seen beside it.

use std::time::Instant;

use burn::tensor::{Device, FloatDType, Tensor};

use crate::text_decoder::read;
use crate::{Error, Model};

/// Rows of the matrices that are multiplied on a GPU, and on the CPU.
const ROWS: [usize; 2] = [8192, 1024];
/// Numbers that are copied there: far more than a cache holds.
const NUMBERS: [usize; 2] = [1 << 28, 1 << 24];
/// The best of so many is taken.
const RUNS: usize = 5;

/// Multiplications and additions a second in a product of large matrices, by burn, in the numbers that the model
/// has there.
///
/// # Errors
///
/// A GPU that fails.
pub fn operations_a_second(model: &Model) -> Result<f64, Error> {
    let n = ROWS[usize::from(model.backend() == "cpu")];
    let [a, b] = [0, 1].map(|_| ones(n, n, model.device(), model.float()));
    best(2.0 * (n as f64).powi(3), || a.clone().matmul(b.clone()))
}

/// Bytes that are read and written a second where numbers are added up.
///
/// # Errors
///
/// A GPU that fails.
pub fn bytes_a_second(model: &Model) -> Result<f64, Error> {
    let n = NUMBERS[usize::from(model.backend() == "cpu")];
    let float = model.float();
    let [a, b] = [0, 1].map(|_| ones(1 << 12, n >> 12, model.device(), float));
    let size = if float == FloatDType::F16 { 2.0 } else { 4.0 };
    best(3.0 * size * n as f64, || a.clone() + b.clone())
}

fn ones(rows: usize, columns: usize, device: &Device, float: FloatDType) -> Tensor<2> {
    Tensor::<2>::ones([rows, columns], device).cast(float)
}

/// How much of `amount` is done in a second, at best.
fn best(amount: f64, work: impl Fn() -> Tensor<2>) -> Result<f64, Error> {
    let mut shortest = f64::INFINITY;
    for _ in 0..RUNS {
        let begun = Instant::now();
        // Reading one number waits for all.
        read(work().slice([0..1, 0..1]))?;
        shortest = shortest.min(begun.elapsed().as_secs_f64());
    }
    Ok(amount / shortest)
}
