//! A line that is redrawn in place on a terminal, and printed again every few seconds in a pipe if it has changed. On
//! standard error.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use crate::output;

/// How often a pipe gets a line.
const PIPE_EVERY: Duration = Duration::from_secs(5);

/// A live line.
pub struct Live {
    bar: Option<ProgressBar>,
    shown: String,
    at: Instant,
}

impl Live {
    /// Begins, without a line yet.
    pub fn start() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, shown: String::new(), at: Instant::now() }
    }

    /// Shows a line.
    pub fn show(&mut self, line: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(line.to_owned());
            bar.tick();
        } else if self.at.elapsed() >= PIPE_EVERY && self.shown != line {
            output::note(line);
            line.clone_into(&mut self.shown);
            self.at = Instant::now();
        }
    }

    /// Takes the line away from a terminal.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
