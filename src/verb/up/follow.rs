//! From the start of `up` until everything is ready: what it says when all apps have settled, for good or for bad.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use interstella_controller::controller::Shared;
use interstella_controller::status::AppStatus;
use interstella_hq::StartPublishing;

use crate::output;

/// Where things are.
pub struct Places<'a> {
    /// The manifest, or the directory of manifests.
    pub manifests: &'a Path,
    /// URL of headquarters.
    pub hq: &'a str,
    /// URL of the controller's HTTP interface.
    pub controller: &'a str,
    /// The command that points other terminals to the local cloud.
    pub env: &'a str,
}

/// Returns when every app is as its manifest says and serves. Says where everything is once no app is under way any more, also
/// where some have stalled, and has orders published as soon as some app then serves.
pub async fn until_ready(shared: &Arc<Shared>, publishing: &StartPublishing, places: &Places<'_>) {
    let mut news = shared.transitions.listen();
    let mut told = false;
    loop {
        let apps = if shared.is_ready() { shared.apps() } else { Vec::new() };
        let ready = !apps.is_empty() && apps.iter().all(AppStatus::is_ready);
        if has_settled(&apps) && apps.iter().any(AppStatus::is_ready) {
            publishing.start();
        }
        if ready || (!told && has_settled(&apps)) {
            output::note(announcement(&apps, places));
            told = true;
        }
        if ready {
            return;
        }
        // News that were missed are news all the same.
        let _ = news.recv().await;
    }
}

fn has_settled(apps: &[AppStatus]) -> bool {
    !apps.is_empty() && apps.iter().all(|app| app.is_ready() || app.is_stalled())
}

fn announcement(apps: &[AppStatus], places: &Places<'_>) -> String {
    let Places { manifests, hq, controller, env } = places;
    let stalled: Vec<&str> = apps.iter().filter(|app| !app.is_ready()).map(|app| app.name.as_str()).collect();
    let mut text = match stalled.as_slice() {
        [] => "converged".to_owned(),
        [one] => format!("not converged: {one} is stalled, for the reason above"),
        several => format!("not converged: {} are stalled, for the reasons above", several.join(", ")),
    };
    let orders = format!("{hq}/stats");
    let status = format!("{controller}/api/v1/apps");
    let urls = apps.iter().map(|app| (app.name.as_str(), app.endpoint.as_deref().unwrap_or("(no load balancer)")));
    let urls: Vec<_> = urls.chain([("orders", orders.as_str()), ("status", status.as_str())]).collect();
    let width = urls.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    // Writing to a String does not fail.
    for (name, url) in urls {
        let _ = write!(text, "\n  {name:<width$}  {url}");
    }
    let _ = write!(text, "\nedit {} and save; Ctrl-C ends everything", manifests.display());
    let _ = write!(text, "\nin other terminals:\n  {env}");
    text
}

#[cfg(test)]
mod tests {
    use interstella_controller::status::Condition;

    use super::*;

    fn app(name: &str, holds: &'static str, endpoint: Option<&str>) -> AppStatus {
        let condition = Condition {
            r#type: holds,
            status: "True",
            reason: "Reason",
            message: String::new(),
            last_transition_time: None,
        };
        AppStatus {
            name: name.into(),
            cluster: "interstella".into(),
            conditions: vec![condition],
            service: None,
            scaling: None,
            endpoint: endpoint.map(ToOwned::to_owned),
        }
    }

    fn places() -> Places<'static> {
        Places {
            manifests: Path::new("manifests"),
            hq: "http://127.0.0.1:8889",
            controller: "http://127.0.0.1:8888",
            env: "eval \"$(interstella env)\"",
        }
    }

    #[test]
    fn a_rollout_that_has_failed_ends_with_urls_too() {
        let apps = [app("monolith", "Stalled", Some("http://monolith:5000")), app("batch", "Ready", None)];
        assert!(has_settled(&apps));
        insta::assert_snapshot!(announcement(&apps, &places()), @r#"
        not converged: monolith is stalled, for the reason above
          monolith  http://monolith:5000
          batch     (no load balancer)
          orders    http://127.0.0.1:8889/stats
          status    http://127.0.0.1:8888/api/v1/apps
        edit manifests and save; Ctrl-C ends everything
        in other terminals:
          eval "$(interstella env)"
        "#);
        assert!(announcement(&apps[1..], &places()).starts_with("converged\n"));
    }

    #[test]
    fn nothing_has_settled_while_something_is_under_way() {
        assert!(!has_settled(&[]));
        assert!(!has_settled(&[app("monolith", "Progressing", None), app("batch", "Ready", None)]));
    }
}
