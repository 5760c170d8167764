//! The binary: its exit codes, its signals, and the verbs that ask a running hq.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use crate::support::{KEY, quiet, runtime, start};

fn hq(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hq"));
    command.args(arguments).env_clear().env("XDG_RUNTIME_DIR", runtime()).stdin(Stdio::null());
    command
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test]
async fn sets_the_rate_of_a_running_hq() {
    let running = start(quiet()).await;
    let done = output(hq(&["rate", "orderTopic", "600", "--hq", &running.url("")])).await;
    assert_eq!(String::from_utf8_lossy(&done.stdout), "orderTopic: 600 orders a minute\n");
    assert_eq!(running.get("/rates").await.json()["orderTopic"]["perMinute"], 600.0);
    let refused = output(hq(&["rate", "a/b ?", "600", "--hq", &running.url("")])).await;
    assert_eq!(refused.status.code(), Some(1));
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(message.contains("there is no topic `a/b ?`; hq publishes to"), "{message}");
    running.stop().await;
}

#[tokio::test]
async fn prints_a_new_key_alone_on_stdout() {
    let running = start(quiet()).await;
    let done = output(hq(&["key", "--hq", &running.url("")])).await;
    let key = String::from_utf8(done.stdout).unwrap();
    let report = [("x-api-key", key.trim())];
    assert_eq!(running.post("/receiving/", &report, r#"{"iridium": 1}"#).await.status, 200);
    assert!(String::from_utf8_lossy(&done.stderr).contains("is good until"));
    running.stop().await;
}

#[tokio::test]
async fn says_what_to_do_when_no_hq_answers() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failed = output(hq(&["key", "--hq", &format!("http://{closed}")])).await;
    assert_eq!(failed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&failed.stderr).contains("start one with `hq` or name it with --hq"));
    let remote = output(hq(&["key", "--hq", "http://example.com"])).await;
    assert_eq!(remote.status.code(), Some(2));
}

#[tokio::test]
async fn an_unusable_setting_is_exit_78_before_anything_listens() {
    for (name, value) in [("HQ_API_KEY", "canary"), ("AWS_ENDPOINT_URL", "https://example.com"), ("PORT", "http")] {
        let mut command = hq(&[]);
        command.env("PORT", "0").env(name, value);
        let failed = output(command).await;
        assert_eq!(failed.status.code(), Some(78), "{name}");
        let message = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert!(message.contains(name) && !message.contains("canary"), "{message}");
    }
}

#[tokio::test]
async fn sigterm_is_exit_0_and_the_key_is_in_no_log() {
    let mut command = hq(&["serve"]);
    command.env("PORT", "0").env("HQ_API_KEY", KEY).env("RUST_LOG", "trace").stderr(Stdio::piped());
    let ended = tokio::task::spawn_blocking(move || terminate_once_listening(command.spawn().unwrap())).await.unwrap();
    assert!(ended.0.success(), "{:?}", ended.0);
    assert!(ended.1.contains("finishing what is in flight") && !ended.1.contains(KEY), "{}", ended.1);
}

fn terminate_once_listening(mut child: Child) -> (std::process::ExitStatus, String) {
    let (mut log, pid) = (String::new(), child.id().to_string());
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.contains("headquarters at http://127.0.0.1:") {
            assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        }
        log.push_str(&line);
    }
    (child.wait().unwrap(), log)
}
