//! From one look at an app to the next: what is worth telling.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Kind, Transition};
use crate::app::AppName;
use crate::plan::{Summary, Verb, Waiting};
use crate::resource::service::Ended;
use crate::status::{AppStatus, Condition, Service};

/// What one pass shows of an app.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The app.
    pub app: &'a AppName,
    /// When it was looked at.
    pub at: Timestamp,
    /// Which version of the manifest the pass was for: another number after each change.
    pub edition: u64,
    /// How the app was.
    pub status: &'a AppStatus,
    /// What the pass changed, or would have.
    pub changes: &'a [Summary],
    /// What has to be changed and cannot be yet.
    pub waiting: &'a [Waiting],
    /// Tasks that have ended by themselves since the look before, as far as that was read.
    pub ended: &'a [Ended],
}

/// What the looks so far have told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Track {
    phase: Option<Phase>,
    edition: u64,
    is_unread: bool,
    /// It has stalled and not served since.
    was_stalled: bool,
    /// Drift was told of and not its correction.
    has_drifted: bool,
    /// A call that a later pass may well make with success has failed in the look before.
    is_suspect: bool,
    tasks: Option<u32>,
    /// Tasks that were told of.
    ended: BTreeSet<String>,
    /// Why tasks did not start, as told for this version of the manifest.
    failures: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Ready,
    Progressing,
    Stalled(&'static str),
}

impl Track {
    /// What is known after a look, and what there is to tell of it.
    #[must_use]
    pub fn step(&self, look: &Look<'_>) -> (Self, Vec<Transition>) {
        let mut told = Vec::new();
        let mut next = self.clone();
        let Some(phase) = next.phase(look) else {
            if !self.is_unread {
                told.push((
                    Kind::Unreadable,
                    condition(look.status, "Ready").map_or("", |one| &one.message).to_owned(),
                ));
            }
            next.is_unread = true;
            return (next, stamped(look, told));
        };
        if self.is_unread {
            told.push((Kind::Readable, String::new()));
        }
        next.is_unread = false;
        if self.edition != look.edition {
            next.failures.clear();
            next.has_drifted = false;
        }
        next.tell_ended(look, &mut told);
        next.tell_scaled(look, phase, &mut told);
        next.tell_phase(look, phase, &mut told);
        next.edition = look.edition;
        next.phase = Some(phase);
        next.tasks = look.status.service.as_ref().map(|service| service.desired).or(self.tasks);
        (next, stamped(look, told))
    }

    /// The phase of an app that was read. A call that failed once is no reason to call for a person: AWS's answers lag, and the
    /// next pass makes it again.
    fn phase(&mut self, look: &Look<'_>) -> Option<Phase> {
        let status = look.status;
        if condition(status, "Ready").is_none_or(|one| one.status == "Unknown") {
            return None;
        }
        let stalled = condition(status, "Stalled").filter(|one| one.status == "True");
        let suspect = stalled.is_some_and(|one| one.reason == "CallFailed");
        let counts = !suspect || self.is_suspect;
        self.is_suspect = suspect;
        Some(match stalled.filter(|_| counts) {
            Some(one) => Phase::Stalled(one.reason),
            None if status.is_ready() => Phase::Ready,
            // Revisions that are too old go while everything serves.
            None if self.phase == Some(Phase::Ready) && self.edition == look.edition && look.tidies_up() => {
                Phase::Ready
            }
            None => Phase::Progressing,
        })
    }

    fn tell_ended(&mut self, look: &Look<'_>, told: &mut Vec<(Kind, String)>) {
        for one in look.ended.iter().filter(|one| !self.ended.contains(&one.id)) {
            let id = one.id.get(..8).unwrap_or(&one.id);
            if !one.is_start {
                told.push((Kind::TaskReplaced, format!("task {id} stopped: {}", one.reason)));
            } else if self.failures.insert(one.reason.clone()) {
                told.push((Kind::TaskFailed, format!("task {id} did not start: {}", one.reason)));
            }
        }
        if !look.ended.is_empty() {
            self.ended = look.ended.iter().map(|one| one.id.clone()).collect();
        }
    }

    fn tell_scaled(&self, look: &Look<'_>, phase: Phase, told: &mut Vec<(Kind, String)>) {
        let rested = self.phase == Some(Phase::Ready) && self.edition == look.edition && !look.differs();
        let now = look.status.service.as_ref().map(|service| service.desired);
        if let (true, Some(before), Some(now)) = (rested && !is_stalled(phase), self.tasks, now)
            && before != now
        {
            told.push((Kind::Scaled, format!("from {before} to {now} {}", tasks(now))));
        }
    }

    fn tell_phase(&mut self, look: &Look<'_>, phase: Phase, told: &mut Vec<(Kind, String)>) {
        let is_edited = self.edition != look.edition && self.phase.is_some();
        if self.phase == Some(phase) && !is_edited {
            return;
        }
        let was_ready = self.phase == Some(Phase::Ready) && !is_edited;
        match phase {
            Phase::Stalled(_) => {
                self.was_stalled = true;
                told.push((Kind::Stalled, condition(look.status, "Stalled").map_or("", |one| &one.message).to_owned()));
            }
            Phase::Ready => {
                told.push((self.arrival(), serving(look.status)));
                (self.was_stalled, self.has_drifted) = (false, false);
            }
            // It was as the manifest says, which is still the same: somebody else has changed AWS.
            Phase::Progressing if was_ready && look.differs() => {
                self.has_drifted = true;
                told.push((Kind::Drifted, look.differences()));
            }
            // Why it is under way has just been told.
            Phase::Progressing if was_ready && !told.is_empty() => {}
            Phase::Progressing => told.push((Kind::Progressing, under_way(look.status))),
        }
    }

    fn arrival(&self) -> Kind {
        match (self.was_stalled, self.has_drifted) {
            (true, _) => Kind::Recovered,
            (false, true) => Kind::Corrected,
            (false, false) => Kind::Converged,
        }
    }
}

impl Look<'_> {
    /// Whether AWS is not as the manifest says.
    fn differs(&self) -> bool {
        !self.changes.is_empty() || !self.waiting.is_empty()
    }

    /// Whether all that is left to do is to delete.
    fn tidies_up(&self) -> bool {
        let mut verbs = self.changes.iter().map(|one| one.action).chain(self.waiting.iter().map(|one| one.action));
        self.differs() && verbs.all(|verb| verb == Verb::Delete)
    }

    /// What is not as the manifest says.
    fn differences(&self) -> String {
        let changed = self.changes.iter().map(difference);
        let waiting = self.waiting.iter().filter(|_| self.changes.is_empty());
        let waiting = waiting
            .map(|Waiting { resource, name, reason, .. }| format!("{resource} {name} differs and waits: {reason}"));
        changed.chain(waiting).collect::<Vec<_>>().join("; ")
    }
}

fn stamped(look: &Look<'_>, told: Vec<(Kind, String)>) -> Vec<Transition> {
    let of = |(kind, cause): (Kind, String)| Transition {
        at: look.at,
        app: Some(look.app.clone()),
        kind,
        cause: one_line(&cause),
    };
    told.into_iter().map(of).collect()
}

/// What AWS says may hold line breaks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn condition<'a>(status: &'a AppStatus, r#type: &str) -> Option<&'a Condition> {
    status.conditions.iter().find(|one| one.r#type == r#type)
}

fn is_stalled(phase: Phase) -> bool {
    matches!(phase, Phase::Stalled(_))
}

/// How many tasks serve, and of which revision.
fn serving(status: &AppStatus) -> String {
    let Some(Service { desired, running, task_definition, .. }) = &status.service else { return String::new() };
    format!("{running} of {desired} {} of {task_definition}", tasks(*desired))
}

fn tasks(count: u32) -> &'static str {
    if count == 1 { "task" } else { "tasks" }
}

/// What is under way, or else why the app is not ready.
fn under_way(status: &AppStatus) -> String {
    let progressing = condition(status, "Progressing").filter(|one| one.status == "True" && !one.message.is_empty());
    progressing.or_else(|| condition(status, "Ready")).map_or("", |one| &one.message).to_owned()
}

fn difference(summary: &Summary) -> String {
    let Summary { action, resource, name, .. } = summary;
    match action {
        Verb::Create => format!("{resource} {name} was gone"),
        Verb::Delete => format!("{resource} {name} was left over"),
        Verb::Update | Verb::Replace => match summary.differences() {
            Some(fields) => format!("{resource} {name} differed: {fields}"),
            None => format!("{resource} {name} differed"),
        },
    }
}
