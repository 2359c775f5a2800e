//! Tiles of 8-bit products on 64-bit Arm.
//!
//! Its instructions multiply numbers that both have a sign or both have none. So weights get 128
//! added too, on the way into a register, and what each sum of a row has too much for it is the
//! same: 128 times the sum of the row.

// Assembly, and functions that are compiled for certain processors, are for unsafe code only.
#![allow(unsafe_code)]

use std::arch::aarch64::*;
use std::arch::{asm, is_aarch64_feature_detected};

use bytemuck::{cast, cast_ref};

use super::super::tile::{ROWS, by_count};
use super::{Sums, Unit, Word, Words};

/// What this processor has, the fastest first.
pub(super) fn found() -> impl Iterator<Item = Unit> {
    let dotprod = is_aarch64_feature_detected!("dotprod");
    dotprod.then_some(Unit::Dotprod).into_iter().chain([Unit::Neon])
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
    let starts = rows.map(|row| start(&row[..panel.len()]));
    // SAFETY: a unit is only ever made by `found`, which has asked the processor.
    match unit {
        Unit::Dotprod => unsafe { dotprod(rows, starts, panel, sums) },
        _ => unsafe { neon(rows, starts, panel, sums) },
    }
}

/// Where the sums of a row start, modulo 2³², so that they end where they should.
fn start(row: &[Word]) -> u32 {
    let sum: u32 = row.as_flattened().iter().map(|&a| u32::from(a)).sum();
    (sum << 7).wrapping_neg()
}

/// Four registers of 4 columns, four times: those of six rows leave eight registers for the rest.
#[target_feature(enable = "dotprod")]
fn dotprod<const R: usize>(
    rows: [&[Word]; R],
    starts: [u32; R],
    panel: &[Words],
    sums: &mut [Sums; ROWS],
) {
    // Here, so that the loop need not look at their ends.
    let rows = rows.map(|row| &row[..panel.len()]);
    let offset = vdupq_n_u8(0x80);
    for strip in 0..4 {
        let mut acc = starts.map(|start| [vdupq_n_u32(start); 4]);
        for (k, words) in panel.iter().enumerate() {
            let words: &[[[i8; 16]; 4]; 4] = cast_ref(words);
            let b = words[strip].map(|b| veorq_u8(cast(b), offset));
            for r in 0..R {
                let a = vreinterpretq_u8_u32(vdupq_n_u32(cast(rows[r][k])));
                for v in 0..4 {
                    acc[r][v] = udot(acc[r][v], a, b[v]);
                }
            }
        }
        for (sums, acc) in sums.iter_mut().zip(acc) {
            let acc: [i32; 16] = cast(acc);
            sums[16 * strip..16 * (strip + 1)].copy_from_slice(&acc);
        }
    }
}

/// Adds the products of four numbers to each sum. The function of `std::arch` is not stable yet.
#[inline]
#[target_feature(enable = "dotprod")]
fn udot(mut sums: uint32x4_t, a: uint8x16_t, b: uint8x16_t) -> uint32x4_t {
    // SAFETY: it changes nothing but the register it names.
    unsafe {
        asm!(
            "udot {sums:v}.4s, {a:v}.16b, {b:v}.16b",
            sums = inout(vreg) sums,
            a = in(vreg) a,
            b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

/// Two registers of 4 columns, eight times. A product fills 16 bits, so that each pair of them
/// is added up into 32 at once, and a column's sum is in two halves.
#[target_feature(enable = "neon")]
fn neon<const R: usize>(
    rows: [&[Word]; R],
    starts: [u32; R],
    panel: &[Words],
    sums: &mut [Sums; ROWS],
) {
    // Here, so that the loop need not look at their ends.
    let rows = rows.map(|row| &row[..panel.len()]);
    let offset = vdupq_n_u8(0x80);
    for strip in 0..8 {
        let mut acc = [[[vdupq_n_u32(0); 2]; 2]; R];
        for (k, words) in panel.iter().enumerate() {
            let words: &[[[i8; 16]; 2]; 8] = cast_ref(words);
            let b = words[strip].map(|b| veorq_u8(cast(b), offset));
            for r in 0..R {
                let a = vreinterpretq_u8_u32(vdupq_n_u32(cast(rows[r][k])));
                for v in 0..2 {
                    let [low, high] = acc[r][v];
                    let products = vmull_u8(vget_low_u8(a), vget_low_u8(b[v]));
                    let more = vmull_high_u8(a, b[v]);
                    acc[r][v] = [vpadalq_u16(low, products), vpadalq_u16(high, more)];
                }
            }
        }
        for ((sums, acc), start) in sums.iter_mut().zip(acc).zip(starts) {
            let start = vdupq_n_u32(start);
            let acc = acc.map(|[low, high]| vaddq_u32(start, vpaddq_u32(low, high)));
            let acc: [i32; 8] = cast(acc);
            sums[8 * strip..8 * (strip + 1)].copy_from_slice(&acc);
        }
    }
}
