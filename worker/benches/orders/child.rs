//! The processes that are measured, on a core of their own, and what the kernel says about them.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::load;
use super::sender::TOPIC;

pub const GENERATOR_CORE: &str = "0";
const SUBJECT_CORE: &str = "1";
/// The unit of CPU time in /proc, fixed in Linux's interface.
const TICKS_PER_S: f64 = 100.0;

/// A process under measurement; it dies with this value.
pub struct Subject {
    child: Child,
    pub address: SocketAddr,
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Subject {
    pub fn echo(upstream: Option<u16>) -> Subject {
        let port = free_port();
        let mut command = pinned(&std::env::current_exe().unwrap());
        command.arg(format!("echo={port}")).args(upstream.map(|port| port.to_string()));
        Subject::start(&mut command, port)
    }

    /// A worker whose SNS and fulfilment API are at `stand_in`, with gathering at zero unless `vars` say otherwise.
    pub fn worker(stand_in: u16, vars: &[(&str, &str)]) -> Subject {
        let port = free_port();
        let origin = format!("http://127.0.0.1:{stand_in}");
        let mut command = pinned(Path::new(env!("CARGO_BIN_EXE_worker")));
        command
            .env("HOST", "127.0.0.1")
            .env("PORT", port.to_string())
            .env("INTERSTELLA_ORDER_TOPIC", TOPIC)
            .env("INTERSTELLA_API_KEY", "bench")
            .env("INTERSTELLA_API_ENDPOINT", format!("{origin}/receiving/"))
            .env("INTERSTELLA_GATHER_MS", "0")
            .env("AWS_ENDPOINT_URL", origin)
            .envs(vars.iter().copied());
        Subject::start(&mut command, port)
    }

    fn start(command: &mut Command, port: u16) -> Subject {
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        Subject { child, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    /// Waits until it answers.
    pub async fn ready(&mut self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        while load::health(self.address).await.is_err() {
            assert!(self.child.try_wait().unwrap().is_none(), "it ended");
            ticks.tick().await;
        }
    }

    /// CPU time so far, in seconds.
    pub fn cpu_s(&self) -> f64 {
        cpu_s(self.child.id())
    }

    pub fn rss_mib(&self) -> f64 {
        self.memory_mib("VmRSS:")
    }

    /// The most it ever had.
    pub fn peak_rss_mib(&self) -> f64 {
        self.memory_mib("VmHWM:")
    }

    fn memory_mib(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }
}

/// User and system time of a process, in seconds.
pub fn cpu_s(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name, in parentheses, may hold spaces; the times are the 12th and 13th field after it.
    let fields = stat.rsplit_once(')').unwrap().1;
    fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS_PER_S
}

/// `taskset` becomes the program, so that the process is the one that was started.
fn pinned(program: &Path) -> Command {
    let has_taskset = Command::new("taskset").args(["-c", SUBJECT_CORE, "true"]).status().is_ok_and(|s| s.success());
    let mut command = if has_taskset { Command::new("taskset") } else { Command::new(program) };
    if has_taskset {
        command.args(["-c", SUBJECT_CORE]).arg(program);
    }
    command.env_clear();
    command
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
