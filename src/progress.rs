//! What passes do, as they do it: redrawn in place on a terminal, one line for each change in a pipe. On standard error.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use interstella_controller::app::AppName;
use interstella_controller::reconcile::Outcome;
use jiff::tz::TimeZone;

use crate::session::now;
use crate::telemetry::line::{Line, Place, Time};
use crate::{output, screen};

/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(120);

/// Shows passes.
pub struct Progress {
    spinner: Option<ProgressBar>,
    shown: BTreeMap<AppName, Vec<String>>,
    last: BTreeMap<AppName, String>,
    /// Why tasks ended, as far as it was told.
    told: BTreeSet<(AppName, String)>,
}

impl Progress {
    /// Shows on standard error: with a spinner if that is a terminal.
    pub fn start() -> Self {
        let spinner = std::io::stderr().is_terminal().then(|| {
            let spinner = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}") {
                spinner.set_style(style);
            }
            spinner.enable_steady_tick(TURN);
            spinner
        });
        Self { spinner, shown: BTreeMap::new(), last: BTreeMap::new(), told: BTreeSet::new() }
    }

    /// Shows what a pass did, and what it waits for if that is another thing than before.
    pub fn show(&mut self, app: &AppName, outcome: &Outcome) {
        for summary in &outcome.executed {
            let text = if tracing::enabled!(tracing::Level::DEBUG) { summary.to_string() } else { summary.line() };
            self.line(app, text);
        }
        for failed in &outcome.failed {
            self.line(app, format!("{}: {}", failed.summary, failed.error));
        }
        if let Some(error) = &outcome.unread {
            self.line(app, error.to_string());
        }
        for task in &outcome.ended {
            // Each task that ECS tries after it tells the same.
            if self.told.insert((app.clone(), task.reason.clone())) {
                let what = if task.is_start { "did not start" } else { "stopped" };
                self.line(app, format!("a task {what}: {}", task.reason));
            }
        }
        let waits = waits(outcome);
        let before = self.shown.insert(app.clone(), waits.clone()).unwrap_or_default();
        if waits != before {
            self.waiting(app, &waits, &before);
        }
    }

    /// What was shown last of an app.
    pub fn last(&self, app: &AppName) -> Option<&str> {
        self.last.get(app).map(String::as_str)
    }

    /// Takes the spinner away.
    pub fn finish(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }

    fn line(&mut self, app: &AppName, text: String) {
        let line = format!("{app}: {text}");
        match &self.spinner {
            Some(spinner) => spinner.suspend(|| output::note(dated(&line))),
            None => output::note(dated(&line)),
        }
        self.last.insert(app.clone(), text);
    }

    /// A spinner shows one wait; elsewhere what is new is told.
    fn waiting(&mut self, app: &AppName, waits: &[String], before: &[String]) {
        if let Some(spinner) = &self.spinner {
            spinner.set_message(waits.last().map(|last| format!("{app}: {last}")).unwrap_or_default());
        } else {
            let new = waits.iter().filter(|text| !before.contains(text));
            new.for_each(|text| output::note(dated(&format!("{app}: {text}"))));
        }
        if let Some(last) = waits.last() {
            self.last.insert(app.clone(), last.clone());
        }
    }
}

/// A line with the local time.
fn dated(text: &str) -> String {
    let line = Line { time: Time::Clock.of(now(), &TimeZone::system()), text: text.to_owned(), ..Line::default() };
    line.render(Place { colors: false, width: screen::size().map(|size| size.width) })
}

/// What an app waits for: the plan's waits, or the rollout.
fn waits(outcome: &Outcome) -> Vec<String> {
    let planned = outcome.plan.iter().flat_map(|plan| &plan.waiting).map(ToString::to_string);
    let mut waits: Vec<String> = planned.collect();
    if waits.is_empty() {
        let progressing =
            outcome.status.conditions.iter().find(|one| one.r#type == "Progressing" && one.status == "True");
        waits.extend(progressing.map(|one| one.message.clone()).filter(|_| outcome.executed.is_empty()));
    }
    waits
}
