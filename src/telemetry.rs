//! Logs go to standard error, one line an event; results never do.

pub mod line;

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::cli::Common;
use crate::screen;
use line::{Line, Place, Time};

/// What a verb's log is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The verb shows its passes itself and is not told a second time what they do.
    Beside,
    /// Somebody looks on.
    Watched,
    /// It is kept, unless somebody looks on at a terminal.
    Kept,
}

/// Starts logging at the level that `-v` asks for; `RUST_LOG` overrides it.
pub fn start(common: &Common, environment: &[(String, String)], purpose: Purpose) {
    let level = match common.verbose {
        0 if purpose == Purpose::Beside => "warn,interstella_controller=error",
        0 => "warn,interstella=info,interstella_controller=info,interstella_localcloud=info,interstella_hq=warn",
        1 => "info,interstella=debug,interstella_controller=debug,interstella_localcloud=debug,interstella_hq=debug",
        _ => "info,interstella=trace,interstella_controller=trace,interstella_localcloud=trace,interstella_hq=trace",
    };
    // What was done is shown by the verb, with its fields.
    let twice = if purpose == Purpose::Beside { ",interstella_controller::execute=off" } else { "" };
    let level = format!("{level}{twice}");
    let wanted = lookup(environment, "RUST_LOG").unwrap_or(&level);
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).parse_lossy(wanted);
    let time = if purpose == Purpose::Kept && screen::size().is_none() { Time::Dated } else { Time::Clock };
    let format = Format {
        time,
        zone: TimeZone::system(),
        colors: crate::output::colors(common, environment),
        targets: common.verbose > 0,
    };
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| screen::Above).event_format(format).init();
}

/// How events become lines.
struct Format {
    time: Time,
    zone: TimeZone,
    colors: bool,
    targets: bool,
}

impl<S, N> FormatEvent<S, N> for Format
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut read = Read::default();
        event.record(&mut read);
        let (level, metadata) = (*event.metadata().level(), event.metadata());
        let line = Line {
            time: self.time.of(now(), &self.zone),
            // What became of an app says itself how urgent it is.
            level: (level != Level::INFO && read.line.kind.is_none()).then(|| level.as_str()),
            target: self.targets.then(|| metadata.target().to_owned()),
            text: format!("{}{}", read.line.text, read.others),
            ..read.line
        };
        let width = screen::size().map(|size| size.width);
        writeln!(writer, "{}", line.render(Place { colors: self.colors, width }))
    }
}

/// The fields of an event.
#[derive(Default)]
struct Read {
    line: Line,
    others: String,
}

impl Visit for Read {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "kind" => self.line.kind = Some(value.to_owned()),
            "tone" => self.line.tone = line::tone(value),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.line.text = format!("{value:?}"),
            "app" => self.line.app = Some(format!("{value:?}")),
            name => self.others.push_str(&format!(" {name}={value:?}")),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the edge where lines of the log get their time")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// The value of a variable that is set and not empty.
pub fn lookup<'a>(environment: &'a [(String, String)], name: &str) -> Option<&'a str> {
    environment.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
}
