//! The GPU path, on Mesa's lavapipe where there is no GPU.

use crate::fixture::{Room, skipped, stderr, stdout};
use crate::hearing::property;
use crate::speech::{assert_heard, sentence};

#[test]
fn a_recording_is_transcribed_on_vulkan() {
    if std::env::var("GPU").as_deref() != Ok("1") {
        return skipped("transcription on Vulkan", "built without the feature gpu (GPU=0)");
    }
    // Software Vulkan compiles and tunes for minutes before it says the first word.
    if std::env::var("SLOW").as_deref() != Ok("1") {
        return skipped("transcription on Vulkan", "slow; SLOW=1 runs it");
    }
    let room = Room::new();
    room.configure("compute = \"llvmpipe\"\n");
    // It is asked while it still warms up.
    let _daemon = room.daemon();
    let (sound, said) = sentence();
    let output = room.scriven(&["transcribe", sound.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_heard(said, &stdout(&output));
    let backend: String = property(&room.connect(), "Backend").try_into().unwrap();
    assert!(backend.starts_with("gpu"), "{backend}");
}
