//! `list`: every app of this manager, declared or not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use interstella_controller::app::AppName;
use interstella_controller::desired::{Desired, Presence};
use interstella_controller::status::AppStatus;
use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;
use crate::session::Session;
use crate::verb::Context;
use crate::{apps, manifests, output};

/// Flags of `list`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Where manifests are looked for: a file, or a directory of manifests
    #[arg(short = 'f', long = "file", default_value = "manifests")]
    path: PathBuf,
}

/// An app, and where it is declared.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    cluster: String,
    /// Whether a manifest at the path declares it.
    declared: bool,
    /// Process ID of the controller on this machine that manages it.
    managed_by: Option<u32>,
    /// Resources that carry its marks, by AWS's index of tags.
    resources: usize,
    status: AppStatus,
}

/// Prints every app that the manifests declare or that has resources in AWS.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = &arguments.path;
    let manifests = if path.exists() { manifests::require(context, path)? } else { Vec::new() };
    let session = Session::connect(&context.common).await?;
    let resources = apps::everything(&session).await?;
    let mut all = session.present(&manifests);
    let declared: BTreeSet<AppName> = all.iter().map(|one| one.marks.app.clone()).collect();
    let others = resources.keys().filter(|app| !declared.contains(app));
    all.extend(others.map(|app| Desired::by_marks(app.clone(), &session.manager, Presence::Undeclared)));
    let statuses = session.plan(&all).await.into_iter().map(|outcome| outcome.status);
    let row = |status| row(context, &session, status, &declared, &resources);
    let rows = statuses.map(row).collect::<Result<Vec<_>, _>>()?;
    output::result(&context.common, &json!({ "apps": rows }), text(&rows, &path.display().to_string()))?;
    Ok(ExitCode::SUCCESS)
}

fn row(
    context: &Context,
    session: &Session,
    status: AppStatus,
    declared: &BTreeSet<AppName>,
    resources: &BTreeMap<AppName, usize>,
) -> Result<Row, Failure> {
    let app = AppName { cluster: status.cluster.clone(), name: status.name.clone() };
    Ok(Row {
        name: app.name.clone(),
        cluster: app.cluster.clone(),
        declared: declared.contains(&app),
        managed_by: apps::holder(context, session, &app)?.flatten().map(|holder| holder.pid),
        resources: resources.get(&app).copied().unwrap_or(0),
        status,
    })
}

fn text(rows: &[Row], path: &str) -> String {
    if rows.is_empty() {
        return format!("no apps: {path} declares none, and none of this manager is in this account and region");
    }
    let header = ["APP", "TASKS", "RESOURCES", "DECLARED", "STATE"].map(str::to_owned);
    let lines: Vec<[String; 5]> = std::iter::once(header).chain(rows.iter().map(|row| cells(row, path))).collect();
    let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 4] = std::array::from_fn(width);
    let line = |[app, tasks, resources, declared, state]: &[String; 5]| {
        let [a, t, r, d] = widths;
        format!("{app:<a$}  {tasks:<t$}  {resources:<r$}  {declared:<d$}  {state}")
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn cells(row: &Row, path: &str) -> [String; 5] {
    let tasks =
        row.status.service.as_ref().map_or_else(|| "-".to_owned(), |one| format!("{}/{}", one.running, one.desired));
    let declared = match row.managed_by {
        _ if row.declared => path.to_owned(),
        Some(pid) => format!("elsewhere, managed by process {pid}"),
        None => format!("not in {path}"),
    };
    let state = match &row.status {
        status if status.is_stalled() => "stalled".to_owned(),
        status if status.is_ready() => "ready".to_owned(),
        status if row.declared && status.service.is_none() => "not deployed".to_owned(),
        status if status.is_progressing() => "progressing".to_owned(),
        status => status.conditions.first().map(|one| one.message.clone()).unwrap_or_default(),
    };
    [format!("{}/{}", row.cluster, row.name), tasks, row.resources.to_string(), declared, state]
}

#[cfg(test)]
mod tests {
    use interstella_controller::status::{AppStatus, Condition, Service};

    use super::{Row, text};

    fn row(name: &str, declared: bool, ready: bool, tasks: Option<(u32, u32)>) -> Row {
        let condition = Condition {
            r#type: "Ready",
            status: if ready { "True" } else { "False" },
            reason: "NoService",
            message: "there is no service".to_owned(),
            last_transition_time: None,
        };
        let service = tasks.map(|(running, desired)| Service {
            desired,
            running,
            pending: 0,
            rolled_out: running,
            healthy: None,
            task_definition: "f:1".to_owned(),
        });
        let status = AppStatus {
            name: name.to_owned(),
            cluster: "interstella".to_owned(),
            conditions: vec![condition],
            service,
            scaling: None,
            endpoint: None,
        };
        Row {
            name: name.to_owned(),
            cluster: "interstella".to_owned(),
            declared,
            managed_by: None,
            resources: 5,
            status,
        }
    }

    #[test]
    fn every_app_is_a_line_and_says_whether_a_manifest_declares_it() {
        let rows = [row("monolith", true, true, Some((3, 3))), row("forgotten", false, false, None)];
        insta::assert_snapshot!(text(&rows, "manifests"), @r"
        APP                    TASKS  RESOURCES  DECLARED          STATE
        interstella/monolith   3/3    5          manifests         ready
        interstella/forgotten  -      5          not in manifests  there is no service
        ");
        insta::assert_snapshot!(text(&[], "manifests"), @"no apps: manifests declares none, and none of this manager is in this account and region");
    }
}
