//! Lengths of time as people type them.

use std::time::Duration;

/// Longest length: a leap year.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3_600);

/// Reads `1500ms`, `2s`, `2.5m`, `6h` or `7d`.
///
/// # Errors
/// What a length of time looks like.
pub fn duration(text: &str) -> Result<Duration, String> {
    let said = || "a length of time is a number and ms, s, m, h or d, such as 2s or 7d, and at most 366d".to_owned();
    let split = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(said)?;
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(said()),
    };
    let number: f64 = number.parse().map_err(|_| said())?;
    Duration::try_from_secs_f64(number * seconds).ok().filter(|length| *length <= LONGEST).ok_or_else(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        for (text, millis) in [
            ("1500ms", Some(1_500)),
            ("2s", Some(2_000)),
            ("2.5m", Some(150_000)),
            ("6h", Some(21_600_000)),
            ("7d", Some(604_800_000)),
            ("0s", Some(0)),
            ("2", None),
            ("s", None),
            ("-1s", None),
            ("1w", None),
            ("367d", None),
            ("NaNs", None),
            ("", None),
        ] {
            assert_eq!(duration(text).ok(), millis.map(Duration::from_millis), "{text}");
        }
    }
}
