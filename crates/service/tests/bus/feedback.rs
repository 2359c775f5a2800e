//! What the user hears and sees: messages where something went wrong, cues, players that are silent.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use scriven_audio::cue::Cue;
use scriven_service::config::Config;
use zruntime::SharedRuntime;

use crate::client::{Client, Dict};
use crate::delivery::{dictate, eventually, stop};
use crate::fixture::{Fixture, PATH};

mod desk;

use desk::{Message, Player, Server};

fn configured(feedback: &str) -> Fixture {
    let text = format!("[feedback]\n{feedback}\n");
    Fixture::configured(Config::parse(&text, Path::new("config.toml")).unwrap())
}

/// Says something that no window takes, and tells what it was.
async fn say_in_vain(fixture: &Fixture, client: &mut Client) -> String {
    fixture.script.window.refuses.store(true, Ordering::Relaxed);
    fixture.speak(1.0, 1.5);
    let session = dictate(client).await;
    let signals = client.signals_until("Delivered").await;
    stop(client, &session).await;
    client.signals_until("SessionEnded").await;
    signals.iter().find(|signal| signal.member == "Final").unwrap().text().1
}

/// The message with this summary, once it is there.
async fn message(server: &Server, summary: &str) -> Message {
    let find = || server.messages().into_iter().find(|message| message.summary == summary);
    eventually("it is shown", || find().is_some()).await;
    find().unwrap()
}

async fn listen(client: &Client, source: &str) -> String {
    let session = client.start(Dict::from([("source", source.into())])).await.unwrap();
    client.until("State", "listening").await;
    session
}

/// Long enough for whatever would be wrong to happen.
async fn a_while() {
    SharedRuntime::current().unwrap().sleep(Duration::from_millis(400)).await;
}

#[test]
fn what_was_not_inserted_is_told_and_a_button_inserts_it() {
    let fixture = configured("");
    zbus::block_on(async {
        let server = Server::start(&fixture.address).await;
        let mut client = fixture.connect().await;
        let said = say_in_vain(&fixture, &mut client).await;
        let told = message(&server, "Text kept, not inserted").await;
        assert_eq!(told.actions, ["again", "Insert again"]);
        assert_eq!(
            told.body,
            "The window takes no text; try it again. \"scriven redeliver\" inserts it."
        );
        // Of another program, or the click that only opens a message.
        server.press(told.id + 7, "again").await;
        server.press(told.id, "default").await;
        fixture.script.window.refuses.store(false, Ordering::Relaxed);
        a_while().await;
        assert_eq!(fixture.script.window.text(), "");
        server.press(told.id, "again").await;
        eventually("the text is inserted", || fixture.script.window.text() == said).await;
        eventually("the message is gone", || server.closed() == [told.id]).await;
    });
}

#[test]
fn a_button_that_does_not_help_says_so() {
    let fixture = configured("");
    zbus::block_on(async {
        let server = Server::start(&fixture.address).await;
        let mut client = fixture.connect().await;
        say_in_vain(&fixture, &mut client).await;
        let told = message(&server, "Text kept, not inserted").await;
        fixture.script.window.secret.store(true, Ordering::Relaxed);
        server.press(told.id, "again").await;
        eventually("it is told again", || server.messages().len() == 2).await;
        let again = &server.messages()[1];
        assert_eq!(again.replaces, told.id);
        assert!(again.body.starts_with("The field in focus is for passwords"), "{again:?}");
        assert_eq!(again.actions, told.actions);
    });
}

#[test]
fn a_flood_is_one_message_and_none_holds_what_was_said() {
    let fixture = configured("");
    zbus::block_on(async {
        let server = Server::start(&fixture.address).await;
        let mut client = fixture.connect().await;
        let mut said = Vec::new();
        for _ in 0..3 {
            said.push(say_in_vain(&fixture, &mut client).await);
            message(&server, "Text kept, not inserted").await;
        }
        let messages = server.messages();
        assert!(messages.iter().all(|message| message.id == messages[0].id), "{messages:?}");
        let shown = format!("{messages:?}");
        assert!(said.iter().all(|said| !said.is_empty() && !shown.contains(said.as_str())));
        // Its button is that of the last text.
        fixture.script.window.refuses.store(false, Ordering::Relaxed);
        eventually("the last one is told", || server.messages().len() == 3).await;
        server.press(messages[0].id, "again").await;
        eventually("the text is inserted", || fixture.script.window.text() == said[2]).await;
    });
}

#[test]
fn a_microphone_that_does_not_open_or_breaks_is_told() {
    let fixture = configured("sounds = true");
    zbus::block_on(async {
        let server = Server::start(&fixture.address).await;
        let mut client = fixture.connect().await;
        fixture.script.no_device.store(true, Ordering::Relaxed);
        client.call::<_, ()>(PATH, "Press", &("dictate", Dict::new())).await.unwrap_err();
        let told = message(&server, "The microphone does not work").await;
        assert!(told.body.starts_with("No source is called") && told.actions.is_empty());
        fixture.script.no_device.store(false, Ordering::Relaxed);
        listen(&client, "default").await;
        fixture.script.broken_device.store(true, Ordering::Relaxed);
        client.signals_until("SessionEnded").await;
        eventually("the next is told", || server.messages().len() == 2).await;
        assert_eq!(server.messages()[1].replaces, told.id);
        let cues = || fixture.script.cues.lock().unwrap().clone();
        eventually("both are heard", || cues().last() == Some(&Cue::Failed)).await;
        assert_eq!(cues()[0], Cue::Failed);
    });
}

#[test]
fn a_key_without_a_model_and_a_model_that_does_not_load_are_told() {
    let bare = Fixture::bare();
    zbus::block_on(async {
        let server = Server::start(&bare.address).await;
        let client = bare.connect().await;
        // Whoever asks as a program has the answer.
        client.start(Dict::new()).await.unwrap_err();
        client.call::<_, ()>(PATH, "Press", &("dictate", Dict::new())).await.unwrap_err();
        let told = message(&server, "Dictation does not work").await;
        assert!(told.body.contains("scriven model pull"), "{told:?}");
        assert_eq!(server.messages().len(), 1);
    });
    let loading = Fixture::loading();
    zbus::block_on(async {
        let server = Server::start(&loading.address).await;
        loading.script.bad_model.store(true, Ordering::Relaxed);
        loading.script.loaded.store(true, Ordering::Relaxed);
        message(&server, "The model cannot be loaded").await;
    });
}

#[test]
fn a_key_that_nobody_can_watch_is_told() {
    let text =
        "[shortcut]\nway = \"evdev\"\n[[action]]\nname = \"dictate\"\ntrigger = \"HYPER+q\"\n";
    let config = Config::parse(text, Path::new("config.toml")).unwrap();
    let (_fixture, server) =
        Fixture::beside(config, |address| zbus::block_on(Server::start(address)));
    zbus::block_on(message(&server, "Shortcuts do not work"));
}

#[test]
fn messages_can_be_turned_off() {
    let fixture = configured("notifications = false\nmedia = \"pause\"");
    zbus::block_on(async {
        let server = Server::start(&fixture.address).await;
        let mut client = fixture.connect().await;
        say_in_vain(&fixture, &mut client).await;
        a_while().await;
        assert_eq!(server.messages(), []);
    });
}

#[test]
fn players_that_play_are_paused_and_only_those_go_on() {
    let fixture = configured("media = \"pause\"");
    let address = fixture.address.as_str();
    zbus::block_on(async {
        let playing = Player::start(address, "playing", "Playing", 0.9).await;
        let other = Player::start(address, "other.instance7", "Playing", 0.9).await;
        let paused = Player::start(address, "paused", "Paused", 0.9).await;
        let stopped = Player::start(address, "stopped", "Stopped", 0.9).await;
        let _mute = Player::mute(address).await;
        let client = fixture.connect().await;
        let session = listen(&client, "default").await;
        let begun = Instant::now();
        eventually("both are silent", || [&playing, &other].iter().all(|p| p.status() == "Paused"))
            .await;
        assert!(begun.elapsed() < Duration::from_secs(3), "one that hangs held up the others");
        stop(&client, &session).await;
        eventually("they go on", || [&playing, &other].iter().all(|p| p.status() == "Playing"))
            .await;
        assert_eq!(playing.now().asked, ["Pause", "Play"]);
        for untouched in [&paused, &stopped] {
            assert_eq!(untouched.now().asked, [""; 0]);
        }
    });
}

#[test]
fn what_its_user_did_with_a_player_meanwhile_stays() {
    let fixture = configured("media = \"pause\"");
    let address = fixture.address.as_str();
    zbus::block_on(async {
        let mut players = Vec::new();
        for name in ["again", "stopped", "ours"] {
            players.push(Player::start(address, name, "Playing", 0.9).await);
        }
        let client = fixture.connect().await;
        let session = listen(&client, "default").await;
        eventually("all are silent", || players.iter().all(|p| p.status() == "Paused")).await;
        let late = Player::start(address, "late", "Playing", 0.9).await;
        players[0].turn("Playing").await;
        players[0].turn("Paused").await;
        players[1].turn("Stopped").await;
        a_while().await;
        stop(&client, &session).await;
        eventually("ours goes on", || players[2].status() == "Playing").await;
        a_while().await;
        assert_eq!(players[0].status(), "Paused", "its user has paused it last");
        assert_eq!(players[1].status(), "Stopped");
        assert_eq!(late.now().asked, [""; 0]);
    });
}

#[test]
fn what_is_listened_to_is_not_silenced() {
    let fixture = configured("media = \"pause\"\nsounds = true");
    zbus::block_on(async {
        let player = Player::start(&fixture.address, "call", "Playing", 0.9).await;
        let client = fixture.connect().await;
        let session = listen(&client, "monitor:default").await;
        a_while().await;
        stop(&client, &session).await;
        client.until("State", "idle").await;
        assert_eq!(player.now().asked, [""; 0]);
        assert_eq!(*fixture.script.cues.lock().unwrap(), []);
    });
}

#[test]
fn a_volume_is_lowered_and_put_back_unless_somebody_changed_it() {
    let fixture = configured("media = \"duck\"\nduck_percent = 30");
    let address = fixture.address.as_str();
    zbus::block_on(async {
        let loud = Player::start(address, "loud", "Playing", 0.9).await;
        let changed = Player::start(address, "changed", "Playing", 1.0).await;
        let soft = Player::start(address, "soft", "Playing", 0.2).await;
        let client = fixture.connect().await;
        let session = listen(&client, "default").await;
        eventually("both are soft", || [&loud, &changed].iter().all(|p| p.volume() == 0.3)).await;
        let ledger = fixture.folder.path().join("state/lowered.json");
        assert!(ledger.exists());
        changed.set_volume(0.5);
        stop(&client, &session).await;
        eventually("it is as loud as before", || loud.volume() == 0.9).await;
        eventually("nothing is left to be done", || !ledger.exists()).await;
        assert_eq!((changed.volume(), soft.volume()), (0.5, 0.2));
        assert_eq!(soft.now().asked, [""; 0]);
        assert_eq!(loud.status(), "Playing");
    });
}

#[test]
fn a_daemon_that_leaves_or_a_dictation_that_is_cancelled_leaves_no_player_silent() {
    let mut fixture = configured("media = \"duck\"");
    let player = zbus::block_on(async {
        let player = Player::start(&fixture.address, "loud", "Playing", 0.9).await;
        let client = fixture.connect().await;
        listen(&client, "default").await;
        eventually("it is soft", || player.volume() == 0.2).await;
        client.call::<_, ()>(PATH, "Cancel", &()).await.unwrap();
        eventually("it is as loud as before", || player.volume() == 0.9).await;
        client.until("State", "idle").await;
        listen(&client, "default").await;
        eventually("it is soft again", || player.volume() == 0.2).await;
        player
    });
    fixture.terminate();
    fixture.wait().unwrap();
    assert_eq!(player.volume(), 0.9);
}

#[test]
fn a_cue_says_when_sound_flows_and_when_no_longer() {
    let fixture = configured("sounds = true");
    zbus::block_on(async {
        let cues = || fixture.script.cues.lock().unwrap().clone();
        let client = fixture.connect().await;
        fixture.script.stalled_device.store(true, Ordering::Relaxed);
        let session = listen(&client, "default").await;
        a_while().await;
        assert_eq!(cues(), [], "it is open, but nothing has come yet");
        fixture.script.stalled_device.store(false, Ordering::Relaxed);
        eventually("the first is heard", || cues() == [Cue::Listening]).await;
        a_while().await;
        stop(&client, &session).await;
        eventually("the last is heard", || cues() == [Cue::Listening, Cue::Ended]).await;
    });
}
