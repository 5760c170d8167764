//! One pause for all orders: when the API asks to be left alone, nobody calls it until then.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// See the module's text.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    until_ms: AtomicI64,
}

impl Breaker {
    pub(super) fn open(&self, now_ms: i64, pause: Duration) {
        let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        self.until_ms.fetch_max(now_ms.saturating_add(pause_ms), Ordering::Relaxed);
    }

    pub(super) fn pause(&self, now_ms: i64) -> Option<Duration> {
        let left_ms = self.until_ms.load(Ordering::Relaxed).saturating_sub(now_ms);
        u64::try_from(left_ms).ok().filter(|left| *left > 0).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_pause_holds() {
        let breaker = Breaker::default();
        assert_eq!(breaker.pause(0), None);
        breaker.open(1000, Duration::from_secs(5));
        breaker.open(1000, Duration::from_secs(1));
        assert_eq!(breaker.pause(2000), Some(Duration::from_secs(4)));
        assert_eq!(breaker.pause(6000), None);
    }
}
