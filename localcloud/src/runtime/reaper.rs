//! The process that outlives the cloud just long enough to end what it started, even after SIGKILL.
//!
//! The cloud holds the only writing end of the reaper's standard input. `+123` names a process group to watch, `-123` one that
//! has ended. When the input ends, the cloud is gone, and every group that is left gets SIGKILL.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::signal::unix::{SignalKind, signal};

use crate::images::Program;

/// What the reaper's process does: the program behind the hidden subcommand calls nothing but this. Returns once the cloud is gone and
/// its processes with it; an error means that it could not begin.
pub fn main() -> io::Result<()> {
    ignore_signals()?;
    for group in groups_left(io::stdin().lock()) {
        // A group that has ended in the meantime is what was wanted.
        let _ = kill_process_group(group, Signal::KILL);
    }
    Ok(())
}

/// These signals are for the cloud, and the reaper has to be there when it dies of them. A handler stays installed when
/// whoever listens to it is gone.
fn ignore_signals() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _entered = runtime.enter();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        drop(signal(kind)?);
    }
    Ok(())
}

/// The groups that were named and not taken back when the input ends.
fn groups_left(input: impl BufRead) -> Vec<Pid> {
    let mut groups = BTreeSet::new();
    // An input that breaks is an input that has ended.
    for line in input.lines().map_while(Result::ok) {
        match line.split_at_checked(1) {
            Some(("+", group)) => groups.extend(group.parse::<i32>()),
            Some(("-", group)) => groups.retain(|known| known.to_string() != group),
            _ => {}
        }
    }
    // 0 and 1 are not groups of ours, and negative numbers are no groups at all.
    groups.into_iter().filter(|group| *group > 1).filter_map(Pid::from_raw).collect()
}

/// The cloud's side of a running reaper.
#[derive(Debug)]
pub(super) struct Reaper {
    child: Mutex<Child>,
    input: Mutex<Option<ChildStdin>>,
}

impl Reaper {
    /// Starts `program`, in a process group of its own, so that a terminal's Ctrl-C does not reach it.
    pub(super) fn start(program: &Program) -> io::Result<Self> {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(&program.path);
        command.args(&program.arguments).process_group(0);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let input = child.stdin.take();
        Ok(Self { child: Mutex::new(child), input: Mutex::new(input) })
    }

    /// Has the group die with the cloud.
    pub(super) fn watch(&self, group: Pid) {
        self.tell(&format!("+{}\n", group.as_raw_nonzero()));
    }

    /// The group has ended: its number may soon be another's.
    pub(super) fn forget(&self, group: Pid) {
        self.tell(&format!("-{}\n", group.as_raw_nonzero()));
    }

    /// Ends the reaper and waits for that. What it still watches dies with it.
    pub(super) fn end(&self) -> io::Result<()> {
        self.input.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.child.lock().unwrap_or_else(PoisonError::into_inner).wait().map(|_| ())
    }

    /// A line fits into the pipe at once: the reaper does nothing but read.
    fn tell(&self, line: &str) {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(input) = input.as_mut() else { return };
        if let Err(error) = input.write_all(line.as_bytes()) {
            tracing::warn!(%error, "the reaper is gone: processes would outlive a killed cloud; restart the cloud");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::groups_left;

    #[test]
    fn only_real_groups_that_were_not_taken_back_are_left() {
        let input: &[u8] = b"+12\n+13\n-12\n+1\n+0\n+-5\nnonsense\n\n+14";
        let left: Vec<i32> = groups_left(input).iter().map(|group| group.as_raw_nonzero().get()).collect();
        assert_eq!(left, [13, 14]);
    }
}
