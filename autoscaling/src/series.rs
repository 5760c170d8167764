//! What CloudWatch keeps of a metric: for each stretch of time the sum, the extremes and the distribution of its values.

use std::collections::VecDeque;

use jiff::Timestamp;

/// Values of a distribution that are told apart: above this, neighbours are put together.
const MOST_VALUES: usize = 300;

/// The values of one stretch of time, as far as CloudWatch keeps them (AWS: CloudWatch StatisticSet, with counts for percentiles).
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    /// All values together.
    pub sum: f64,
    /// The smallest value.
    pub minimum: f64,
    /// The largest value.
    pub maximum: f64,
    /// The number of values; never zero.
    pub sample_count: f64,
    /// How often each value was there, in order; empty where only the statistics are known.
    distribution: Vec<(f64, f64)>,
}

impl Bucket {
    /// The bucket of one value.
    #[must_use]
    pub fn of(value: f64) -> Self {
        Self::of_counted(value, 1.0)
    }

    /// The bucket of `count` equal values; `count` is above zero.
    #[must_use]
    pub fn of_counted(value: f64, count: f64) -> Self {
        let distribution = vec![(value, count)];
        Self { sum: value * count, minimum: value, maximum: value, sample_count: count, distribution }
    }

    /// A bucket of which only the statistics are known, and so no percentile; `None` without values.
    #[must_use]
    pub fn of_statistics(sample_count: f64, sum: f64, minimum: f64, maximum: f64) -> Option<Self> {
        let distribution = Vec::new();
        (sample_count > 0.0).then_some(Self { sum, minimum, maximum, sample_count, distribution })
    }

    /// The bucket of all `values`; `None` if there are none.
    #[must_use]
    pub fn of_all(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        Self::merged(values.into_iter().map(Self::of))
    }

    /// All buckets together; `None` if there are none.
    #[must_use]
    pub fn merged(buckets: impl IntoIterator<Item = Self>) -> Option<Self> {
        buckets.into_iter().reduce(|mut all, one| {
            all.merge(&one);
            all
        })
    }

    /// Adds the values of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.sum += other.sum;
        self.minimum = self.minimum.min(other.minimum);
        self.maximum = self.maximum.max(other.maximum);
        self.sample_count += other.sample_count;
        if self.distribution.is_empty() || other.distribution.is_empty() {
            self.distribution.clear();
            return;
        }
        for &(value, count) in &other.distribution {
            match self.distribution.binary_search_by(|(known, _)| known.total_cmp(&value)) {
                Ok(index) => self.distribution[index].1 += count,
                Err(index) => self.distribution.insert(index, (value, count)),
            }
        }
        self.shorten();
    }

    /// Puts neighbours together until the distribution is short enough. A percentile moves by less than one part in two hundred
    /// of the values.
    fn shorten(&mut self) {
        while self.distribution.len() > MOST_VALUES {
            let pairs = self.distribution.chunks(2);
            self.distribution =
                pairs.map(|pair| (pair[pair.len() - 1].0, pair.iter().map(|(_, count)| count).sum())).collect();
        }
    }

    /// A statistic of the values; `None` for a percentile of a bucket of which only statistics are known.
    #[must_use]
    pub fn statistic(&self, statistic: Statistic) -> Option<f64> {
        match statistic {
            Statistic::SampleCount => Some(self.sample_count),
            Statistic::Average => Some(self.sum / self.sample_count),
            Statistic::Sum => Some(self.sum),
            Statistic::Minimum => Some(self.minimum),
            Statistic::Maximum => Some(self.maximum),
            Statistic::Percentile(percent) => self.percentile(percent),
        }
    }

    /// The smallest value that at least `percent` of all values do not exceed.
    fn percentile(&self, percent: f64) -> Option<f64> {
        let rank = self.sample_count * percent / 100.0;
        let mut below = 0.0;
        for &(value, count) in &self.distribution {
            below += count;
            if below >= rank {
                return Some(value);
            }
        }
        self.distribution.last().map(|(value, _)| *value)
    }
}

/// How the values of a period become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// The number of values.
    SampleCount,
    /// Sum divided by the number of values.
    Average,
    /// All values together.
    Sum,
    /// The smallest value.
    Minimum,
    /// The largest value.
    Maximum,
    /// The value that this many percent do not exceed: above 0, at most 100.
    Percentile(f64),
}

impl Statistic {
    /// Reads AWS's name of a statistic: `Average`, `Sum`, …, or a percentile such as `p99.9`. Trimmed means and ranks are not here.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "SampleCount" => Self::SampleCount,
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            percentile => {
                let percent: f64 = percentile.strip_prefix('p')?.parse().ok()?;
                return (percent > 0.0 && percent <= 100.0).then_some(Self::Percentile(percent));
            }
        })
    }
}

impl std::fmt::Display for Statistic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SampleCount => f.write_str("SampleCount"),
            Self::Average => f.write_str("Average"),
            Self::Sum => f.write_str("Sum"),
            Self::Minimum => f.write_str("Minimum"),
            Self::Maximum => f.write_str("Maximum"),
            Self::Percentile(percent) => write!(f, "p{percent}"),
        }
    }
}

/// Whether CloudWatch takes a period of so many seconds: 10, 20, 30 or a multiple of 60 (AWS: PutMetricAlarm; 1 and 5 only for reads).
#[must_use]
pub fn is_period(seconds: u32) -> bool {
    matches!(seconds, 10 | 20 | 30) || (seconds > 0 && seconds.is_multiple_of(60))
}

/// The start of the period of `seconds` that holds `at`. Periods begin at whole multiples of their length since 1970.
#[must_use]
pub fn period_start(at: Timestamp, seconds: u32) -> Timestamp {
    let second = at.as_second();
    at_second(second - second.rem_euclid(i64::from(seconds)))
}

/// The moment so many seconds after `start`, or before it.
#[must_use]
pub fn later(start: Timestamp, seconds: i64) -> Timestamp {
    at_second(start.as_second().saturating_add(seconds))
}

/// A moment out of range is the nearest one in it: the engine has no time at which it fails.
fn at_second(second: i64) -> Timestamp {
    let nearest = if second < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(second).unwrap_or(nearest)
}

/// A metric over time.
///
/// The local cloud keeps every metric's minutes for days, so each is small: most are of one value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// With the start of each stretch, in seconds since 1970, in order.
    stretches: VecDeque<(i64, Kept)>,
}

/// The values of a stretch, as small as they go.
#[derive(Debug, Clone, PartialEq)]
enum Kept {
    /// So many equal values.
    Equal { value: f64, count: f64 },
    /// Values that differ, or of which only statistics are known.
    Different(Box<Bucket>),
}

impl Kept {
    fn of(bucket: &Bucket) -> Self {
        match bucket.distribution[..] {
            [(value, count)] => Self::Equal { value, count },
            _ => {
                let mut bucket = Box::new(bucket.clone());
                bucket.distribution.shrink_to_fit();
                Self::Different(bucket)
            }
        }
    }

    fn bucket(&self) -> Bucket {
        match self {
            Self::Equal { value, count } => Bucket::of_counted(*value, *count),
            Self::Different(bucket) => (**bucket).clone(),
        }
    }
}

impl Series {
    /// Adds values of the second, or of the longer stretch, that begins at `at`.
    pub fn add(&mut self, at: Timestamp, bucket: &Bucket) {
        let second = at.as_second();
        match self.stretches.binary_search_by_key(&second, |(start, _)| *start) {
            Ok(index) => {
                if let Some((_, kept)) = self.stretches.get_mut(index) {
                    let mut all = kept.bucket();
                    all.merge(bucket);
                    *kept = Kept::of(&all);
                }
            }
            Err(index) => self.stretches.insert(index, (second, Kept::of(bucket))),
        }
    }

    /// The values of the `count` periods that end at `end`, oldest first; `None` where a period has no values.
    #[must_use]
    pub fn points(&self, statistic: Statistic, period_seconds: u32, end: Timestamp, count: u32) -> Vec<Point> {
        let end = period_start(end, period_seconds);
        let starts = (1..=i64::from(count)).rev().map(|back| later(end, -back * i64::from(period_seconds)));
        starts.map(|start| Point { at: start, value: self.value(statistic, period_seconds, start) }).collect()
    }

    /// The value of the period that begins at `start`.
    #[must_use]
    pub fn value(&self, statistic: Statistic, period_seconds: u32, start: Timestamp) -> Option<f64> {
        self.bucket(period_seconds, start)?.statistic(statistic)
    }

    /// All values of the period that begins at `start`.
    #[must_use]
    pub fn bucket(&self, period_seconds: u32, start: Timestamp) -> Option<Bucket> {
        let first = start.as_second();
        let end = first.saturating_add(i64::from(period_seconds));
        let within = self.stretches.range(self.place(first)..self.place(end));
        Bucket::merged(within.map(|(_, kept)| kept.bucket()))
    }

    /// Forgets what lies before `moment`.
    pub fn forget_before(&mut self, moment: Timestamp) {
        self.stretches.drain(..self.place(moment.as_second()));
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// The start of the newest stretch that has values.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.stretches.back().map(|(second, _)| at_second(*second))
    }

    /// The place of the first stretch that does not begin before `second`.
    fn place(&self, second: i64) -> usize {
        self.stretches.partition_point(|(start, _)| *start < second)
    }
}

/// A period's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When the period begins.
    pub at: Timestamp,
    /// Its value; `None`: it has none, which is not zero.
    pub value: Option<f64>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn statistics_of_a_bucket() {
        let bucket = Bucket::of_all([4.0, 1.0, 3.0, 2.0]).unwrap();
        let shown = ["SampleCount", "Average", "Sum", "Minimum", "Maximum", "p50", "p75", "p100", "p0.1"]
            .map(|name| bucket.statistic(Statistic::parse(name).unwrap()).unwrap());
        assert_eq!(shown, [4.0, 2.5, 10.0, 1.0, 4.0, 2.0, 3.0, 4.0, 1.0]);
        let known = Bucket::of_statistics(2.0, 10.0, 1.0, 9.0).unwrap();
        assert_eq!(known.statistic(Statistic::Average), Some(5.0));
        assert_eq!(known.statistic(Statistic::Percentile(50.0)), None);
    }

    #[test]
    fn what_is_no_statistic_is_refused() {
        for name in ["average", "p", "p0", "p101", "tm99", "p-1", ""] {
            assert_eq!(Statistic::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_long_distribution_keeps_its_percentiles_nearly() {
        let bucket = Bucket::of_all((1..=10_000).map(f64::from)).unwrap();
        let p99 = bucket.statistic(Statistic::Percentile(99.0)).unwrap();
        assert!((9_850.0..=10_000.0).contains(&p99), "{p99}");
        assert_eq!(bucket.sample_count, 10_000.0);
    }

    #[test]
    fn periods_gather_what_lies_in_them_and_gaps_stay_gaps() {
        let mut series = Series::default();
        for (second, value) in [(0, 1.0), (20, 2.0), (40, 3.0), (120, 5.0)] {
            series.add(at(second), &Bucket::of(value));
        }
        let values = |seconds, count| -> Vec<Option<f64>> {
            series.points(Statistic::Sum, seconds, at(185), count).iter().map(|point| point.value).collect()
        };
        assert_eq!(values(60, 4), [None, Some(6.0), None, Some(5.0)]);
        assert_eq!(values(20, 3), [Some(5.0), None, None]);
        series.forget_before(at(120));
        assert_eq!(series.points(Statistic::Sum, 60, at(180), 3).iter().flat_map(|point| point.value).count(), 1);
    }
}
