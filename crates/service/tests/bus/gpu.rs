//! A GPU that fails in the middle of work.

use std::sync::atomic::Ordering;

use crate::client::{Client, Dict, error_name};
use crate::files::{transcribe, two_utterances, wav};
use crate::fixture::{Fixture, NAME, PATH};

async fn last_error(client: &Client) -> (String, String) {
    client.property(PATH, NAME, "LastError").await
}

#[test]
fn a_gpu_that_fails_while_somebody_speaks_costs_no_word() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        client.until("Backend", "gpu:script").await;
        fixture.speak(2.4, 1.5);
        client.start(Dict::new()).await.unwrap();
        client.signals_until("Partial").await;
        fixture.script.bad_gpu.store(true, Ordering::Relaxed);
        client.until("Backend", "cpu").await;
        let (name, message) = last_error(&client).await;
        assert_eq!(name, format!("{NAME}.Error.GpuUnavailable"));
        assert!(message.starts_with("gpu:script failed: it is too hot; the CPU"), "{message}");
        let (utterance, text, _) = client.signals_until("Final").await.pop().unwrap().text();
        assert_eq!(utterance, 1);
        assert!(text.starts_with("one two three four five six seven"), "{text}");

        fixture.speak(1.0, 1.5);
        let (utterance, text, _) = client.signals_until("Final").await.pop().unwrap().text();
        assert_eq!(utterance, 2, "the session goes on");
        assert!(text.starts_with("one two"), "{text}");
        assert_eq!(client.property::<String>(PATH, NAME, "ModelState").await, "ready");
    });
}

#[test]
fn a_gpu_that_fails_over_the_last_words_costs_none() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        client.until("Backend", "gpu:script").await;
        fixture.script.bad_gpu.store(true, Ordering::Relaxed);
        fixture.speak(1.5, 1.5);
        // Nothing is computed before the utterance ends.
        client.start(Dict::from([("partials", false.into())])).await.unwrap();
        let text = client.signals_until("Final").await.pop().unwrap().text().1;
        assert!(text.starts_with("one two three four"), "{text}");
        client.until("Backend", "cpu").await;
    });
}

#[test]
fn a_recording_goes_on_where_the_gpu_failed() {
    let fixture = Fixture::new();
    fixture.script.bad_gpu.store(true, Ordering::Relaxed);
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        transcribe(&client, wav(&two_utterances()), Dict::new()).await.unwrap();
        let signals = client.signals_until("SessionEnded").await;
        let names: Vec<_> = signals.iter().map(|signal| signal.member.as_str()).collect();
        assert_eq!(names, ["SessionStarted", "Final", "Final", "SessionEnded"]);
        assert_eq!(signals[3].ended().0, "done");
        let when = |at: usize| {
            let (number, _, info) = signals[at].text();
            let time = |key| info[key].downcast_ref::<u64>().unwrap();
            (number, time("start"), time("end"))
        };
        let ((first, _, end), (second, start, until)) = (when(1), when(2));
        assert_eq!((first, second), (1, 2));
        assert!(start > end && start > 1_500_000 && until > start, "{start} {until}");
        assert_eq!(client.property::<String>(PATH, NAME, "Backend").await, "cpu");
    });
}

#[test]
fn a_model_that_cannot_be_loaded_again_is_told() {
    let fixture = Fixture::new();
    zbus::block_on(async {
        let mut client = fixture.connect().await;
        client.until("Backend", "gpu:script").await;
        fixture.script.bad_gpu.store(true, Ordering::Relaxed);
        fixture.script.bad_model.store(true, Ordering::Relaxed);
        fixture.speak(1.5, 1.5);
        client.start(Dict::new()).await.unwrap();
        let signals = client.signals_until("SessionEnded").await;
        assert_eq!(signals.last().unwrap().ended().0, "error");
        client.until("ModelState", "failed").await;
        assert_eq!(error_name(client.start(Dict::new()).await), "Failed");
    });
}
