//! `top`: the block of `up`, for a controller or an account.

mod source;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::block::{Block, row};
use crate::failure::Failure;
use crate::headquarters::Headquarters;
use crate::telemetry::line::Place;
use crate::verb::Context;
use crate::verb::status::ManifestFlag;
use crate::{output, screen};
use source::{Source, View};

/// Wait between two looks.
const INTERVAL: Duration = Duration::from_secs(2);

/// Flags of `top`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this app
    app: Option<String>,
    /// The manifest, or a directory of manifests
    #[command(flatten)]
    manifests: ManifestFlag,
    /// Ask a running controller instead of AWS, such as http://127.0.0.1:8888
    #[arg(long, value_name = "URL", conflicts_with = "path")]
    controller: Option<String>,
    /// Headquarters, whose counts of orders are shown as well, such as http://127.0.0.1:8889
    #[arg(long, value_name = "URL")]
    hq: Option<String>,
}

/// Looks every two seconds until the verb is ended from outside: redraws in place on a terminal, prints what changed otherwise.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut source = Source::open(context, arguments).await?;
    let mut headquarters = arguments.hq.clone().map(Headquarters::at);
    let colors = output::colors_of_results(&context.common, &context.environment);
    let mut picture = screen::Picture::begin();
    let mut last = View::default();
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        ticks.tick().await;
        let view = source.look(&last).await?;
        let Some(size) = screen::size_of_stdout() else {
            print_changes(&last, &view)?;
            last = view;
            continue;
        };
        let orders = match &mut headquarters {
            Some(headquarters) => headquarters.look().await,
            None => None,
        };
        let last_event = view.last.as_ref().map(|line| line.render(Place { colors, width: None }));
        let foot = vec!["Ctrl-C leaves".to_owned(), source.place()];
        let block = Block { rows: row::rows(&view.apps), orders, last: last_event, foot };
        output::line(picture.of(&block.lines(size, colors), size))?;
        last = view;
    }
}

/// What differs from the look before, a line for each app.
fn print_changes(before: &View, now: &View) -> Result<(), Failure> {
    let old = row::rows(&before.apps);
    for row in row::rows(&now.apps).iter().filter(|row| !old.contains(row)) {
        output::line(row.line())?;
    }
    let event = now.last.as_ref().filter(|_| now.last != before.last);
    event.map_or(Ok(()), |line| output::line(line.render(Place::default())))
}
