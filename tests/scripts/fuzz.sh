#!/usr/bin/env bash
# fuzz.sh [TARGET...]: has libFuzzer look for inputs that break what reads files, texts and calls, FUZZ_SECONDS for each
# target of tests/fuzz. It ends with a line for each, and fails if one has found something.
#
# The inputs that were new stay in $CARGO_TARGET_DIR/fuzz and are where the next run begins. An input that breaks something
# is there as well; its name is told, and `fuzz.sh TARGET` with FUZZ_INPUT=FILE runs that one alone.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
seconds=${FUZZ_SECONDS:-60}
work=$CARGO_TARGET_DIR/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=($(basename -s .rs tests/fuzz/fuzz_targets/*.rs))

# Counters in every branch, and a guard around all memory. The stable compiler has both, for those who ask it to be a nightly.
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
    -Cllvm-args=-sanitizer-coverage-stack-depth -Cllvm-args=-simplifycfg-branch-fold-threshold=0
    --cfg fuzzing -Zsanitizer=address -Ccodegen-units=1"
# The versions that the program has; cargo adds the fuzzer's own.
cp Cargo.lock tests/fuzz/Cargo.lock
RUSTC_BOOTSTRAP=1 RUSTFLAGS=$(echo $flags) \
    cargo build --manifest-path tests/fuzz/Cargo.toml --release --target "$host" --bins
built=$CARGO_TARGET_DIR/$host/release

# Inputs are written where nothing waits for a disk.
TMPDIR=$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)
export TMPDIR ASAN_OPTIONS=${ASAN_OPTIONS:-detect_odr_violation=0:quarantine_size_mb=16}
mkdir -p "$work/found"
"$built/seeds" "$work/seeds"

status=0
summary=
for target in "${targets[@]}"; do
    # The longest input that says something new; a model's tables alone are 8 kB.
    case $target in model) longest=16384 ;; state) longest=8192 ;; *) longest=4096 ;; esac
    mkdir -p "$work/corpus/$target"
    log=$work/$target.log
    options=(-rss_limit_mb=2048 -malloc_limit_mb=512 -timeout=20 -max_len=$longest -artifact_prefix="$work/found/$target-")
    if [ -n "${FUZZ_INPUT:-}" ]; then
        exec "$built/$target" "${options[@]}" "$FUZZ_INPUT"
    fi
    if "$built/$target" "${options[@]}" -max_total_time="$seconds" -print_final_stats=1 -verbosity=1 \
        "$work/corpus/$target" "$work/seeds/$target" >"$log" 2>&1; then outcome=nothing; else
        status=1
        outcome=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
        grep -E "panicked|^==|ERROR|SUMMARY" -A2 "$log" | head -n 12 >&2
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1 | cut -d' ' -f2)
    summary+="$(printf '%-12s %10s inputs, %6s edges, found: %s' "$target" "${runs:-?}" "${edges:-?}" "${outcome:-?}")"$'\n'
done
printf '\n%s' "$summary"
exit $status
