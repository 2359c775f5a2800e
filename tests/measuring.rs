//! The scripts of `tests/measure`, where they compute.

use std::process::Command;

use crate::fixture::{project, stderr};

#[test]
fn what_was_measured_becomes_ratios_and_latencies() {
    let output = Command::new("python3")
        .args(["-B", "-m", "unittest", "--verbose", "test_summary"])
        .current_dir(project().join("tests/measure/bench"))
        .output()
        .unwrap();
    let report = stderr(&output);
    assert!(output.status.success(), "{report}");
    assert!(report.contains("Ran 7 tests"), "{report}");
}
