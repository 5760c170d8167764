//! When orders arrive: a pure function of the curve, the bursts and a seed.
//!
//! Arrivals are a Poisson process, as those of customers who do not know of each other: the gaps between them are drawn
//! from the exponential distribution of the rate that is in force. One seed is one run, so that a run can be repeated.

use std::time::Duration;

use crate::profile::Profile;

/// Most orders of one run; each takes 16 bytes here and 16 more when it is answered.
pub const MOST_ORDERS: usize = 2_000_000;
const MINUTE: Duration = Duration::from_secs(60);

/// A time in which orders arrive at one rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// When it begins, from the start of the run.
    pub from: Duration,
    /// When it ends.
    pub to: Duration,
    /// Orders a minute.
    pub per_minute: f64,
}

/// Orders that arrive all at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    /// How many.
    pub orders: usize,
    /// When, from the start of the run.
    pub at: Duration,
}

/// The spans of a profile.
pub fn spans(profile: &Profile) -> Vec<Span> {
    let span = |pair: &[(u32, f64)]| match *pair {
        [(from, per_minute), (to, _)] => Some(Span { from: MINUTE * from, to: MINUTE * to, per_minute }),
        _ => None,
    };
    profile.steps.windows(2).filter_map(span).collect()
}

/// When each order arrives, from the start of the run, in ascending order. None if there are more than [`MOST_ORDERS`].
pub fn arrivals(spans: &[Span], bursts: &[Burst], seed: u64) -> Option<Vec<Duration>> {
    let mut random = Random(seed);
    let mut arrivals = Vec::new();
    for span in spans.iter().filter(|span| span.per_minute > 0.0) {
        // The gap that a span's end cuts off need not be carried over: the process has no memory.
        let mut at = span.from.saturating_add(random.gap(span.per_minute));
        while at < span.to {
            arrivals.push(at);
            if arrivals.len() > MOST_ORDERS {
                return None;
            }
            at = at.saturating_add(random.gap(span.per_minute));
        }
    }
    for burst in bursts {
        if burst.orders > MOST_ORDERS - arrivals.len() {
            return None;
        }
        arrivals.extend(std::iter::repeat_n(burst.at, burst.orders));
    }
    arrivals.sort_unstable();
    Some(arrivals)
}

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014): one seed is one
/// sequence, on every machine and in every version of this program.
struct Random(u64);

impl Random {
    /// The time from one arrival to the next.
    fn gap(&mut self, per_minute: f64) -> Duration {
        // From 0 to below 1, so that the logarithm is finite.
        let uniform = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let seconds = MINUTE.as_secs_f64() * -(1.0 - uniform).ln() / per_minute;
        // At the smallest rates the next order would come later than times can be.
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(minutes: u32) -> Duration {
        MINUTE * minutes
    }

    #[test]
    fn a_profile_is_its_steps_without_the_end() {
        let profile = Profile { steps: vec![(0, 20.0), (10, 0.5), (30, 0.0)] };
        let expected = [
            Span { from: minutes(0), to: minutes(10), per_minute: 20.0 },
            Span { from: minutes(10), to: minutes(30), per_minute: 0.5 },
        ];
        assert_eq!(spans(&profile), expected);
    }

    /// The count in a span is Poisson's, with a deviation of the root of its mean.
    #[test]
    fn every_span_has_about_as_many_orders_as_its_rate_says_and_none_lies_outside() {
        let rates = [20.0, 600.0, 0.0, 0.5, f64::MIN_POSITIVE];
        let span = |(index, per_minute): (u32, f64)| Span {
            from: minutes(index * 100),
            to: minutes((index + 1) * 100),
            per_minute,
        };
        let spans: Vec<Span> = (0_u32..).zip(rates).map(span).collect();
        for seed in 0..20 {
            let arrivals = arrivals(&spans, &[], seed).unwrap();
            assert!(arrivals.is_sorted());
            for span in &spans {
                let count = arrivals.iter().filter(|at| (span.from..span.to).contains(*at)).count() as f64;
                let mean = span.per_minute * 100.0;
                assert!((count - mean).abs() <= 5.0 * mean.sqrt(), "seed {seed}, {span:?}: {count}");
            }
            assert!(arrivals.iter().all(|at| *at < minutes(500)));
        }
    }

    #[test]
    fn one_seed_is_one_run() {
        let spans = [Span { from: minutes(0), to: minutes(60), per_minute: 60.0 }];
        assert_eq!(arrivals(&spans, &[], 1), arrivals(&spans, &[], 1));
        assert_ne!(arrivals(&spans, &[], 1), arrivals(&spans, &[], 2));
    }

    /// The first values of the generator for this seed, as its authors' reference program gives them.
    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = Random(1_234_567);
        let first = [random.next(), random.next(), random.next()];
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn bursts_come_at_their_time_between_the_others() {
        let spans = [Span { from: minutes(0), to: minutes(2), per_minute: 30.0 }];
        let alone = arrivals(&spans, &[], 7).unwrap();
        let both = arrivals(&spans, &[Burst { orders: 50, at: minutes(1) }], 7).unwrap();
        assert!(both.is_sorted());
        assert_eq!(both.len(), alone.len() + 50);
        assert_eq!(both.iter().filter(|at| **at == minutes(1)).count(), 50);
    }

    #[test]
    fn too_many_orders_are_refused_before_they_fill_the_memory() {
        let spans = [Span { from: minutes(0), to: minutes(60), per_minute: 1e6 }];
        assert_eq!(arrivals(&spans, &[], 1), None);
        assert_eq!(arrivals(&[], &[Burst { orders: MOST_ORDERS + 1, at: minutes(0) }], 1), None);
    }
}
