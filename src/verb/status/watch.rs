//! `status --watch` and `--wait`: looks again and again. On a terminal one picture is redrawn in place; in a pipe an app is printed
//! when it changed.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use interstella_controller::desired::Desired;
use interstella_controller::status::AppStatus;
use tokio::time::Instant;

use super::{Verdict, Wait};
use crate::cli::Format;
use crate::failure::Failure;
use crate::moment::Reader;
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

/// When looking ends by itself.
#[derive(Debug, Clone, Copy)]
pub struct Until {
    /// What has to be so of every app.
    pub wait: Wait,
    /// How long that may take.
    pub timeout: Duration,
}

impl Until {
    /// The exit status, if there is nothing more to wait for. What cannot be read may be read by the next look.
    fn is_over(self, statuses: &[AppStatus]) -> Option<ExitCode> {
        let verdict = Verdict::of(statuses);
        let deployed = |one: &AppStatus| one.is_deployed() || one.is_ready();
        match (verdict, self.wait) {
            (Verdict::Ready | Verdict::Stalled, _) => Some(verdict.exit_code()),
            (_, Wait::Deployed) if statuses.iter().all(deployed) => Some(ExitCode::SUCCESS),
            (Verdict::Progressing | Verdict::Unread, _) => None,
        }
    }
}

/// Looks until `until`, or until the verb is ended from outside, and shows it: all the time if it `watches`, the end otherwise.
pub async fn run(
    context: &Context,
    session: &Session,
    apps: &[Desired],
    watches: bool,
    until: Option<Until>,
) -> Result<ExitCode, Failure> {
    let deadline = until.map(|until| Instant::now() + until.timeout);
    let mut view = watches.then(|| View::new(context)).transpose()?;
    loop {
        let next = Instant::now() + INTERVAL;
        let statuses = super::look(session, apps).await;
        if let Some(view) = &mut view {
            view.show(context, &statuses)?;
        }
        let is_late = deadline.is_some_and(|deadline| next > deadline);
        let over = until.and_then(|until| until.is_over(&statuses));
        if over.is_some() || is_late {
            if view.is_none() {
                super::print(context, &statuses)?;
            }
            let late = || {
                output::note("not so in time; --timeout gives it longer");
                Verdict::of(&statuses).exit_code()
            };
            return Ok(over.unwrap_or_else(late));
        }
        tokio::time::sleep_until(next).await;
    }
}

/// What is on the screen.
struct View {
    redraws: bool,
    last: Vec<AppStatus>,
}

impl View {
    fn new(context: &Context) -> Result<Self, Failure> {
        let redraws = std::io::stdout().is_terminal() && context.common.output == Format::Text;
        if redraws {
            output::line(CLEAR)?;
        }
        Ok(Self { redraws, last: Vec::new() })
    }

    fn show(&mut self, context: &Context, statuses: &[AppStatus]) -> Result<(), Failure> {
        if self.redraws {
            return output::line(picture(statuses));
        }
        let changed: Vec<AppStatus> = statuses.iter().filter(|one| !self.last.contains(*one)).cloned().collect();
        self.last = statuses.to_vec();
        if changed.is_empty() { Ok(()) } else { super::print(context, &changed) }
    }
}

/// One picture of all apps that covers the last one.
fn picture(statuses: &[AppStatus]) -> String {
    let text = super::text(statuses, &Reader::here());
    let lines: Vec<String> = text.lines().map(|line| format!("{line}{CLEAR_LINE}")).collect();
    format!("{HOME}{CUT_LINES}{}{CLEAR_BELOW}{WRAP_LINES}", lines.join("\n"))
}
