//! One line of the log as people read it: the time, which app, what became of it, and why.

use console::{Style, measure_text_width};
use interstella_controller::transition::{Tone, Transition};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Continued lines begin below the text, behind the time.
const INDENT: &str = "         ";

/// How the time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// `HH:MM:SS`, for whoever looks on.
    Clock,
    /// With date and offset, for a log that is kept.
    Dated,
}

/// What a line is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    /// When, as it is shown.
    pub time: String,
    /// How urgent, where the kind does not say it.
    pub level: Option<&'static str>,
    /// Which part of the program says it; only where more is asked for.
    pub target: Option<String>,
    /// Which app.
    pub app: Option<String>,
    /// What became of it.
    pub kind: Option<String>,
    /// How that is to be taken.
    pub tone: Option<Tone>,
    /// The rest; may have several lines.
    pub text: String,
}

/// Where a line is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// In colour.
    pub colors: bool,
    /// Lines are broken between words at this width; absent where nothing is.
    pub width: Option<usize>,
}

impl Time {
    /// A moment in the local time of this machine.
    pub fn of(self, at: Timestamp, zone: &TimeZone) -> String {
        let format = match self {
            Self::Clock => "%H:%M:%S",
            Self::Dated => "%Y-%m-%dT%H:%M:%S%:z",
        };
        at.to_zoned(zone.clone()).strftime(format).to_string()
    }
}

impl Line {
    /// A transition as a line.
    pub fn of(transition: &Transition, zone: &TimeZone) -> Self {
        let Transition { at, app, kind, cause } = transition;
        Self {
            time: Time::Clock.of(*at, zone),
            app: app.as_ref().map(ToString::to_string),
            kind: Some(kind.words().to_owned()),
            tone: Some(kind.tone()),
            text: cause.clone(),
            ..Self::default()
        }
    }

    /// The line, without a line break at its end.
    pub fn render(&self, place: Place) -> String {
        let paint = |style: Style, text: &str| style.force_styling(place.colors).apply_to(text).to_string();
        let Self { time, level, target, app, kind, tone, text } = self;
        let mut head = vec![paint(Style::new().dim(), time)];
        head.extend(level.map(|level| paint(color(tone_of_level(level)), level)));
        head.extend(target.as_ref().map(|target| paint(Style::new().dim(), &format!("{target}:"))));
        head.extend(app.as_ref().map(|app| paint(Style::new().bold(), &format!("{app}:"))));
        let end = if text.is_empty() { "" } else { ":" };
        head.extend(kind.as_ref().map(|kind| format!("{}{end}", paint(color(tone.unwrap_or(Tone::Neutral)), kind))));
        if !text.is_empty() {
            head.push(harmless(text));
        }
        let line = head.join(" ");
        place.width.map_or_else(|| line.clone(), |width| wrap(&line, width))
    }
}

/// Reads the tone out of the log's fields.
pub fn tone(word: &str) -> Option<Tone> {
    [Tone::Good, Tone::Neutral, Tone::Notable, Tone::Bad].into_iter().find(|tone| tone.word() == word)
}

fn tone_of_level(level: &str) -> Tone {
    match level {
        "ERROR" => Tone::Bad,
        "WARN" => Tone::Notable,
        _ => Tone::Neutral,
    }
}

/// What others say may hold what a terminal takes for an order.
pub fn harmless(text: &str) -> String {
    text.chars().map(|one| if one.is_control() && one != '\n' { '\u{fffd}' } else { one }).collect()
}

/// The colour of a tone.
pub fn color(tone: Tone) -> Style {
    match tone {
        Tone::Good => Style::new().green(),
        Tone::Neutral => Style::new().cyan(),
        Tone::Notable => Style::new().yellow(),
        Tone::Bad => Style::new().red().bold(),
    }
}

/// Breaks lines between words, so that a terminal does not break them within. A word that is wider than that stays whole: it may
/// be something to copy.
fn wrap(text: &str, width: usize) -> String {
    text.lines().map(|line| wrap_line(line, width)).collect::<Vec<_>>().join("\n")
}

fn wrap_line(line: &str, width: usize) -> String {
    if measure_text_width(line) <= width {
        return line.to_owned();
    }
    let text = line.trim_start_matches(' ');
    let mut lines = Vec::new();
    let mut current = " ".repeat(line.len() - text.len());
    for word in text.split(' ') {
        let is_first = current.trim().is_empty();
        let needed = measure_text_width(&current) + usize::from(!is_first) + measure_text_width(word);
        if needed > width && !is_first {
            lines.push(std::mem::replace(&mut current, format!("{INDENT}{word}")));
        } else {
            current.push_str(if is_first { "" } else { " " });
            current.push_str(word);
        }
    }
    lines.push(current);
    lines.join("\n")
}

#[cfg(test)]
mod tests;
