//! Tiles of 8-bit products on x86-64.

// Functions that are compiled for certain processors may be called on others only in unsafe code.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use bytemuck::cast;

use super::super::tile::{ROWS, by_count};
use super::{Sums, Unit, Word, Words};

/// What this processor has, the fastest first.
pub(super) fn found() -> impl Iterator<Item = Unit> {
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni");
    let avx2 = is_x86_feature_detected!("avx2");
    let avx = avx2 && is_x86_feature_detected!("avxvnni");
    [(avx512, Unit::Avx512Vnni), (avx, Unit::AvxVnni), (avx2, Unit::Avx2)]
        .into_iter()
        .filter_map(|(is_there, unit)| is_there.then_some(unit))
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
        _ => unsafe { avx2(rows, panel, sums) },
    }
}

/// Four registers of 16 columns.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn avx512_vnni<const R: usize>(rows: [&[Word]; R], panel: &[Words], sums: &mut [Sums; ROWS]) {
    let mut acc = [[_mm512_setzero_si512(); 4]; R];
    for (k, words) in panel.iter().enumerate() {
        let b: [__m512i; 4] = cast(*words);
        for r in 0..R {
            let a = _mm512_set1_epi32(cast(rows[r][k]));
            for v in 0..4 {
                acc[r][v] = _mm512_dpbusd_epi32(acc[r][v], a, b[v]);
            }
        }
    }
    for (sums, acc) in sums.iter_mut().zip(acc) {
        *sums = cast(acc);
    }
}

/// Two registers of 8 columns, four times: there are only 16 registers.
#[target_feature(enable = "avx2,avxvnni")]
fn avx_vnni<const R: usize>(rows: [&[Word]; R], panel: &[Words], sums: &mut [Sums; ROWS]) {
    for strip in 0..4 {
        let mut acc = [[_mm256_setzero_si256(); 2]; R];
        for (k, words) in panel.iter().enumerate() {
            let words: &[[i8; 32]; 8] = bytemuck::cast_ref(words);
            let b: [__m256i; 2] = [cast(words[2 * strip]), cast(words[2 * strip + 1])];
            for r in 0..R {
                let a = _mm256_set1_epi32(cast(rows[r][k]));
                for v in 0..2 {
                    acc[r][v] = _mm256_dpbusd_avx_epi32(acc[r][v], a, b[v]);
                }
            }
        }
        for (sums, acc) in sums.iter_mut().zip(acc) {
            let acc: [i32; 16] = cast(acc);
            sums[16 * strip..16 * (strip + 1)].copy_from_slice(&acc);
        }
    }
}

/// Two registers of 4 columns, eight times. The products of 8 bits would overflow the 16 bits in
/// which AVX2 adds them up, so both sides are widened first.
#[target_feature(enable = "avx2")]
fn avx2<const R: usize>(rows: [&[Word]; R], panel: &[Words], sums: &mut [Sums; ROWS]) {
    for strip in 0..8 {
        let mut acc = [[_mm256_setzero_si256(); 2]; R];
        for (k, words) in panel.iter().enumerate() {
            let words: &[[i8; 16]; 16] = bytemuck::cast_ref(words);
            let b = [
                _mm256_cvtepi8_epi16(cast(words[2 * strip])),
                _mm256_cvtepi8_epi16(cast(words[2 * strip + 1])),
            ];
            for r in 0..R {
                let a = _mm256_cvtepu8_epi16(_mm_set1_epi32(cast(rows[r][k])));
                for v in 0..2 {
                    let products = _mm256_madd_epi16(a, b[v]);
                    acc[r][v] = _mm256_add_epi32(acc[r][v], products);
                }
            }
        }
        for (sums, acc) in sums.iter_mut().zip(acc) {
            // Each column's sum lies in two halves, side by side.
            let halves: [[i32; 2]; 8] = cast(acc);
            for (sum, [a, b]) in sums[8 * strip..8 * (strip + 1)].iter_mut().zip(halves) {
                *sum = a + b;
            }
        }
    }
}
