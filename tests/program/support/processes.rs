//! The processes of this machine, as Linux shows them under `/proc`.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// A process. The time of its start tells it from a later one of the same number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    pub pid: u32,
    parent: u32,
    started: String,
    pub command: String,
}

/// Every process that lives. A zombie does not.
fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("Linux").filter_map(Result::ok);
    entries.filter_map(|entry| read(entry.file_name().to_str()?.parse().ok()?)).collect()
}

fn read(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name is in parentheses and may hold anything: state, parent, … come after the last one.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let command = String::from_utf8_lossy(&command).replace('\0', " ").trim().to_owned();
    let lives = !matches!(*fields.first()?, "Z" | "X");
    lives.then_some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        started: (*fields.get(19)?).to_owned(),
        command,
    })
}

/// The process and everything that it has started, itself included.
pub fn tree(root: u32) -> BTreeSet<Process> {
    let all = all();
    let mut tree: BTreeSet<Process> = all.iter().filter(|one| one.pid == root).cloned().collect();
    loop {
        let known: BTreeSet<u32> = tree.iter().map(|one| one.pid).collect();
        let before = tree.len();
        tree.extend(all.iter().filter(|one| known.contains(&one.parent)).cloned());
        if tree.len() == before {
            return tree;
        }
    }
}

/// Which of `processes` live still, and which others were started for the cloud at `endpoint`.
pub fn left(processes: &BTreeSet<Process>, endpoint: &str) -> Vec<Process> {
    let marks = [format!("AWS_ENDPOINT_URL={endpoint}"), format!("AWS_ENDPOINT_URL={endpoint}/")];
    let marked = |one: &Process| {
        let environment = fs::read(format!("/proc/{}/environ", one.pid)).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|pair| marks.iter().any(|mark| mark.as_bytes() == pair))
    };
    let lives = |one: &Process| processes.iter().any(|old| old.pid == one.pid && old.started == one.started);
    all().into_iter().filter(|one| lives(one) || marked(one)).collect()
}

/// Sends a signal to a process that may have ended by now. False if it has.
pub fn try_signal(pid: u32, signal: Signal) -> bool {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).is_ok()
}

/// Sends a signal.
pub fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}
