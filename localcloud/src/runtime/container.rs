//! One container as a process: its command line, its environment, its process group, its end.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::output;
use super::process::Settings;
use super::reaper::Reaper;
use crate::cloud::Cloud;
use crate::effect::ContainerLaunch;

/// How long the last lines of output may take after the process has ended.
const OUTPUT_GRACE: Duration = Duration::from_secs(1);

/// A container that runs.
pub(super) struct Container {
    pub(super) name: String,
    child: Child,
    group: Option<Pid>,
    output: Vec<JoinHandle<()>>,
}

impl Container {
    /// Starts the process in a group of its own and has its output forwarded.
    pub(super) fn start(
        settings: &Settings,
        reaper: &Reaper,
        cloud: &Arc<Cloud>,
        launch: &ContainerLaunch,
    ) -> io::Result<Self> {
        let argv = command_line(launch);
        let (program, arguments) = argv.split_first().ok_or_else(|| io::Error::other("there is no command"))?;
        let output = || if launch.log.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(environment(settings, launch))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output())
            .stderr(output())
            .spawn()?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = group {
            reaper.watch(group);
        }
        let mut forwards = Vec::new();
        if let Some((log_group, stream)) = &launch.log {
            let target = || (Arc::clone(cloud), log_group.clone(), stream.clone());
            forwards.extend(child.stdout.take().map(|stdout| {
                let (cloud, log_group, stream) = target();
                tokio::spawn(output::forward(stdout, cloud, log_group, stream))
            }));
            forwards.extend(child.stderr.take().map(|stderr| {
                let (cloud, log_group, stream) = target();
                tokio::spawn(output::forward(stderr, cloud, log_group, stream))
            }));
        }
        Ok(Self { name: launch.name.clone(), child, group, output: forwards })
    }

    /// Number of its process group.
    pub(super) fn group(&self) -> Option<i32> {
        self.group.map(|group| group.as_raw_nonzero().get())
    }

    /// Waits for the end, by itself or by `stop`, which gives the time between the signals. Returns the exit code, 128 + n after
    /// signal n.
    pub(super) async fn ended(mut self, reaper: &Reaper, mut stop: watch::Receiver<Option<Duration>>) -> i32 {
        let asked = async {
            match stop.wait_for(Option::is_some).await {
                Ok(grace) => (*grace).unwrap_or_default(),
                // Whoever could ask is gone: end at once.
                Err(_) => Duration::ZERO,
            }
        };
        let status = tokio::select! {
            status = self.child.wait() => status,
            grace = asked => self.stop(grace).await,
        };
        // A container's other processes end with its first one.
        self.signal(Signal::KILL);
        if let Some(group) = self.group {
            reaper.forget(group);
        }
        for forward in self.output {
            // A process that left the group may keep the pipe open for ever; nobody waits for it.
            let _ = timeout(OUTPUT_GRACE, forward).await;
        }
        status.map_or(-1, exit_code)
    }

    async fn stop(&mut self, grace: Duration) -> io::Result<ExitStatus> {
        self.signal(Signal::TERM);
        match timeout(grace, self.child.wait()).await {
            Ok(status) => status,
            Err(_) => {
                self.signal(Signal::KILL);
                self.child.wait().await
            }
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // A group that has ended needs no signal.
            let _ = kill_process_group(group, signal);
        }
    }
}

/// What is executed. As with Docker, an entry point given by the task definition drops the image's own arguments.
fn command_line(launch: &ContainerLaunch) -> Vec<String> {
    if !launch.entry_point.is_empty() {
        return launch.entry_point.iter().chain(&launch.command).cloned().collect();
    }
    let arguments = if launch.command.is_empty() { &launch.program.arguments } else { &launch.command };
    let path = launch.program.path.to_string_lossy().into_owned();
    std::iter::once(path).chain(arguments.iter().cloned()).collect()
}

/// The whole environment. What the cloud provides comes last and holds against what the task definition says: a container port
/// in `PORT` would be the wrong one here.
fn environment(settings: &Settings, launch: &ContainerLaunch) -> Vec<(String, String)> {
    let mut environment = vec![("PATH".to_owned(), settings.search_path.clone())];
    environment.extend(launch.environment.iter().cloned());
    for (name, default_ms) in &settings.scaled_ms {
        let given = launch.environment.iter().rfind(|(given, _)| given == name);
        let millis = given.map_or(Some(*default_ms), |(_, value)| value.parse().ok());
        // A value that is no number is the program's to refuse.
        environment.extend(millis.map(|millis| (name.clone(), scaled(millis, settings.speed))));
    }
    let provided = [
        ("HOST", "127.0.0.1".to_owned()),
        ("AWS_ENDPOINT_URL", settings.endpoint_url.clone()),
        ("AWS_REGION", settings.region.clone()),
        ("AWS_DEFAULT_REGION", settings.region.clone()),
        ("AWS_ACCESS_KEY_ID", settings.access_key.clone()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
    ];
    environment.extend(provided.map(|(name, value)| (name.to_owned(), value)));
    environment.extend(launch.ports.first().map(|(_, address)| ("PORT".to_owned(), address.port().to_string())));
    environment
}

/// Milliseconds of cloud time as wall time.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not below 0, and exactness does not matter"
)]
fn scaled(millis: u64, speed: f64) -> String {
    ((millis as f64 / speed).round() as u64).to_string()
}

fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

#[cfg(test)]
mod tests;
