//! The model of random numbers on a GPU, as far as software Vulkan is one.

use super::*;
use crate::parity::skipped;
use crate::{Options, Recognizer};

#[test]
fn a_gpu_computes_what_the_cpu_computes() {
    let gpu = model(&Compute::Named("llvmpipe".into()));
    if let Some(reason) = gpu.fallback() {
        skipped(&format!("the random model on Vulkan — {reason}"));
        return;
    }
    let cpu = model(&Compute::Cpu);
    let off = deviation(&logits(&gpu, &[5, 3]), &logits(&cpu, &[5, 3]));
    assert!(off < 1e-2, "the GPU is off by {off}");
    assert_eq!(search(&gpu, &[]).tokens, search(&cpu, &[]).tokens);
}

/// Software Vulkan takes minutes for each shape, so only where `SLOW` is 1.
#[test]
fn nothing_is_tuned_nor_compiled_while_somebody_speaks() {
    if std::env::var("SLOW").as_deref() != Ok("1") {
        return skipped("the whole warm-up on Vulkan — slow; SLOW=1 runs it");
    }
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    if !crate::compute::log_what_is_compiled(&log) {
        return skipped("the whole warm-up on Vulkan — another test of this process came first");
    }
    let model = model(&Compute::Named("llvmpipe".into()));
    if let Some(reason) = model.fallback() {
        return skipped(&format!("the whole warm-up on Vulkan — {reason}"));
    }
    model.warm_up(WarmUp::Everything, &mut |_, _| ()).unwrap();
    let size = || {
        // Written by a thread of its own.
        std::thread::sleep(std::time::Duration::from_secs(2));
        fs::metadata(&log).unwrap().len()
    };
    let before = size();
    assert!(before > 0, "nothing was logged");
    let mut recognizer = Recognizer::new(model, Options::default()).unwrap();
    for second in columns().chunks(100 * DIMS.n_mels).cycle().take(12) {
        second.chunks_exact(DIMS.n_mels).for_each(|column| recognizer.push(column));
        recognizer.step().unwrap();
    }
    recognizer.finish().unwrap();
    assert!(size() >= before);
    let log = fs::read_to_string(&log).unwrap();
    let new = &log[before as usize..];
    assert!(!new.contains("Tuning") && !new.contains("Compiling kernel"), "{new}");
}
