//! `status --watch`: looks again and again. On a terminal one picture is redrawn in place; in a pipe an app is printed when it changed.

use std::process::ExitCode;
use std::time::Duration;

use interstella_controller::desired::Desired;
use interstella_controller::status::AppStatus;

use crate::cli::Format;
use crate::failure::Failure;
use crate::screen::Picture;
use crate::session::Session;
use crate::verb::Context;
use crate::{output, screen};

/// Wait between two looks.
const INTERVAL: Duration = Duration::from_secs(2);

/// Looks until the verb is ended from outside.
pub async fn run(context: &Context, session: &Session, apps: &[Desired]) -> Result<ExitCode, Failure> {
    let mut picture = Picture::begin();
    let mut ticks = tokio::time::interval(INTERVAL);
    let mut last = Vec::new();
    loop {
        ticks.tick().await;
        let (_, statuses) = super::look(session, apps).await;
        let size = screen::size_of_stdout().filter(|_| context.common.output == Format::Text);
        if let Some(size) = size {
            output::line(picture.of(&lines(&statuses), size))?;
        } else {
            let changed: Vec<AppStatus> = statuses.iter().filter(|one| !last.contains(*one)).cloned().collect();
            if !changed.is_empty() {
                super::print(context, &changed)?;
            }
        }
        last = statuses;
    }
}

/// All apps, line by line.
fn lines(statuses: &[AppStatus]) -> Vec<String> {
    statuses.iter().flat_map(|status| super::text(status).lines().map(ToOwned::to_owned).collect::<Vec<_>>()).collect()
}
