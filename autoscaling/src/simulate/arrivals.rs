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
    /// The rate that holds until `end`, and the minute at which another one begins.
    rate: f64,
    end: usize,
    /// When the next order arrives, if that is before the end of its rate.
    next: f64,
}

impl<'a> Arrivals<'a> {
    pub(crate) fn new(orders_per_minute: &'a [f64], pattern: Pattern, seed: u64) -> Self {
        Self { orders_per_minute, pattern, random: Random::new(seed), rate: 0.0, end: 0, next: 0.0 }
    }

    /// Goes on to the next rate. The gap that the end of a rate cuts off need not be carried over: a Poisson process
    /// has no memory.
    fn change_rate(&mut self) -> Option<()> {
        self.rate = *self.orders_per_minute.get(self.end)?;
        let start = self.end;
        let same = self.orders_per_minute[start..].iter().take_while(|rate| **rate == self.rate).count();
        self.end += same;
        let first = match self.pattern {
            Pattern::Poisson => self.gap(),
            // In the middle, so that a minute of n orders has exactly n whatever is rounded.
            Pattern::Even => self.gap() / 2.0,
        };
        self.next = start as f64 * MINUTE as f64 + first;
        Some(())
    }

    fn gap(&mut self) -> f64 {
        if self.rate <= 0.0 {
            return f64::INFINITY;
        }
        let factor = match self.pattern {
            Pattern::Poisson => self.random.exponential(),
            Pattern::Even => 1.0,
        };
        MINUTE as f64 / self.rate * factor
    }
}

impl Iterator for Arrivals<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        while self.next >= self.end as f64 * MINUTE as f64 {
            self.change_rate()?;
        }
        let at = self.next as u64;
        self.next += self.gap();
        Some(at)
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
