//! One run of a container's health check: a process beside the container's, with its environment.
//!
//! There is no other network, file system or user in a container here, so a check finds the container at `$PORT` of
//! loopback.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::Child;
use tokio::time::timeout;

use super::container::{self, Surroundings};
use super::group::Group;
use super::reaper::Reaper;
use crate::effect::ContainerCheck;

/// Bytes of a check's output that are kept, as Docker does; what follows is read and dropped.
const MAX_OUTPUT_BYTES: usize = 4096;
/// Characters of the output in the reason of a failure, which AWS limits to 1024.
const MAX_SHOWN: usize = 512;
/// How long the last output may take after the process has ended.
const OUTPUT_GRACE: Duration = Duration::from_millis(200);

/// Runs the check. Returns why it failed, or `None` if it passed. What it has started ends with it, also when the
/// future is dropped.
pub(super) async fn run(check: &ContainerCheck, surroundings: &Surroundings, reaper: &Arc<Reaper>) -> Option<String> {
    let (mut child, mut pipe) = match start(check, surroundings) {
        Ok(started) => started,
        Err(error) => return Some(format!("the health check could not be started: {error}")),
    };
    let group = Group::of(&child, reaper);
    let mut output = Vec::new();
    let ended = async {
        tokio::select! {
            status = child.wait() => status,
            () = read(&mut pipe, &mut output) => child.wait().await,
        }
    };
    let ended = timeout(check.timeout, ended).await;
    drop(group);
    // A process that left the group may keep the pipe open for ever; nobody waits for it.
    let _ = timeout(OUTPUT_GRACE, read(&mut pipe, &mut output)).await;
    let how = match ended {
        Ok(Ok(status)) if status.success() => return None,
        Ok(Ok(status)) => exit(status),
        Ok(Err(error)) => format!("was lost: {error}"),
        Err(_elapsed) => format!("took longer than its timeout of {} s", check.timeout.as_secs()),
    };
    Some(format!("the health check {how}{}", shown(&output)))
}

/// Starts the process in a group of its own, its output and its errors going into one pipe.
fn start(check: &ContainerCheck, surroundings: &Surroundings) -> io::Result<(Child, pipe::Receiver)> {
    let (program, arguments) = check.command.split_first().ok_or_else(|| io::Error::other("there is no command"))?;
    let (reader, writer) = io::pipe()?;
    let child = surroundings
        .command(program)
        .args(arguments)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("{program}: {error}")))?;
    Ok((child, pipe::Receiver::from_owned_fd(reader.into())?))
}

/// Reads to the end, and keeps what has room.
async fn read(pipe: &mut pipe::Receiver, kept: &mut Vec<u8>) {
    let mut chunk = [0; MAX_OUTPUT_BYTES];
    // An output that breaks has ended.
    while let Ok(length @ 1..) = pipe.read(&mut chunk).await {
        let room = MAX_OUTPUT_BYTES - kept.len();
        kept.extend_from_slice(&chunk[..length.min(room)]);
    }
}

fn exit(status: ExitStatus) -> String {
    format!("ended with exit code {}", container::exit_code(status))
}

/// The output on one line, after a colon.
fn shown(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { String::new() } else { format!(": {}", line.chars().take(MAX_SHOWN).collect::<String>()) }
}
