//! `status --watch`: looks again and again. On a terminal one picture is redrawn in place; in a pipe an app is printed when it changed.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use interstella_controller::desired::Desired;
use interstella_controller::status::AppStatus;

use crate::cli::Format;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;
use crate::verb::Context;

/// Wait between two looks.
const INTERVAL: Duration = Duration::from_secs(2);
/// Clears the screen, before the first picture.
const CLEAR: &str = "\x1b[2J";
/// Moves to the upper left corner, so that the next picture covers the last one without a flicker.
const HOME: &str = "\x1b[H";
/// A line that is wider than the screen is cut while a picture is drawn, so that its lines stay where they are.
const CUT_LINES: &str = "\x1b[?7l";
const WRAP_LINES: &str = "\x1b[?7h";
/// Clears what is left of a line, and of the screen, beyond what was just written.
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

/// Looks until the verb is ended from outside.
pub async fn run(context: &Context, session: &Session, apps: &[Desired]) -> Result<ExitCode, Failure> {
    let redraws = std::io::stdout().is_terminal() && context.common.output == Format::Text;
    let mut ticks = tokio::time::interval(INTERVAL);
    let mut last = Vec::new();
    if redraws {
        output::line(CLEAR)?;
    }
    loop {
        ticks.tick().await;
        let (_, statuses) = super::look(session, apps).await;
        if redraws {
            output::line(picture(&statuses))?;
        } else {
            let changed: Vec<AppStatus> = statuses.iter().filter(|one| !last.contains(*one)).cloned().collect();
            if !changed.is_empty() {
                super::print(context, &changed)?;
            }
        }
        last = statuses;
    }
}

/// One picture of all apps that covers the last one.
fn picture(statuses: &[AppStatus]) -> String {
    let text: Vec<String> = statuses.iter().map(super::text).collect();
    let text = text.join("\n");
    let lines: Vec<String> = text.lines().map(|line| format!("{line}{CLEAR_LINE}")).collect();
    format!("{HOME}{CUT_LINES}{}{CLEAR_BELOW}{WRAP_LINES}", lines.join("\n"))
}
