//! Makes the calls of a plan, in its order. It decides nothing: each action is matched to its resource, failures are collected.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::app::AppName;
use crate::aws::Aws;
use crate::error::Error;
use crate::plan::{Action, Plan, Summary};
use crate::resource::{
    alarm, listener, load_balancer, log_group, scalable_target, scaling_policy, scheduled_action, service,
    subscription, target_group, task_definition,
};

/// What became of a plan's actions.
#[derive(Debug, Default)]
pub struct Executed {
    /// Actions that AWS accepted.
    pub done: Vec<Action>,
    /// Actions that failed, and how.
    pub failed: Vec<Failed>,
}

/// An action that failed.
#[derive(Debug, Clone)]
pub struct Failed {
    /// The action.
    pub action: Action,
    /// Its summary without the changes, for people.
    pub summary: Summary,
    /// How it failed.
    pub error: Error,
}

/// Executes the actions until `stop` is set; a call that runs is finished. One failure does not stop the others: what depends on
/// it is not in the same plan.
pub async fn execute(aws: &Aws, plan: &Plan, stop: &AtomicBool) -> Executed {
    let mut executed = Executed::default();
    let Plan { name: app, actions, .. } = plan;
    for action in actions {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        match apply(aws, action).await {
            Ok(()) => {
                log(app, &action.summary());
                executed.done.push(action.clone());
            }
            Err(error) => {
                let summary = Summary { changes: Vec::new(), ..action.summary() };
                tracing::warn!(%app, "{}: {error}", summary.line());
                executed.failed.push(Failed { action: action.clone(), summary, error });
            }
        }
    }
    executed
}

/// One line, or with its fields where the log is to say more.
fn log(app: &AppName, summary: &Summary) {
    if tracing::enabled!(tracing::Level::DEBUG) {
        tracing::info!(%app, "{summary}");
    } else {
        tracing::info!(%app, "{}", summary.line());
    }
}

async fn apply(aws: &Aws, action: &Action) -> Result<(), Error> {
    match action {
        Action::LogGroup(action) => log_group::apply(aws, action).await,
        Action::TaskDefinition(action) => task_definition::apply(aws, action).await,
        Action::LoadBalancer(action) => load_balancer::apply(aws, action).await,
        Action::TargetGroup(action) => target_group::apply(aws, action).await,
        Action::Listener(action) => listener::apply(aws, action).await,
        Action::Service(action) => service::apply(aws, action).await,
        Action::ScalableTarget(action) => scalable_target::apply(aws, action).await,
        Action::ScalingPolicy(action) => scaling_policy::apply(aws, action).await,
        Action::ScheduledAction(action) => scheduled_action::apply(aws, action).await,
        Action::Alarm(action) => alarm::apply(aws, action).await,
        Action::Subscription(action) => subscription::apply(aws, action).await,
    }
}
