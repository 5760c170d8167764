//! `status --watch` and `--wait`: looks again and again. On a terminal one picture is redrawn in place; in a pipe an app is printed
//! when it changed.

use std::process::ExitCode;
use std::time::Duration;

use interstella_controller::desired::Desired;
use interstella_controller::status::AppStatus;
use tokio::time::Instant;

use super::{Verdict, Wait};
use crate::cli::Format;
use crate::failure::Failure;
use crate::moment::Reader;
use crate::screen::Picture;
use crate::session::Session;
use crate::verb::Context;
use crate::{output, screen};

/// Wait between two looks.
const INTERVAL: Duration = Duration::from_secs(2);

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
    let mut view = watches.then(View::begin);
    loop {
        let next = Instant::now() + INTERVAL;
        let next = deadline.map_or(next, |deadline| next.min(deadline));
        let statuses = super::look(session, apps).await;
        if let Some(view) = &mut view {
            view.show(context, &statuses)?;
        }
        let is_late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
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
    picture: Picture,
    last: Vec<AppStatus>,
}

impl View {
    fn begin() -> Self {
        Self { picture: Picture::begin(), last: Vec::new() }
    }

    fn show(&mut self, context: &Context, statuses: &[AppStatus]) -> Result<(), Failure> {
        if let Some(size) = screen::size_of_stdout().filter(|_| context.common.output == Format::Text) {
            let text = super::text(statuses, &Reader::here());
            let lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
            return output::line(self.picture.of(&lines, size));
        }
        let changed: Vec<AppStatus> = statuses.iter().filter(|one| !self.last.contains(*one)).cloned().collect();
        self.last = statuses.to_vec();
        if changed.is_empty() { Ok(()) } else { super::print(context, &changed) }
    }
}
