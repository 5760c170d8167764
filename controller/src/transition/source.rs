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
    let told =
        |app: Option<&AppName>, kind, cause: &str| Transition { at, app: app.cloned(), kind, cause: cause.to_owned() };
    let mut all = Vec::new();
    let is_first = before.is_none();
    let nothing = Declared::default();
    let before = before.unwrap_or(&nothing);
    if let Some(first) = now.problems.first().filter(|_| before.problems != now.problems) {
        let more = now.problems.len() - 1;
        let first = first.lines().next().unwrap_or_default();
        let first = if more == 0 { first.to_owned() } else { format!("{first} (and {more} more)") };
        let in_force = match now.editions.is_empty() {
            true => "nothing is deployed until it is mended",
            false => "the last good version stays in force",
        };
        all.push(told(None, Kind::ManifestBroken, &format!("{first}; {in_force}")));
    }
    if now.problems.is_empty() && !before.problems.is_empty() {
        all.push(told(None, Kind::ManifestMended, "what is written is in force again"));
    }
    let changed = now.editions.iter().filter(|(app, edition)| {
        !is_first && before.editions.get(app) != Some(*edition) && !before.released.contains(*app)
    });
    all.extend(changed.map(|(app, _)| {
        told(Some(app), Kind::ManifestChanged, if before.editions.contains_key(app) { "" } else { "new here" })
    }));
    for app in before.editions.keys().filter(|app| !now.editions.contains_key(*app)) {
        all.push(if now.released.contains(app) {
            told(
                Some(app),
                Kind::Released,
                "as `interstella destroy --stop` asks; a changed manifest or `apply` takes it back",
            )
        } else {
            let how = format!(
                "no manifest declares it any more; it stays as it is (to delete it: interstella destroy {app})"
            );
            told(Some(app), Kind::Withdrawn, &how)
        });
    }
    all
}
