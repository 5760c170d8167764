//! Changes of the bounds at given times (AWS: PutScheduledAction).

use jiff::tz::TimeZoneDatabase;

use super::schedule::{self, Fault, Kind};
use super::{Problems, section, shorten};
use crate::manifest::pointer::Pointer;
use crate::manifest::{Scaling, ScheduledAction};

pub(super) fn check(scaling: &Scaling, problems: &mut Problems) {
    for (index, action) in scaling.scheduled.iter().enumerate() {
        one(action, &section().key("scheduled").index(index), problems);
    }
}

fn one(action: &ScheduledAction, path: &Pointer, problems: &mut Problems) {
    if action.min_capacity.is_none() && action.max_capacity.is_none() {
        let what = "the action changes neither bound";
        problems.add(path.clone(), what, "add `minCapacity`, `maxCapacity` or both");
    }
    let kind = match schedule::parse(&action.schedule) {
        Ok(kind) => Some(kind),
        Err(Fault { what, remedy }) => {
            problems.add(path.key("schedule"), what, remedy);
            None
        }
    };
    if let Some(name) = &action.timezone {
        timezone(name, kind, path.key("timezone"), problems);
    }
    span(action, path, problems);
}

fn timezone(name: &str, kind: Option<Kind>, path: Pointer, problems: &mut Problems) {
    if kind == Some(Kind::Rate) {
        let what = "`rate` counts from the start of the action and has no time zone";
        return problems.add(path, what, "remove it, or use `cron` or `at`");
    }
    // The database inside of the program, so that the answer does not depend on the machine.
    let database = TimeZoneDatabase::bundled();
    if database.get(name).is_ok_and(|zone| zone.iana_name() == Some(name)) {
        return;
    }
    let folded = name.to_lowercase();
    let distance = |known: &String| strsim::damerau_levenshtein(&folded, &known.to_lowercase());
    let nearest = database.available().map(|known| known.as_str().to_owned()).min_by_key(distance);
    let remedy = match nearest.filter(|known| distance(known) <= 1 + known.len() / 5) {
        Some(known) => format!("did you mean `{known}`?"),
        None => "use a name of the IANA database, such as Europe/Berlin or UTC".to_owned(),
    };
    problems.add(path, format!("no time zone has the name `{}`", shorten(name)), remedy);
}

/// When the action begins and ceases to hold.
fn span(action: &ScheduledAction, path: &Pointer, problems: &mut Problems) {
    let mut read = |key: &str, text: &Option<String>| {
        let text = text.as_deref()?;
        let time = text.strip_suffix('Z').and_then(schedule::date_and_time);
        if time.is_none() {
            let what = format!("`{}` is not a time in UTC", shorten(text));
            problems.add(path.key(key), what, "write it as 2026-12-01T00:00:00Z");
        }
        time
    };
    let (start, end) = (read("startTime", &action.start_time), read("endTime", &action.end_time));
    if let (Some(start), Some(end)) = (start, end)
        && start >= end
    {
        let what = "the action ends before it starts";
        problems.add(path.key("endTime"), what, "exchange `startTime` and `endTime`, or leave one out");
    }
}
