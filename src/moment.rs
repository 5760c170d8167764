//! Times as people read them: in the zone of this machine, in short, with how long ago that was.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::output::count;

/// Seconds by which two clocks that are right may differ.
const AHEAD: i64 = 60;

/// The moment and the place of somebody who reads.
#[derive(Debug, Clone)]
pub struct Reader {
    /// When it is read.
    pub now: Timestamp,
    /// Where it is read.
    pub zone: TimeZone,
}

impl Reader {
    /// Whoever is at this machine now.
    pub fn here() -> Self {
        Self { now: crate::session::now(), zone: TimeZone::system() }
    }

    /// A time of today as `14:03:12`, another as `2026-11-25 14:03`, in the reader's zone.
    pub fn time(&self, at: Timestamp) -> String {
        let (at, now) = (at.to_zoned(self.zone.clone()), self.now.to_zoned(self.zone.clone()));
        let format = if at.date() == now.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M" };
        at.strftime(format).to_string()
    }

    /// As [`Self::time`], and how long ago that was: `14:03:12 (3 min ago)`.
    /// A time that is still to come has no age: a local cloud whose time passes faster is ahead of this machine's clock.
    pub fn time_and_age(&self, at: Timestamp) -> String {
        let seconds = self.now.duration_since(at).as_secs();
        if seconds < -AHEAD { self.time(at) } else { format!("{} ({})", self.time(at), age(seconds)) }
    }
}

/// How long ago something was, in the largest unit of which there is one. A clock that runs behind makes it now.
fn age(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    match seconds {
        ..1 => "now".to_owned(),
        1..MINUTE => format!("{seconds} s ago"),
        MINUTE..HOUR => format!("{} min ago", seconds / MINUTE),
        HOUR..DAY => format!("{} h ago", seconds / HOUR),
        _ => count(seconds / DAY, "day", "days") + " ago",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(now: &str) -> Reader {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        Reader { now: now.parse().unwrap(), zone }
    }

    #[test]
    fn times_are_local_short_and_have_an_age() {
        let reader = reader("2026-11-26T07:03:00Z");
        for (at, said) in [
            ("2026-11-26T07:03:00.9Z", "08:03:00 (now)"),
            ("2026-11-26T07:02:30Z", "08:02:30 (30 s ago)"),
            ("2026-11-26T07:00:00Z", "08:00:00 (3 min ago)"),
            ("2026-11-26T05:04:00Z", "06:04:00 (1 h ago)"),
            // Midnight is the reader's own.
            ("2026-11-25T23:30:00Z", "00:30:00 (7 h ago)"),
            ("2026-11-25T22:30:00Z", "2026-11-25 23:30 (8 h ago)"),
            ("2026-11-25T06:30:00Z", "2026-11-25 07:30 (1 day ago)"),
            ("2026-07-01T06:30:00Z", "2026-07-01 08:30 (148 days ago)"),
        ] {
            assert_eq!(reader.time_and_age(at.parse().unwrap()), said, "{at}");
        }
    }
}
