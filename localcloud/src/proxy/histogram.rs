//! The distribution of response times, in atomics: classes that grow by a twentieth, so that every percentile is right to 5 %.

use std::sync::atomic::{AtomicU64, Ordering};

/// How much longer the times of a class are than those of the class before.
const GROWTH: f64 = 1.05;
/// From a microsecond to over half an hour; longer times are in the last class.
const CLASSES: usize = 440;

/// Times by class.
#[derive(Debug)]
pub(super) struct Histogram([AtomicU64; CLASSES]);

impl Default for Histogram {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Histogram {
    pub(super) fn add(&self, micros: u64) {
        if let Some(class) = self.0.get(class(micros)) {
            class.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Each class that has times: its time in seconds, and how many.
    pub(super) fn read(&self) -> Vec<(f64, u64)> {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        let seconds = std::iter::successors(Some(GROWTH.sqrt() / 1e6), |seconds| Some(seconds * GROWTH));
        seconds.zip(counts).filter(|(_, count)| *count > 0).collect()
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time is at least one microsecond here, so its class is not below zero, and no class is out of range"
)]
fn class(micros: u64) -> usize {
    let class = (micros.max(1) as f64).ln() / GROWTH.ln();
    (class as usize).min(CLASSES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_order_of_size_within_a_twentieth() {
        for micros in [1, 2, 17, 1_000, 123_456, 59_999_999] {
            let histogram = Histogram::default();
            histogram.add(micros);
            let read = histogram.read();
            let seconds = micros as f64 / 1e6;
            assert!(read.len() == 1 && (read[0].0 / seconds - 1.0).abs() < 0.05, "{micros}: {read:?}");
        }
        let histogram = Histogram::default();
        histogram.add(u64::MAX);
        assert_eq!(histogram.read().len(), 1);
    }
}
