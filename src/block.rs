//! The block that stays at the bottom of a terminal: apps with their rollouts, orders, the last event, and how to leave. From values to
//! lines; `screen` draws them.

mod columns;
pub mod rate;
pub mod row;

use console::{Style, measure_text_width, truncate_str};

use crate::screen::Size;
use crate::telemetry::line::harmless;
use columns::Columns;
use row::Row;

/// Width of the words before what they name.
const LABEL: usize = 9;

/// What there is to show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    /// The apps, in the order in which they are shown while there is room for all.
    pub rows: Vec<Row>,
    /// What headquarters counts; absent where none is known.
    pub orders: Option<Orders>,
    /// The last event, as a line; may be in colour.
    pub last: Option<String>,
    /// How to leave, and where there is more; the parts that have no room are left out from the end.
    pub foot: Vec<String>,
}

/// What headquarters counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orders {
    /// Orders published in a minute; absent until that can be told.
    pub per_minute: Option<u64>,
    /// Orders fulfilled.
    pub fulfilled: u64,
    /// Orders fulfilled more than once.
    pub duplicates: u64,
}

impl Block {
    /// The lines, none wider than the screen and no more than it has rows but one, which is the cursor's.
    pub fn lines(&self, size: Size, colors: bool) -> Vec<String> {
        let pen = Pen { width: size.width, colors };
        let mut below = Vec::new();
        below.extend(self.orders.as_ref().map(|orders| pen.labelled("orders", &orders.text(&pen))));
        below.extend(self.last.as_ref().map(|last| pen.labelled("last", last)));
        below.push(pen.paint(&Style::new().dim(), &pen.fitting(&self.foot)));
        let columns = Columns::of(&self.rows, size.width);
        let mut lines = vec![pen.paint(&Style::new().dim(), &"─".repeat(size.width))];
        lines.push(pen.paint(&Style::new().dim(), &columns.heading()));
        let room = size.height.saturating_sub(lines.len() + below.len() + 1);
        lines.extend(self.rows(room, &columns, &pen));
        lines.extend(below);
        lines.truncate(size.height.saturating_sub(1));
        lines.iter().map(|line| pen.cut(line)).collect()
    }

    /// As many apps as there is room for, those that need a look first once some have to be left out.
    fn rows(&self, room: usize, columns: &Columns, pen: &Pen) -> Vec<String> {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        let left_out = rows.len().saturating_sub(if rows.len() > room { room.saturating_sub(1) } else { room });
        if left_out > 0 {
            rows.sort_by_key(|row| row.state);
            rows.truncate(self.rows.len() - left_out);
        }
        let mut lines: Vec<String> = rows.iter().map(|row| columns.line(row, pen)).collect();
        if left_out > 0 {
            let apps = if left_out == 1 { "app" } else { "apps" };
            lines.push(
                pen.paint(&Style::new().dim(), &format!("and {left_out} more {apps}; a taller terminal shows them")),
            );
        }
        lines
    }
}

impl Orders {
    fn text(&self, pen: &Pen) -> String {
        let per_minute = self.per_minute.map_or_else(|| "-".to_owned(), grouped);
        let (word, style) = match self.duplicates {
            0 => ("duplicates", Style::new()),
            1 => ("duplicate", Style::new().red().bold()),
            _ => ("duplicates", Style::new().red().bold()),
        };
        let duplicates = pen.paint(&style, &format!("{} {word}", grouped(self.duplicates)));
        format!("{per_minute} a minute · {} fulfilled · {duplicates}", grouped(self.fulfilled))
    }
}

/// How things are written on the screen.
struct Pen {
    width: usize,
    colors: bool,
}

impl Pen {
    fn paint(&self, style: &Style, text: &str) -> String {
        style.clone().force_styling(self.colors).apply_to(text).to_string()
    }

    fn labelled(&self, label: &str, text: &str) -> String {
        format!("{} {text}", self.paint(&Style::new().dim(), &format!("{label:<width$}", width = LABEL - 1)))
    }

    fn cut(&self, line: &str) -> String {
        truncate_str(line, self.width, "…").into_owned()
    }

    /// The parts that fit beside each other.
    fn fitting(&self, parts: &[String]) -> String {
        let mut text = String::new();
        for part in parts {
            let separator = if text.is_empty() { "" } else { " · " };
            if !text.is_empty() && measure_text_width(&text) + 3 + measure_text_width(part) > self.width {
                break;
            }
            text = format!("{text}{separator}{}", harmless(part));
        }
        text
    }
}

/// A count with its thousands set apart.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let grouped = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    grouped.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
