//! The log: one JSON object a line, so that nothing a sender wrote can forge a line.
//!
//! An order writes four lines. The format that comes with the subscriber builds each from dozens of small pieces and costs more
//! than the rest of the order's bookkeeping together; this one has the same members and writes each once.

mod output;

use std::fmt::{self, Debug, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::clock::Clock;
use output::Output;

pub(crate) use output::flush;

/// Starts the log on standard output, with what `filter` lets through.
pub(crate) fn start(filter: &str) {
    // Targets and levels are enough; a filter with regular expressions would add half a megabyte to the binary.
    let filter = filter.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().event_format(Line(Clock::system())).with_writer(Output);
    let started = tracing_subscriber::registry().with(filter).with(lines).try_init();
    if let Err(error) = started {
        eprintln!("worker: logs go where they went before: {error}");
    }
}

/// Writes `{"timestamp":"…","level":"…",FIELDS,"target":"…"}`.
struct Line(Clock);

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        write!(writer, "{{\"timestamp\":\"{:.6}\",\"level\":\"", self.0.now())?;
        writer.write_str(metadata.level().as_str())?;
        writer.write_char('"')?;
        let mut members = Members { writer: &mut writer, written: Ok(()) };
        event.record(&mut members);
        members.written?;
        writer.write_str(",\"target\":\"")?;
        writer.write_str(metadata.target())?;
        writer.write_str("\"}\n")
    }
}

/// Writes fields as members of an object that is already begun.
struct Members<'a, 'w> {
    writer: &'a mut Writer<'w>,
    written: fmt::Result,
}

impl Members<'_, '_> {
    fn bare(&mut self, field: &Field, value: &dyn fmt::Display) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn member(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        let writer = &mut *self.writer;
        self.written = self.written.and_then(|()| {
            writer.write_str(",\"")?;
            writer.write_str(field.name())?;
            writer.write_str("\":")?;
            value(writer)
        });
    }
}

impl Visit for Members<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.member(field, |writer| {
            writer.write_char('"')?;
            write!(Escaped(writer), "{value:?}")?;
            writer.write_char('"')
        });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field, |writer| {
            writer.write_char('"')?;
            Escaped(writer).write_str(value)?;
            writer.write_char('"')
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bare(field, &value);
    }
}

/// The inside of a JSON string.
struct Escaped<'a, 'w>(&'a mut Writer<'w>);

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        let is_special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
        while let Some(place) = rest.bytes().position(is_special) {
            // What is special is one byte long, so both cuts are between characters.
            let (plain, special) = rest.split_at_checked(place).ok_or(fmt::Error)?;
            let (special, after) = special.split_at_checked(1).ok_or(fmt::Error)?;
            self.0.write_str(plain)?;
            for byte in special.bytes() {
                write!(self.0, "\\u{byte:04x}")?;
            }
            rest = after;
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn w39_an_event_is_one_line_of_json_whatever_is_in_it() {
        let lines = Lines::default();
        let for_layer = lines.clone();
        let clock = Clock::new(|| "2026-11-22T20:00:00.25Z".parse().unwrap());
        let layer = tracing_subscriber::fmt::layer().event_format(Line(clock)).with_writer(move || for_layer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let forged = "a\"b\\c\r\n{\"level\":\"ERROR\"}\u{1b}[31m\0ü";
            tracing::info!(status = 200, late = true, shown = %forged, debugged = ?forged, text = forged, "It is {forged}");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        let forged = "a\"b\\c\r\n{\"level\":\"ERROR\"}\u{1b}[31m\0ü";
        assert_eq!(
            line,
            serde_json::json!({
                "timestamp": "2026-11-22T20:00:00.250000Z",
                "level": "INFO",
                "message": format!("It is {forged}"),
                "status": 200,
                "late": true,
                "shown": forged,
                "debugged": format!("{forged:?}"),
                "text": forged,
                "target": "interstella_worker::log::tests",
            })
        );
    }
}
