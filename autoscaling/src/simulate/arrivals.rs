//! When orders arrive.

use super::MINUTE;
use super::random::Random;

/// How orders are spread over a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pattern {
    /// Independently of each other, as the orders of many people are (a Poisson process).
    #[default]
    Poisson,
    /// Evenly.
    Even,
}

/// The moments at which orders arrive, in microseconds from the start, in order.
#[derive(Debug, Clone)]
pub struct Arrivals<'a> {
    orders_per_minute: &'a [f64],
    pattern: Pattern,
    random: Random,
    minute: usize,
    /// How much of the minute is over, from 0 to 1.
    passed: f64,
    /// How many orders the curve brings until the next one: 1 on average.
    ahead: f64,
}

impl<'a> Arrivals<'a> {
    pub(crate) fn new(orders_per_minute: &'a [f64], pattern: Pattern, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let ahead = match pattern {
            Pattern::Poisson => random.exponential(),
            // In the middle, so that a minute of n orders has exactly n whatever is rounded.
            Pattern::Even => 0.5,
        };
        Self { orders_per_minute, pattern, random, minute: 0, passed: 0.0, ahead }
    }
}

impl Iterator for Arrivals<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        loop {
            let rate = *self.orders_per_minute.get(self.minute)?;
            let rest = rate * (1.0 - self.passed);
            if self.ahead < rest {
                break self.passed += self.ahead / rate;
            }
            self.ahead -= rest;
            self.minute += 1;
            self.passed = 0.0;
        }
        self.ahead = match self.pattern {
            Pattern::Poisson => self.random.exponential(),
            Pattern::Even => 1.0,
        };
        let within = (self.passed * MINUTE as f64) as u64;
        // What is rounded up to the end of a minute still belongs to it.
        Some(self.minute as u64 * MINUTE + within.min(MINUTE - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_minute(curve: &[f64], pattern: Pattern) -> Vec<usize> {
        let arrivals: Vec<u64> = Arrivals::new(curve, pattern, 7).collect();
        assert!(arrivals.is_sorted());
        let minutes = 0..curve.len() as u64;
        minutes.map(|minute| arrivals.iter().filter(|at| **at / MINUTE == minute).count()).collect()
    }

    #[test]
    fn even_arrivals_are_the_curve() {
        assert_eq!(by_minute(&[20.0, 0.0, 3.0, 250.0, 0.5, 0.5], Pattern::Even), [20, 0, 3, 250, 0, 1]);
    }

    #[test]
    fn poisson_arrivals_are_the_curve_on_average() {
        let curve = [[100.0; 500], [10.0; 500], [0.0; 500]].concat();
        let counted = by_minute(&curve, Pattern::Poisson);
        let mean = |range: std::ops::Range<usize>| counted[range].iter().sum::<usize>() as f64 / 500.0;
        let means = [mean(0..500), mean(500..1000), mean(1000..1500)];
        assert!((98.0..102.0).contains(&means[0]) && (9.4..10.6).contains(&means[1]) && means[2] == 0.0, "{means:?}");
    }
}
