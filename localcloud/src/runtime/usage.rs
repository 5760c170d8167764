//! What the processes of tasks use of this machine: CPU time and memory of each process group.
//!
//! On Linux from `/proc/<pid>/stat`; elsewhere, as on macOS, from `ps`, which reads the same of the kernel.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use crate::effect::TaskUsage;

/// What a process group has used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Used {
    /// CPU time so far, of the processes that still run.
    cpu: Duration,
    memory_bytes: u64,
}

/// Measures again and again.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// By task: when it was measured last, and its CPU time then.
    last: BTreeMap<String, (Instant, Duration)>,
}

impl Meter {
    /// Measures the tasks, each given with its process groups. A task's first measurement has no span to speak of, so it is only
    /// noted.
    pub(super) fn measure(&mut self, tasks: &BTreeMap<String, Vec<i32>>) -> Vec<TaskUsage> {
        self.last.retain(|task, _| tasks.contains_key(task));
        let groups = match groups() {
            Ok(groups) => groups,
            Err(error) => {
                tracing::debug!(%error, "the processes could not be measured");
                return Vec::new();
            }
        };
        let now = Instant::now();
        tasks.iter().filter_map(|(task, own)| self.usage(task, own, &groups, now)).collect()
    }

    fn usage(&mut self, task: &str, own: &[i32], groups: &BTreeMap<i32, Used>, now: Instant) -> Option<TaskUsage> {
        let used = own.iter().filter_map(|group| groups.get(group));
        let sum = used.fold(Used::default(), |sum, used| Used {
            cpu: sum.cpu + used.cpu,
            memory_bytes: sum.memory_bytes + used.memory_bytes,
        });
        let (then, before) = self.last.insert(task.to_owned(), (now, sum.cpu))?;
        let span = now.duration_since(then).as_secs_f64();
        // A process that has ended takes its time along.
        let cores = sum.cpu.saturating_sub(before).as_secs_f64() / span;
        (span > 0.0).then(|| TaskUsage { task_id: task.to_owned(), cores, memory_bytes: sum.memory_bytes })
    }
}

/// What each process group of this machine has used.
#[cfg(target_os = "linux")]
fn groups() -> io::Result<BTreeMap<i32, Used>> {
    let mut groups: BTreeMap<i32, Used> = BTreeMap::new();
    let (ticks, page) = (rustix::param::clock_ticks_per_second(), rustix::param::page_size());
    for entry in std::fs::read_dir("/proc")? {
        // What is no process, or has ended meanwhile, has no such file.
        let Ok(stat) = std::fs::read_to_string(entry?.path().join("stat")) else { continue };
        if let Some((group, used)) = read_stat(&stat, ticks, page as u64) {
            add(&mut groups, group, used);
        }
    }
    Ok(groups)
}

/// Reads a line of `/proc/<pid>/stat` (Linux: proc_pid_stat(5)): fields after the name, which is in parentheses and may hold any.
#[cfg(target_os = "linux")]
fn read_stat(stat: &str, ticks_per_second: u64, page_bytes: u64) -> Option<(i32, Used)> {
    const GROUP: usize = 2;
    const USER_TIME: usize = 11;
    const SYSTEM_TIME: usize = 12;
    const RESIDENT_PAGES: usize = 21;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let millis = (number(USER_TIME)? + number(SYSTEM_TIME)?).saturating_mul(1000) / ticks_per_second.max(1);
    let memory_bytes = number(RESIDENT_PAGES)?.saturating_mul(page_bytes);
    Some((fields.get(GROUP)?.parse().ok()?, Used { cpu: Duration::from_millis(millis), memory_bytes }))
}

/// What each process group of this machine has used.
#[cfg(not(target_os = "linux"))]
fn groups() -> io::Result<BTreeMap<i32, Used>> {
    let output = std::process::Command::new("ps").args(["-axo", "pgid=,cputime=,rss="]).output()?;
    let mut groups: BTreeMap<i32, Used> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some((group, used)) = read_ps(line) {
            add(&mut groups, group, used);
        }
    }
    Ok(groups)
}

/// Reads a line of `ps`: process group, `[[dd-]hh:]mm:ss[.ff]`, KiB.
#[cfg(any(test, not(target_os = "linux")))]
fn read_ps(line: &str) -> Option<(i32, Used)> {
    let mut fields = line.split_whitespace();
    let (group, time, memory) = (fields.next()?, fields.next()?, fields.next()?);
    let (days, time) = time.split_once('-').unwrap_or(("0", time));
    let clock = time.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))?;
    let seconds = days.parse::<f64>().ok()? * 86_400.0 + clock;
    let cpu = Duration::try_from_secs_f64(seconds).ok()?;
    Some((group.parse().ok()?, Used { cpu, memory_bytes: memory.parse::<u64>().ok()?.saturating_mul(1024) }))
}

fn add(groups: &mut BTreeMap<i32, Used>, group: i32, used: Used) {
    let sum = groups.entry(group).or_default();
    sum.cpu += used.cpu;
    sum.memory_bytes += used.memory_bytes;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_line_of_proc_is_read_after_the_name() {
        let stat = "12 (a) b (c)) S 1 77 77 0 -1 4194304 1 0 0 0 150 50 0 0 20 0 1 0 9 1000 256 1844";
        let used = Used { cpu: Duration::from_secs(2), memory_bytes: 256 * 4096 };
        assert_eq!(read_stat(stat, 100, 4096), Some((77, used)));
        assert_eq!(read_stat("12 (a", 100, 4096), None);
    }

    #[test]
    fn a_line_of_ps_is_read() {
        let cases = [("  77   0:02.50  512", 2.5), ("77 1-02:03:04 512", 93_784.0), ("77 03:04 512", 184.0)];
        for (line, seconds) in cases {
            let used = Used { cpu: Duration::from_secs_f64(seconds), memory_bytes: 512 * 1024 };
            assert_eq!(read_ps(line), Some((77, used)), "{line}");
        }
        assert_eq!(read_ps("PGID TIME RSS"), None);
    }

    #[test]
    fn a_busy_group_is_told_from_an_idle_one() {
        let groups = groups().unwrap_or_default();
        assert!(groups.values().any(|used| used.memory_bytes > 0), "this very process is among them");
    }
}
