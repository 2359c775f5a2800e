//! Tiles of 8-bit products on x86-64.

// Functions that are compiled for certain processors may be called on others only in unsafe code.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use bytemuck::cast;

use super::super::tile::{ROWS, by_count};
use super::{Sums, Unit, Word, Words};

/// What this processor has, the fastest first.
pub(super) fn found() -> impl Iterator<Item = Unit> {
    let avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
    let vnni = avx512 && is_x86_feature_detected!("avx512vnni");
    let avx2 = is_x86_feature_detected!("avx2");
    let avx_vnni = avx2 && is_x86_feature_detected!("avxvnni");
    let units = [
        (vnni, Unit::Avx512Vnni),
        (avx_vnni, Unit::AvxVnni),
        (avx512, Unit::Avx512),
        (avx2, Unit::Avx2),
    ];
    units.into_iter().filter_map(|(is_there, unit)| is_there.then_some(unit))
}

/// As [`Unit::tile`].
pub(super) fn tile(unit: Unit, rows: &[&[Word]], panel: &[Words], sums: &mut [Sums; ROWS]) {
    by_count!(rows, few => tile_of(unit, few, panel, sums));
}

fn tile_of<const R: usize>(
    unit: Unit,
    rows: [&[Word]; R],
    panel: &[Words],
    sums: &mut [Sums; ROWS],
) {
    let rows = rows.map(|row| &row[..panel.len()]);
    // SAFETY: a unit is only ever made by `found`, which has asked the processor.
    match unit {
        Unit::Avx512Vnni => unsafe { avx512_vnni(rows, panel, sums) },
        Unit::AvxVnni => unsafe { avx_vnni(rows, panel, sums) },
        Unit::Avx512 => unsafe { avx512(rows, panel, sums) },
        _ => unsafe { avx2(rows, panel, sums) },
    }
}

/// A tile that adds up with `$dot`: four registers of 16 columns.
macro_rules! of_512_bits {
    ($name:ident, $dot:ident, $features:literal) => {
        #[target_feature(enable = $features)]
        fn $name<const R: usize>(rows: [&[Word]; R], panel: &[Words], sums: &mut [Sums; ROWS]) {
            let mut acc = [[_mm512_setzero_si512(); 4]; R];
            for (k, words) in panel.iter().enumerate() {
                let b: [__m512i; 4] = cast(*words);
                for r in 0..R {
                    let a = _mm512_set1_epi32(cast(rows[r][k]));
                    for v in 0..4 {
                        acc[r][v] = $dot(acc[r][v], a, b[v]);
                    }
                }
            }
            for (sums, acc) in sums.iter_mut().zip(acc) {
                *sums = cast(acc);
            }
        }
    };
}

/// The same with two registers of 8 columns, four times: there are only 16 registers.
macro_rules! of_256_bits {
    ($name:ident, $dot:ident, $features:literal) => {
        #[target_feature(enable = $features)]
        fn $name<const R: usize>(rows: [&[Word]; R], panel: &[Words], sums: &mut [Sums; ROWS]) {
            for strip in 0..4 {
                let mut acc = [[_mm256_setzero_si256(); 2]; R];
                for (k, words) in panel.iter().enumerate() {
                    let words: &[[i8; 32]; 8] = bytemuck::cast_ref(words);
                    let b: [__m256i; 2] = [cast(words[2 * strip]), cast(words[2 * strip + 1])];
                    for r in 0..R {
                        let a = _mm256_set1_epi32(cast(rows[r][k]));
                        for v in 0..2 {
                            acc[r][v] = $dot(acc[r][v], a, b[v]);
                        }
                    }
                }
                for (sums, acc) in sums.iter_mut().zip(acc) {
                    let acc: [i32; 16] = cast(acc);
                    sums[16 * strip..16 * (strip + 1)].copy_from_slice(&acc);
                }
            }
        }
    };
}

of_512_bits!(avx512_vnni, _mm512_dpbusd_epi32, "avx512f,avx512bw,avx512vnni");
of_512_bits!(avx512, dot_512, "avx512f,avx512bw");
of_256_bits!(avx_vnni, _mm256_dpbusd_avx_epi32, "avx2,avxvnni");
of_256_bits!(avx2, dot_256, "avx2");

/// As `_mm512_dpbusd_epi32`, for weights whose products add up within 16 bits.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn dot_512(acc: __m512i, a: __m512i, b: __m512i) -> __m512i {
    let pairs = _mm512_maddubs_epi16(a, b);
    _mm512_add_epi32(acc, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)))
}

/// The same of half the width.
#[target_feature(enable = "avx2")]
#[inline]
fn dot_256(acc: __m256i, a: __m256i, b: __m256i) -> __m256i {
    let pairs = _mm256_maddubs_epi16(a, b);
    _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
}
