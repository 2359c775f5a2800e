#!/usr/bin/env bash
# test.sh: the format, what clippy says, and every test, at one desk. It ends with the names of what was skipped and the sum.
#
# One build serves the unit tests, the end-to-end tests and the programs that they run. GPU=0 leaves the Vulkan path out,
# LINT=0 clippy.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target} GPU=${GPU:-1}
workspace=(--workspace)
if [ "$GPU" = 1 ]; then
    workspace+=(--features scriven-service/gpu)
    # Mesa's software rasterizer, so that a run says the same on every machine.
    lavapipe=$(find /usr/share/vulkan/icd.d -name 'lvp_icd*.json' | head -n 1)
    export VK_DRIVER_FILES=${VK_DRIVER_FILES:-$lavapipe}
    # It tries out fewer kernels: software Vulkan takes minutes for all of them, and is no GPU to learn from.
    export CUBECL_AUTOTUNE_LEVEL=${CUBECL_AUTOTUNE_LEVEL:-minimal}
fi

cargo fmt --all --check
# The build is by Clippy's compiler, which says what it has to say as it goes: `cargo clippy` would go over all dependencies
# once more. These are its own ways to ask for that, and for each warning to be an error.
if [ "${LINT:-1}" = 1 ]; then
    export RUSTC_WORKSPACE_WRAPPER=$(rustc --print sysroot)/bin/clippy-driver
    export CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
fi
cargo build "${workspace[@]}" --bins --tests --examples

# One test at a time: real windows, sound and models want the machine, and a busy one makes them late.
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-1}
log=$CARGO_TARGET_DIR/test.log
status=0
tests/scripts/desk.sh cargo test "${workspace[@]}" --no-fail-fast </dev/null 2>&1 | tee "$log" || status=$?

# A test that says SKIPPED counts as passed for cargo, as skipped for us.
awk -v status=$status '
    /^test result: / { passed += $4; failed += $6; skipped += $8 }
    /^test .* \.\.\. ignored/ { named = named "\n  " $2 " (ignored)" }
    /SKIPPED: / { passed--; skipped++; sub(/.*SKIPPED: /, ""); named = named "\n  " $0 }
    END {
        if (named) print "\nSkipped:" named
        if (status && !failed) { print "\nA test program did not end as it should: see above."; failed = 1 }
        printf "\n%d passed, %d failed, %d skipped\n", passed, failed, skipped
    }' "$log"
exit $status
