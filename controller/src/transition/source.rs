//! From one state of the manifests to the next: what is worth telling.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Kind, Transition};
use crate::app::AppName;

/// The manifests as the controller took them in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Declared {
    /// The version of each app that is in force: another number after each change.
    pub editions: BTreeMap<AppName, u64>,
    /// Apps that somebody asked to let go of.
    pub released: BTreeSet<AppName>,
    /// What is wrong with the manifests as they are now.
    pub problems: Vec<String>,
}

/// What there is to tell when the manifests went from `before` to `now`. What is declared when they are taken in for the first time
/// is no news, nor is what was let go of and is managed again: whoever takes it back says why.
#[must_use]
pub fn of_source(before: Option<&Declared>, now: &Declared, at: Timestamp) -> Vec<Transition> {
    let nothing = Declared { editions: now.editions.clone(), ..Declared::default() };
    let before = before.unwrap_or(&nothing);
    let told = problems(before, now).into_iter().map(|(kind, cause)| (None, kind, cause));
    let told = told.chain(changed(before, now)).chain(gone(before, now));
    told.map(|(app, kind, cause)| Transition { at, app, kind, cause }).collect()
}

type Told = (Option<AppName>, Kind, String);

/// That manifests cannot be used, or can be again.
fn problems(before: &Declared, now: &Declared) -> Option<(Kind, String)> {
    let Some(first) = now.problems.first() else {
        let mended = (Kind::ManifestMended, "what is written is in force again".to_owned());
        return (!before.problems.is_empty()).then_some(mended);
    };
    let first = first.lines().next().unwrap_or_default();
    let more = match now.problems.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let in_force = if now.editions.is_empty() {
        "nothing is deployed until it is mended"
    } else {
        "the last good version stays in force"
    };
    let broken = (Kind::ManifestBroken, format!("{first}{more}; {in_force}"));
    (before.problems != now.problems).then_some(broken)
}

/// Apps whose manifest is new or another.
fn changed(before: &Declared, now: &Declared) -> impl Iterator<Item = Told> {
    let changed = now.editions.iter().filter(|(app, edition)| before.editions.get(app) != Some(*edition));
    changed.filter(|(app, _)| !before.released.contains(*app)).map(|(app, _)| {
        let how = if before.editions.contains_key(app) { "" } else { "new here" };
        (Some(app.clone()), Kind::ManifestChanged, how.to_owned())
    })
}

/// Apps that are managed no more.
fn gone(before: &Declared, now: &Declared) -> impl Iterator<Item = Told> {
    before.editions.keys().filter(|app| !now.editions.contains_key(*app)).map(|app| {
        let (kind, why) = if now.released.contains(app) {
            let why = "as `interstella destroy --stop` asks; a changed manifest or `apply` takes it back";
            (Kind::Released, why.to_owned())
        } else {
            let why = "no manifest declares it any more; it stays as it is";
            (Kind::Withdrawn, format!("{why} (to delete it: interstella destroy {app})"))
        };
        (Some(app.clone()), kind, why)
    })
}
