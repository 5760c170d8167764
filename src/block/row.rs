//! One app of the block, from its status as the controller's API has it.

use std::collections::BTreeMap;

use interstella_controller::app::AppName;
use interstella_controller::status::AppStatus;
use serde::Deserialize;

/// How an app is, in one word. What needs a look comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Only a person can help.
    Stalled,
    /// AWS could not be read.
    Unreadable,
    /// Something is under way.
    Progressing,
    /// It is as it should be, and serves.
    Ready,
}

/// One app.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name, with the cluster only where two apps have the same.
    pub app: String,
    /// `family:revision`; empty without a service.
    pub revision: String,
    /// Tasks that should run, run, and run of the newest deployment; absent without a service.
    pub tasks: Option<Tasks>,
    /// In one word.
    pub state: State,
    /// Why it is not ready, or where clients connect.
    pub note: String,
}

/// Counts of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tasks {
    /// Tasks that should run.
    pub desired: u32,
    /// Tasks that run.
    pub running: u32,
    /// Tasks that run and are of the deployment that ECS works towards.
    pub rolled_out: u32,
    /// Healthy targets of the load balancer; absent without one.
    pub healthy: Option<u32>,
}

/// An app as `/api/v1/apps` shows it, as far as it is needed here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct App {
    name: String,
    cluster: String,
    conditions: Vec<Condition>,
    service: Option<Service>,
    endpoint: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Condition {
    r#type: String,
    status: String,
    message: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    task_definition: String,
    #[serde(flatten)]
    tasks: Tasks,
}

impl State {
    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Progressing => "progressing",
            Self::Stalled => "stalled",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Statuses as the API would show them, so that those of this process and those of another take one way.
pub fn of_statuses(statuses: &[AppStatus]) -> Vec<App> {
    let apps = statuses.iter().map(|status| serde_json::from_value(serde_json::to_value(status)?));
    // A test holds that every status can be read back.
    apps.filter_map(Result::<App, serde_json::Error>::ok).collect()
}

/// The rows of apps.
pub fn rows(apps: &[App]) -> Vec<Row> {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    apps.iter().for_each(|app| *names.entry(&app.name).or_default() += 1);
    let is_shared = |app: &App| names.get(app.name.as_str()).is_some_and(|count| *count > 1);
    apps.iter().map(|app| app.row(is_shared(app))).collect()
}

impl App {
    /// Whether a person who says `text` means this app.
    pub fn is_meant_by(&self, text: &str) -> bool {
        AppName { cluster: self.cluster.clone(), name: self.name.clone() }.is_meant_by(text)
    }

    fn row(&self, with_cluster: bool) -> Row {
        let Self { name, cluster, service, endpoint, .. } = self;
        let state = self.state();
        let why = match state {
            State::Ready => endpoint.as_deref(),
            State::Stalled => self.message("Stalled"),
            State::Unreadable => self.message("Ready"),
            State::Progressing => self.message("Progressing").or_else(|| self.message("Ready")),
        };
        Row {
            app: if with_cluster { format!("{cluster}/{name}") } else { name.clone() },
            revision: service.as_ref().map(|service| service.task_definition.clone()).unwrap_or_default(),
            tasks: service.as_ref().map(|service| service.tasks),
            state,
            note: why.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }

    fn state(&self) -> State {
        let is =
            |r#type: &str, status: &str| self.conditions.iter().any(|one| one.r#type == r#type && one.status == status);
        match () {
            () if is("Ready", "Unknown") => State::Unreadable,
            () if is("Stalled", "True") => State::Stalled,
            () if is("Ready", "True") => State::Ready,
            () => State::Progressing,
        }
    }

    fn message(&self, r#type: &str) -> Option<&str> {
        let found = self.conditions.iter().find(|one| one.r#type == r#type && !one.message.is_empty());
        found.map(|one| one.message.as_str())
    }
}

impl Row {
    /// The row on one line, for a pipe.
    pub fn line(&self) -> String {
        let Self { app, revision, tasks, state, note } = self;
        let tasks = tasks.as_ref().map(|Tasks { desired, running, healthy, .. }| {
            let healthy = healthy.map(|healthy| format!(", {healthy} healthy")).unwrap_or_default();
            format!(", {revision}: {desired} desired, {running} running{healthy}")
        });
        let note = if note.is_empty() { String::new() } else { format!(", {note}") };
        format!("{app}: {}{}{note}", state.word(), tasks.unwrap_or_default())
    }
}
