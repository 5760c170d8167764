//! Telling an echo from drift: what AWS does not keep would be sent for ever.
//!
//! Pure: it compares plans with what was sent before. A field that is planned again although it was sent, and that no read in
//! between has shown as sent, is not kept. It is sent three times, as a read may lag behind a write, and then with growing waits.
//! Whatever somebody else changes back has been seen as sent before that, in the read that follows our call at once, so it counts
//! from the beginning and is corrected for ever.
//!
//! The values that AWS answers do not count: they may differ from read to read. A controller that starts anew knows nothing of all
//! this and sends three times again.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::app::AppName;
use crate::diff::Change;
use crate::plan::{Action, Plan, Summary, Verb};

/// How often a field is sent before only a person can help.
const ENOUGH: u32 = 3;
/// Fields that a message names; more are counted.
const NAMED: usize = 3;
/// How long an entry can matter: longer than the longest wait.
const MEMORY: SignedDuration = SignedDuration::from_hours(48);

/// What was sent and has not been seen to be kept.
#[derive(Debug, Default)]
pub struct Sent(BTreeMap<Field, Attempts>);

/// A value that a field was given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Field {
    app: AppName,
    resource: &'static str,
    name: String,
    path: String,
    /// As JSON.
    value: String,
}

#[derive(Debug, Clone, Copy)]
struct Attempts {
    times: u32,
    last: Timestamp,
}

/// An action that is not made for now, because what it sends is not kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Echo {
    /// How often its fields were sent: the least of them.
    pub times: u32,
    /// When it is tried again.
    pub until: Timestamp,
    /// Whether it was tried often enough to tell that only a person can help.
    pub is_certain: bool,
    /// Its fields, for people.
    fields: String,
}

impl Echo {
    /// What a person has to know: fields, what was sent, what came back, what to do.
    #[must_use]
    pub fn explain(&self) -> String {
        let Self { times, until, is_certain, fields } = self;
        let until = until.strftime("%Y-%m-%dT%H:%M:%SZ");
        let tell = format!("was sent {times} times, but AWS does not answer what was sent: {fields}");
        if !is_certain {
            return format!("{tell}; tried again at {until}, as its answers may lag behind");
        }
        format!(
            "{tell}. It is tried again at {until}. Write into the manifest what AWS answers, or report this as a fault of \
             interstella or of the endpoint; another value in the manifest is sent at once"
        )
    }
}

/// How long after the last of so many attempts the next one may come. The first repetition waits only as long as reads may lag,
/// which is not for here; from the third on the waits are longer than a hundred passes at the usual interval, because what is sent
/// may be a new revision and with it a rollout.
fn wait(times: u32) -> SignedDuration {
    match times {
        0 | 1 => SignedDuration::ZERO,
        2 => SignedDuration::from_mins(1),
        ENOUGH => SignedDuration::from_hours(2),
        4 => SignedDuration::from_hours(8),
        _ => SignedDuration::from_hours(24),
    }
}

impl Sent {
    /// Forgets what a plan shows to be kept: what it neither sends again nor waits with.
    pub fn see(&mut self, plan: &Plan) {
        if plan.stalled.is_some() || !plan.conflicts.is_empty() {
            // Such a plan leaves out what it would do otherwise.
            return;
        }
        let actions: Vec<Summary> = plan.actions.iter().map(Action::summary).collect();
        self.0.retain(|field, _| field.app != plan.name || is_open(field, plan, &actions));
    }

    /// Notes that AWS accepted an action.
    pub fn note(&mut self, app: &AppName, action: &Summary, now: Timestamp) {
        for field in fields(app, action) {
            let attempts = self.0.entry(field).or_insert(Attempts { times: 0, last: now });
            *attempts = Attempts { times: attempts.times.saturating_add(1), last: now };
        }
    }

    /// Whether an action has to wait: all that it sends was sent before and is not kept. One new value, and it is made.
    #[must_use]
    pub fn judge(&self, app: &AppName, action: &Summary, now: Timestamp) -> Option<Echo> {
        let attempts: Option<Vec<Attempts>> = fields(app, action).map(|field| self.0.get(&field).copied()).collect();
        let attempts = attempts?;
        // What is deleted to be made anew is sent once more by that.
        let counted = |times: u32| times.saturating_add(u32::from(action.action == Verb::Replace));
        let next = |one: &Attempts| one.last.saturating_add(wait(counted(one.times))).unwrap_or(now);
        let (times, until) = (attempts.iter().map(|one| one.times).min()?, attempts.iter().map(next).min()?);
        // A clock that went back must not hold anything for long.
        let is_sound = attempts.iter().all(|one| one.last <= now);
        let is_certain = counted(times) >= ENOUGH;
        (is_sound && now < until).then(|| Echo { times, until, is_certain, fields: describe(&action.changes) })
    }

    /// Forgets what no longer delays anything.
    pub fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, attempts| now.duration_since(attempts.last) <= MEMORY);
    }
}

/// Whether a plan leaves open that a field is kept.
fn is_open(field: &Field, plan: &Plan, actions: &[Summary]) -> bool {
    let is_it = |resource: &str, name: &str| resource == field.resource && name == field.name;
    if plan.waiting.iter().any(|waiting| is_it(waiting.resource, &waiting.name)) {
        return true;
    }
    let mut again = actions.iter().filter(|action| is_it(action.resource, &action.name));
    again.any(|action| action.changes.is_empty() || action.changes.iter().any(|change| change.path == field.path))
}

/// What an action sends. A removal sends nothing, which counts as one field.
fn fields<'a>(app: &'a AppName, action: &'a Summary) -> impl Iterator<Item = Field> + 'a {
    let field = |path: &str, value: String| {
        let (app, resource, name) = (app.clone(), action.resource, action.name.clone());
        Field { app, resource, name, path: path.to_owned(), value }
    };
    let nothing = action.changes.is_empty().then(|| field("", format!("{:?}", action.action)));
    nothing.into_iter().chain(action.changes.iter().map(move |change| field(&change.path, change.to.to_string())))
}

fn describe(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "it is still there".to_owned();
    }
    let one = |Change { path, from, to, .. }: &Change| format!("{path}: sent {to}, came back {from}");
    let mut text = changes.iter().take(NAMED).map(one).collect::<Vec<_>>().join("; ");
    if changes.len() > NAMED {
        text.push_str(&format!("; and {} more", changes.len() - NAMED));
    }
    text
}

#[cfg(test)]
mod tests;
