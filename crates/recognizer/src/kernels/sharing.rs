//! How the cores share the work of a layer.

use super::tile::ROWS;

/// Multiplications below which a second core costs more than it brings.
pub(super) const WORTH: usize = 1 << 19;
/// Shares of the work for each core, so that none waits long for another.
const SHARES: usize = 4;

/// Whether `n` rows are enough for each core to have some. The weights of a layer are then read by each
/// core; a few rows are better off when the cores share the weights.
pub(super) fn by_rows(n: usize) -> bool {
    n >= 2 * rayon::current_num_threads() * ROWS
}

/// How many of `n` rows make a share: whole tiles, and `max` rows at most.
pub(super) fn rows(n: usize, max: usize) -> usize {
    n.div_ceil(rayon::current_num_threads() * SHARES).next_multiple_of(ROWS).min(max)
}

/// How many of `n` panels make a share.
pub(super) fn panels(n: usize) -> usize {
    n.div_ceil(rayon::current_num_threads() * SHARES)
}
