//! Load profiles: how many orders a minute arrive, minute by minute, read from small CSV files.
//!
//! ```csv
//! # Lines that begin with # are comments.
//! minute,ordersPerMinute
//! 0,20
//! 30,200
//! 60,0
//! ```
//!
//! A rate holds from its minute until the next line's: 20 orders a minute for half an hour, then 200 for another half.
//! Rates are not interpolated, so that the file says exactly what is sent. The last line ends the profile, and its rate
//! must be 0.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::failure::Failure;

/// The header that a profile must have.
const HEADER: [&str; 2] = ["minute", "ordersPerMinute"];
/// Largest file that is read. A week of one line a minute has about a tenth of it.
const MOST_BYTES: u64 = 1024 * 1024;
/// Latest minute: the end of a leap year.
const LAST_MINUTE: u32 = 366 * 24 * 60;
/// Highest rate, which is more than one local cloud delivers.
pub const MOST_PER_MINUTE: f64 = 1_000_000.0;

/// A load curve of steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Each step's first minute and the orders a minute that arrive from then on. Minutes ascend and begin with 0; the
    /// last step is the end, where the rate is 0.
    pub steps: Vec<(u32, f64)>,
}

impl Profile {
    /// Reads the profile in the file at `path`.
    ///
    /// # Errors
    /// If the file cannot be read, is larger than 1 MiB, or is no profile; the failure names file and line and how to
    /// mend it.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let unreadable = |error| Failure::because(format!("{name} cannot be read"), &error);
        let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        if bytes > MOST_BYTES {
            return Err(Failure::new(format!("{name} has {bytes} bytes; a load profile has at most {MOST_BYTES}"))
                .remedy("give a step only where the rate changes"));
        }
        Self::parse(&name, &std::fs::read_to_string(path).map_err(unreadable)?)
    }

    /// Parses a profile; `name` is what problems call it.
    ///
    /// # Errors
    /// For the first line that is no step, or does not go on from the one before it.
    pub fn parse(name: &str, text: &str) -> Result<Self, Failure> {
        let mut reader = ReaderBuilder::new().comment(Some(b'#')).trim(Trim::All).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| broken(name, &error))?;
        if header.iter().ne(HEADER) {
            let found = header.iter().collect::<Vec<_>>().join(",");
            let what = if found.is_empty() { "it is empty".to_owned() } else { format!("the header is {found:?}") };
            return Err(Failure::new(format!("{name}: {what}"))
                .remedy(format!("begin the file with the line {}", HEADER.join(","))));
        }
        let mut steps = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| broken(name, &error))?;
            let line = record.position().map_or(0, csv::Position::line);
            let step = step(&record, steps.last()).map_err(|problem| at(name, line, problem))?;
            steps.push(step);
        }
        Self { steps }.ended(name)
    }

    fn ended(self, name: &str) -> Result<Self, Failure> {
        let what = match self.steps.last() {
            None | Some((0, _)) => format!("{name}: there is no minute in which orders could arrive"),
            Some((_, 0.0)) => return Ok(self),
            Some((minute, rate)) => format!("{name}: it does not say how long the last step holds: {minute},{rate}"),
        };
        Err(Failure::new(what).remedy("end it with the minute at which the load ends and the rate 0, such as 180,0"))
    }

    /// Orders a minute that arrive in `minute`, counted from 0; none after the end.
    pub fn rate_at(&self, minute: u32) -> f64 {
        let later = self.steps.partition_point(|(first, _)| *first <= minute);
        later.checked_sub(1).map_or(0.0, |index| self.steps[index].1)
    }

    /// How long orders arrive.
    pub fn duration_minutes(&self) -> u32 {
        self.steps.last().map_or(0, |(minute, _)| *minute)
    }
}

/// What is wrong with a line, and how to mend it.
type Problem = (String, &'static str);

fn step(record: &StringRecord, before: Option<&(u32, f64)>) -> Result<(u32, f64), Problem> {
    let (minute, rate) = (record.get(0).unwrap_or_default(), record.get(1).unwrap_or_default());
    let minute = minute.parse().ok().filter(|minute| *minute <= LAST_MINUTE).ok_or_else(|| {
        (format!("{minute:?} is no minute"), "minutes are whole numbers from 0 to 527040, which is a leap year")
    })?;
    let rate = rate.parse().ok().filter(|rate| (0.0..=MOST_PER_MINUTE).contains(rate)).ok_or_else(|| {
        (format!("{rate:?} is no rate"), "rates are orders a minute, from 0 to 1000000, such as 200 or 0.5")
    })?;
    match before {
        None if minute != 0 => Err((format!("the first minute is {minute}"), "begin with minute 0")),
        Some((last, _)) if minute <= *last => {
            Err((format!("minute {minute} comes after minute {last}"), "sort the lines by minute, each minute once"))
        }
        _ => Ok((minute, rate)),
    }
}

fn at(name: &str, line: u64, (what, remedy): Problem) -> Failure {
    Failure::new(format!("{name}:{line}: {what}")).remedy(remedy)
}

fn broken(name: &str, error: &csv::Error) -> Failure {
    let line = error.position().map(|position| format!(":{}", position.line())).unwrap_or_default();
    Failure::because(format!("{name}{line}: this is no line of a load profile"), error)
        .remedy("each line is a minute, a comma and a rate, such as 30,200")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// The profiles that come with the program.
    const SHIPPED: [&str; 5] = ["working-day", "rush-hour", "spike", "slow-ramp", "night"];

    #[test]
    fn a_rate_holds_until_the_next_line() {
        let profile = Profile::parse("p", "# morning\nminute,ordersPerMinute\n0, 20\n30,200.5\n# end\n60,0\n").unwrap();
        assert_eq!(profile.steps, [(0, 20.0), (30, 200.5), (60, 0.0)]);
        let rates = [0, 29, 30, 59, 60, 1000].map(|minute| profile.rate_at(minute));
        assert_eq!(rates, [20.0, 20.0, 200.5, 200.5, 0.0, 0.0]);
        assert_eq!(profile.duration_minutes(), 60);
    }

    #[test]
    fn problems_name_the_line_and_the_remedy() {
        let mut shown = String::new();
        for text in [
            "",
            "minute,rate\n0,1\n",
            "minute,ordersPerMinute\n",
            "minute,ordersPerMinute\n0,0\n",
            "minute,ordersPerMinute\n0,10\n30,20\n",
            "minute,ordersPerMinute\n5,10\n",
            "minute,ordersPerMinute\n0,10\n0,20\n",
            "minute,ordersPerMinute\n# a comment\n0,10\n-1,20\n",
            "minute,ordersPerMinute\n0,10\n527041,0\n",
            "minute,ordersPerMinute\n0,-1\n",
            "minute,ordersPerMinute\n0,NaN\n",
            "minute,ordersPerMinute\n0,1e9\n",
            "minute,ordersPerMinute\n0,10,3\n",
        ] {
            let failure = Profile::parse("load.csv", text).unwrap_err();
            writeln!(shown, "{text:?}\n{failure}\n").unwrap();
        }
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn a_file_that_is_missing_or_too_large_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("load.csv");
        assert!(Profile::read(&path).unwrap_err().to_string().contains("load.csv cannot be read"));
        std::fs::write(&path, "#".repeat(1024 * 1024 + 1)).unwrap();
        assert!(Profile::read(&path).unwrap_err().to_string().contains("at most 1048576"));
    }

    #[test]
    fn every_shipped_profile_can_be_used() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/load");
        let mut names: Vec<String> = std::fs::read_dir(&directory)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let mut expected = SHIPPED;
        expected.sort_unstable();
        assert_eq!(names, expected);
        for name in SHIPPED {
            let profile = Profile::read(&directory.join(format!("{name}.csv"))).unwrap();
            assert!(profile.steps.iter().any(|(_, rate)| *rate > 0.0), "{name}");
        }
    }

    /// Scale-in needs 15 minutes below 90 % of the target, so that the quiet end has to be longer than that.
    #[test]
    fn the_rush_hour_rises_and_leaves_time_to_scale_in() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/load/rush-hour.csv");
        let profile = Profile::read(&path).unwrap();
        let minutes = profile.duration_minutes();
        let rates: Vec<f64> = (0..minutes).map(|minute| profile.rate_at(minute)).collect();
        let highest = rates.iter().copied().fold(0.0, f64::max);
        assert!((120..=180).contains(&minutes) && (200.0..=250.0).contains(&highest), "{minutes} {highest}");
        assert!(rates[..10].iter().all(|rate| *rate <= 20.0), "it begins quietly");
        let quiet = rates.iter().rev().take_while(|rate| **rate <= 20.0).count();
        assert!(quiet >= 60, "quiet for {quiet} minutes");
    }
}
