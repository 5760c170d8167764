//! A task of real processes, from start to the end of its last container.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::container::Container;
use super::process::Settings;
use super::reaper::Reaper;
use crate::cloud::Cloud;
use crate::effect::{Report, TaskLaunch};

/// Starts the task's containers and attends to them until all have ended. `stop` says when, and with which time between the
/// signals, they have to; `started` is told their process groups.
pub(super) async fn run(
    settings: Arc<Settings>,
    reaper: Arc<Reaper>,
    cloud: Arc<Cloud>,
    launch: TaskLaunch,
    stop: watch::Receiver<Option<Duration>>,
    started: impl FnOnce(Vec<i32>),
) {
    let task_id = launch.task_id.clone();
    let containers = match start(&settings, &reaper, &cloud, &launch).await {
        Ok(containers) => containers,
        Err(reason) => return cloud.report(Report::TaskFailedToStart { task_id, reason }),
    };
    started(containers.iter().filter_map(Container::group).collect());
    cloud.report(Report::TaskStarted { task_id: task_id.clone() });
    let mut running = JoinSet::new();
    for container in containers {
        let (cloud, reaper, stop, task_id) = (Arc::clone(&cloud), Arc::clone(&reaper), stop.clone(), task_id.clone());
        running.spawn(async move {
            let name = container.name.clone();
            let exit_code = container.ended(&reaper, stop).await;
            cloud.report(Report::ContainerExited { task_id, container: name, exit_code });
        });
    }
    while running.join_next().await.is_some() {}
}

/// Starts all containers, or none.
async fn start(
    settings: &Settings,
    reaper: &Arc<Reaper>,
    cloud: &Arc<Cloud>,
    launch: &TaskLaunch,
) -> Result<Vec<Container>, String> {
    let mut started = Vec::new();
    for container in &launch.containers {
        match Container::start(settings, reaper, cloud, container) {
            Ok(container) => started.push(container),
            Err(error) => {
                let (_, at_once) = watch::channel(Some(Duration::ZERO));
                for container in started {
                    container.ended(reaper, at_once.clone()).await;
                }
                let program = container.program.path.display();
                return Err(format!("CannotStartContainerError: {program}: {error}"));
            }
        }
    }
    Ok(started)
}
