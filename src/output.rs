//! Results go to standard output, for people or for machines; everything else goes to standard error.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

use serde::Serialize;

use crate::cli::{Common, Format};
use crate::failure::Failure;
use crate::screen;
use crate::telemetry::lookup;

/// Prints a result: `value` as JSON, or `text` for people.
pub fn result(common: &Common, value: &impl Serialize, text: impl Display) -> Result<(), Failure> {
    match common.output {
        Format::Json => {
            let json =
                serde_json::to_string_pretty(value).map_err(|error| Failure::because("cannot write JSON", &error))?;
            line(json)
        }
        Format::Text => line(text),
    }
}

/// Prints one line to standard output. A reader that has gone away, as in `… | head`, is no failure.
pub fn line(text: impl Display) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::because("cannot write to standard output", &error))
        }
        _ => Ok(()),
    }
}

/// Prints a note for the person at the terminal to standard error.
pub fn note(text: impl Display) {
    screen::print(&format!("{text}\n"));
}

/// Whether standard error takes colours.
pub fn colors(common: &Common, environment: &[(String, String)]) -> bool {
    std::io::stderr().is_terminal() && may_color(common, environment)
}

/// Whether standard output takes colours.
pub fn colors_of_results(common: &Common, environment: &[(String, String)]) -> bool {
    std::io::stdout().is_terminal() && may_color(common, environment)
}

fn may_color(common: &Common, environment: &[(String, String)]) -> bool {
    !common.no_color && lookup(environment, "NO_COLOR").is_none()
}

/// A number and its noun: `1 day`, `2 days`.
pub fn count<T: Display + PartialEq + From<u8> + Copy>(number: T, one: &str, many: &str) -> String {
    let noun = if number == T::from(1) { one } else { many };
    format!("{number} {noun}")
}
