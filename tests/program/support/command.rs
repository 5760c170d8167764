//! The program's verbs, each with an environment that holds nothing of the person who runs the tests.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

/// Longest time for a verb that ends by itself.
const PATIENCE: Duration = Duration::from_secs(90);

/// The program with arguments. Marks of what is managed are kept in `directory`.
pub fn interstella(arguments: &[&str], directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_interstella"));
    command.args(arguments);
    bare(command, directory)
}

/// As [`interstella`], with a limit on open files.
pub fn interstella_limited(files: u32, arguments: &[&str], directory: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    let script = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_interstella")]).args(arguments);
    bare(command, directory)
}

fn bare(mut command: Command, directory: &Path) -> Command {
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("XDG_RUNTIME_DIR", directory)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// What a verb answered.
#[derive(Debug)]
pub struct Answer {
    /// Exit status.
    pub status: i32,
    /// Its result.
    pub stdout: String,
    /// Everything else it said.
    pub stderr: String,
}

impl Answer {
    /// The result as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Fails unless the exit status is this one.
    #[track_caller]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }
}

/// Runs a verb to its end.
pub async fn run(arguments: &[&str], directory: &Path) -> Answer {
    run_within(PATIENCE, arguments, directory).await
}

/// As [`run`], for a verb that takes longer.
pub async fn run_within(patience: Duration, arguments: &[&str], directory: &Path) -> Answer {
    let output = tokio::time::timeout(patience, interstella(arguments, directory).output()).await;
    let Output { status, stdout, stderr } = output.unwrap_or_else(|_| panic!("{arguments:?} does not end")).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Answer { status: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) }
}
