//! The columns of the apps: as wide as what is in them, and what has no room is cut.

use console::{Alignment, Style, measure_text_width, pad_str, truncate_str};
use interstella_controller::transition::Tone;

use super::Pen;
use super::row::{Row, State, Tasks};
use crate::telemetry::line::{color, harmless};

const APP: &str = "APP";
const REVISION: &str = "REVISION";
const COUNTS: [&str; 3] = ["DESIRED", "RUNNING", "HEALTHY"];
const ROLLOUT: &str = "ROLLOUT";
const STATE: &str = "STATE";
const NOTE: &str = "NOTE";
/// Width of the widest state.
const STATE_WIDTH: usize = 11;
/// Between two columns.
const GAP: usize = 2;
/// Widths that the bar may have.
const BAR: (usize, usize) = (7, 16);
/// Widest names where there is room for more: it is the notes'.
const NAME_MOST: usize = 32;
/// A note that has less room is left out.
const NOTE_LEAST: usize = 20;

/// Widths of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    app: usize,
    revision: usize,
    bar: usize,
    note: usize,
}

impl Columns {
    /// The widths for these rows on a screen that is `width` wide.
    pub fn of(rows: &[Row], width: usize) -> Self {
        let widest = |of: fn(&Row) -> &str, head: &str| {
            rows.iter().map(|row| measure_text_width(of(row))).max().unwrap_or(0).clamp(head.len(), NAME_MOST)
        };
        let counts: usize = COUNTS.iter().map(|head| head.len()).sum::<usize>() + COUNTS.len() - 1;
        let rest = width.saturating_sub(counts + STATE_WIDTH + 4 * GAP);
        let names = rest.saturating_sub(BAR.0);
        let revision = widest(|row| &row.revision, REVISION);
        // Names share what there is: neither is cut for the sake of the other's empty room.
        let app = widest(|row| &row.app, APP).min(names.saturating_sub(revision.min(names / 2)));
        let revision = revision.min(names.saturating_sub(app));
        let bar = rest.saturating_sub(app + revision).clamp(BAR.0, BAR.1);
        let note = rest.saturating_sub(app + revision + bar + GAP);
        Self { app, revision, bar, note: if note < NOTE_LEAST { 0 } else { note } }
    }

    /// What the columns are.
    pub fn heading(&self) -> String {
        let cells = [left(APP, self.app), left(REVISION, self.revision), COUNTS.join(" "), left(ROLLOUT, self.bar)];
        let note = if self.note > 0 { format!("{STATE:<STATE_WIDTH$}  {NOTE}") } else { STATE.to_owned() };
        format!("{}  {note}", cells.join("  "))
    }

    /// One row.
    pub fn line(&self, row: &Row, pen: &Pen) -> String {
        let Row { app, revision, tasks, state, note } = row;
        let style = color(tone(*state));
        let mut cells = vec![
            pen.paint(&Style::new().bold(), &left(&harmless(app), self.app)),
            left(&keep_end(&harmless(revision), self.revision), self.revision),
            counts(tasks.as_ref()),
            pen.paint(&style, &bar(tasks.as_ref(), self.bar)),
        ];
        if self.note > 0 {
            cells.push(pen.paint(&style, &left(state.word(), STATE_WIDTH)));
            cells.push(truncate_str(&harmless(note), self.note, "…").into_owned());
        } else {
            cells.push(pen.paint(&style, state.word()));
        }
        cells.join("  ")
    }
}

fn tone(state: State) -> Tone {
    match state {
        State::Ready => Tone::Good,
        State::Progressing => Tone::Neutral,
        State::Unreadable => Tone::Notable,
        State::Stalled => Tone::Bad,
    }
}

fn left(text: &str, width: usize) -> String {
    pad_str(text, width, Alignment::Left, Some("…")).into_owned()
}

/// A revision is told from another by its end.
fn keep_end(text: &str, width: usize) -> String {
    if measure_text_width(text) <= width {
        return text.to_owned();
    }
    let mut end = text;
    while measure_text_width(end) + 1 > width {
        let mut characters = end.chars();
        if characters.next().is_none() {
            break;
        }
        end = characters.as_str();
    }
    format!("…{end}")
}

fn counts(tasks: Option<&Tasks>) -> String {
    let count = |count: Option<u32>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
    let healthy = tasks.and_then(|tasks| tasks.healthy);
    let values = [tasks.map(|tasks| tasks.desired), tasks.map(|tasks| tasks.running), healthy];
    let cells = values.iter().zip(COUNTS).map(|(value, head)| format!("{:>width$}", count(*value), width = head.len()));
    cells.collect::<Vec<_>>().join(" ")
}

/// How far the newest deployment is: the share of its tasks that run.
fn bar(tasks: Option<&Tasks>, width: usize) -> String {
    let full = match tasks {
        None => 0,
        Some(Tasks { desired: 0, .. }) => width,
        Some(Tasks { desired, rolled_out, .. }) => {
            let share = u64::from(*rolled_out.min(desired)) * width as u64 / u64::from(*desired);
            usize::try_from(share).unwrap_or(width)
        }
    };
    format!("{}{}", "█".repeat(full), "░".repeat(width - full))
}
