//! One container as a process: its command line, its environment, its process group, its end.

use std::convert::Infallible;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::group::Group;
use super::output;
use super::process::Settings;
use super::reaper::Reaper;
use crate::cloud::Cloud;
use crate::effect::ContainerLaunch;

/// How long the last lines of output may take after the process has ended.
const OUTPUT_GRACE: Duration = Duration::from_secs(1);

/// A container that runs.
pub(super) struct Container {
    child: Child,
    group: Option<Group>,
    output: Vec<JoinHandle<()>>,
}

/// What every process of a container is given.
pub(super) struct Surroundings {
    environment: Vec<(String, String)>,
    directory: Option<String>,
}

impl Surroundings {
    /// Those of a container's launch.
    pub(super) fn of(settings: &Settings, launch: &ContainerLaunch) -> Self {
        Self { environment: environment(settings, launch), directory: launch.working_directory.clone() }
    }

    /// A command in them.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command
    }
}

impl Container {
    /// Starts the process in a group of its own and has its output forwarded.
    pub(super) fn start(
        surroundings: &Surroundings,
        reaper: &Arc<Reaper>,
        cloud: &Arc<Cloud>,
        launch: &ContainerLaunch,
    ) -> io::Result<Self> {
        let argv = command_line(launch);
        let (program, arguments) = argv.split_first().ok_or_else(|| io::Error::other("there is no command"))?;
        let output = || if launch.log.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child = surroundings
            .command(program)
            .args(arguments)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output())
            .stderr(output())
            .spawn()?;
        let group = Group::of(&child, reaper);
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
        Ok(Self { child, group, output: forwards })
    }

    /// Number of its process group.
    pub(super) fn group(&self) -> Option<i32> {
        self.group.as_ref().map(Group::number)
    }

    /// Waits for the end, by itself or by `stop`, which gives the time between the signals, and until then does what is
    /// to be done `beside` it. Returns the exit code, 128 + n after signal n.
    pub(super) async fn ended(
        mut self,
        stop: watch::Receiver<Option<Duration>>,
        beside: impl Future<Output = Infallible>,
    ) -> i32 {
        let status = tokio::select! {
            status = self.end(stop) => status,
            never = beside => match never {},
        };
        // A container's other processes end with its first one.
        drop(self.group.take());
        for forward in self.output {
            // A process that left the group may keep the pipe open for ever; nobody waits for it.
            let _ = timeout(OUTPUT_GRACE, forward).await;
        }
        status.map_or(-1, exit_code)
    }

    async fn end(&mut self, mut stop: watch::Receiver<Option<Duration>>) -> io::Result<ExitStatus> {
        let asked = async {
            match stop.wait_for(Option::is_some).await {
                Ok(grace) => (*grace).unwrap_or_default(),
                // Whoever could ask is gone: end at once.
                Err(_) => Duration::ZERO,
            }
        };
        tokio::select! {
            status = self.child.wait() => status,
            grace = asked => self.stop(grace).await,
        }
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
        if let Some(group) = &self.group {
            group.signal(signal);
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

/// The whole environment. What the cloud provides comes last and holds against what the task definition says: a
/// container port in `PORT` would be the wrong one here.
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

/// The exit code, 128 + n after signal n.
pub(super) fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

#[cfg(test)]
mod tests;
