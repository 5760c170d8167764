//! A count seen again and again, as so many a minute.

use std::collections::VecDeque;
use std::time::Duration;

/// What is counted in.
const WINDOW: Duration = Duration::from_secs(60);
/// Shorter, and a rate is a guess.
const LEAST: Duration = Duration::from_secs(5);

/// The counts of the last minute.
#[derive(Debug, Clone, Default)]
pub struct Rate(VecDeque<(Duration, u64)>);

impl Rate {
    /// Takes in a count at a moment, told as the time since some beginning.
    pub fn note(&mut self, at: Duration, count: u64) {
        // A count that goes back is of another headquarters.
        if self.0.back().is_some_and(|(_, last)| *last > count) {
            self.0.clear();
        }
        self.0.push_back((at, count));
        while self.0.get(1).is_some_and(|(second, _)| at.saturating_sub(*second) >= WINDOW) {
            self.0.pop_front();
        }
    }

    /// How many came in a minute, from what the last minute shows; absent while that is too short.
    pub fn per_minute(&self) -> Option<u64> {
        let ((first, from), (last, to)) = (self.0.front()?, self.0.back()?);
        let elapsed = last.saturating_sub(*first);
        (elapsed >= LEAST).then(|| {
            let a_minute = u128::from(to - from) * WINDOW.as_millis();
            u64::try_from((a_minute + elapsed.as_millis() / 2) / elapsed.as_millis()).unwrap_or(u64::MAX)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(counts: &[(u64, u64)]) -> Option<u64> {
        let mut rate = Rate::default();
        counts.iter().for_each(|(seconds, count)| rate.note(Duration::from_secs(*seconds), *count));
        rate.per_minute()
    }

    #[test]
    fn a_rate_is_that_of_the_last_minute() {
        assert_eq!(after(&[(0, 100)]), None);
        assert_eq!(after(&[(0, 100), (4, 104)]), None);
        assert_eq!(after(&[(0, 100), (10, 110)]), Some(60));
        assert_eq!(after(&[(0, 0), (30, 600), (90, 600), (100, 600)]), Some(0));
        assert_eq!(after(&[(0, 100), (10, 110), (20, 3), (30, 13)]), Some(60));
    }
}
