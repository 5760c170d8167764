//! How many orders are due: a pure function of the rate, the time of the last order and the time.

use std::time::Duration;

/// One decision of [`due`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Due {
    /// How many orders to publish now.
    pub(crate) orders: u32,
    /// When the last of them was due: the `last` of the next decision.
    pub(crate) last: Option<Duration>,
    /// When the next order is due, on the clock of `now`; never, at rate zero.
    pub(crate) next: Option<Duration>,
}

/// Decides how many orders are due at `now` when `last` was the time of the one before, both since some fixed start.
///
/// The first order is due at once. What a stall held up is made good for at most one second's worth of orders: a cloud
/// that was away must not be met by a flood. `per_minute` has been checked by [`crate::rates::checked_rate`].
pub(crate) fn due(per_minute: f64, last: Option<Duration>, now: Duration) -> Due {
    if per_minute <= 0.0 {
        return Due { orders: 0, last: None, next: None };
    }
    let interval = Duration::from_secs_f64(60.0 / per_minute);
    let Some(last) = last else {
        return Due { orders: 1, last: Some(now), next: Some(now + interval) };
    };
    let owed = now.saturating_sub(last).as_nanos() / interval.as_nanos().max(1);
    let burst = (per_minute / 60.0).ceil().max(1.0) as u32;
    let (orders, last) = match u32::try_from(owed) {
        Ok(orders) if orders <= burst => (orders, last + interval * orders),
        _ => (burst, now),
    };
    Due { orders, last: Some(last), next: Some(last + interval) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_first_order_is_due_at_once() {
        assert_eq!(due(60.0, None, seconds(7)), Due { orders: 1, last: Some(seconds(7)), next: Some(seconds(8)) });
    }

    #[test]
    fn nothing_is_due_at_rate_zero_and_the_next_start_is_a_first_order() {
        assert_eq!(due(0.0, Some(seconds(1)), seconds(100)), Due { orders: 0, last: None, next: None });
    }

    #[test]
    fn nothing_is_due_before_the_interval_is_over() {
        let early = due(60.0, Some(seconds(1)), seconds(1) + Duration::from_millis(999));
        assert_eq!(early, Due { orders: 0, last: Some(seconds(1)), next: Some(seconds(2)) });
    }

    #[test]
    fn a_late_decision_keeps_the_beat() {
        let late = due(600.0, Some(seconds(1)), Duration::from_millis(1_350));
        assert_eq!(late.orders, 3);
        assert_eq!(late.last, Some(Duration::from_millis(1_300)));
        assert_eq!(late.next, Some(Duration::from_millis(1_400)));
    }

    #[test]
    fn a_stall_is_made_good_for_one_second_only() {
        let stalled = due(600.0, Some(seconds(1)), seconds(3_600));
        assert_eq!(
            stalled,
            Due { orders: 10, last: Some(seconds(3_600)), next: Some(Duration::from_millis(3_600_100)) }
        );
        assert_eq!(due(6.0, Some(seconds(1)), seconds(3_600)).orders, 1);
    }

    #[test]
    fn any_uneven_polling_yields_the_rate() {
        for (per_minute, expected) in [(60.0, 61), (600.0, 601), (7.0, 8), (60_000.0, 60_001)] {
            let (mut last, mut published, mut now) = (None, 0, Duration::ZERO);
            let mut step = 1;
            while now <= seconds(60) {
                let decision = due(per_minute, last, now);
                published += decision.orders;
                last = decision.last;
                step = step * 7 % 211;
                now =
                    if now == seconds(60) { seconds(61) } else { (now + Duration::from_millis(step)).min(seconds(60)) };
            }
            assert_eq!(published, expected, "at {per_minute} a minute");
        }
    }
}
