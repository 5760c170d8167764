//! The rate of each topic: read by its publisher, set by an administrator while hq runs.

use std::collections::BTreeMap;

use tokio::sync::watch;

const MAX_PER_MINUTE: f64 = 60_000.0;
const MIN_PER_MINUTE: f64 = 0.001;

/// A rate that hq cannot keep.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{0} is no rate: give orders a minute, 0 to pause or {MIN_PER_MINUTE} to {MAX_PER_MINUTE}")]
pub struct InvalidRate(f64);

/// `per_minute` if hq can keep it.
pub(crate) fn checked_rate(per_minute: f64) -> Result<f64, InvalidRate> {
    let good = per_minute == 0.0 || (MIN_PER_MINUTE..=MAX_PER_MINUTE).contains(&per_minute);
    if good { Ok(per_minute) } else { Err(InvalidRate(per_minute)) }
}

/// The rates of all topics, in orders a minute.
pub(crate) struct Rates(BTreeMap<String, watch::Sender<f64>>);

/// Why a rate was not set.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum SetRateError {
    #[error("there is no topic `{0}`; hq publishes to {1}")]
    UnknownTopic(String, String),
    #[error(transparent)]
    Invalid(#[from] InvalidRate),
}

impl Rates {
    pub(crate) fn new<'a>(rates: impl IntoIterator<Item = (&'a str, f64)>) -> Result<Self, InvalidRate> {
        let channel = |(topic, rate): (&str, f64)| Ok((topic.to_owned(), watch::Sender::new(checked_rate(rate)?)));
        rates.into_iter().map(channel).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn set(&self, topic: &str, per_minute: f64) -> Result<(), SetRateError> {
        let rate = self.0.get(topic).ok_or_else(|| SetRateError::UnknownTopic(topic.to_owned(), self.names()))?;
        rate.send_replace(checked_rate(per_minute)?);
        Ok(())
    }

    /// Follows a topic's rate; `None` for a topic that is not here.
    pub(crate) fn follow(&self, topic: &str) -> Option<watch::Receiver<f64>> {
        self.0.get(topic).map(watch::Sender::subscribe)
    }

    pub(crate) fn all(&self) -> BTreeMap<String, f64> {
        self.0.iter().map(|(topic, rate)| (topic.clone(), *rate.borrow())).collect()
    }

    fn names(&self) -> String {
        self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_the_rate_of_a_known_topic() {
        let rates = Rates::new([("iridium", 0.0), ("orderTopic", 60.0)]).unwrap();
        let follower = rates.follow("orderTopic").unwrap();
        rates.set("orderTopic", 600.0).unwrap();
        assert_eq!(*follower.borrow(), 600.0);
        let unknown = rates.set("ordertopic", 1.0).unwrap_err();
        assert_eq!(unknown.to_string(), "there is no topic `ordertopic`; hq publishes to iridium, orderTopic");
    }

    #[test]
    fn refuses_rates_it_cannot_keep() {
        for bad in [-1.0, f64::NAN, f64::INFINITY, 1e-9, 60_001.0] {
            assert!(checked_rate(bad).is_err(), "{bad} was taken");
        }
        for good in [0.0, 0.5, 600.0, 60_000.0] {
            assert_eq!(checked_rate(good), Ok(good));
        }
    }
}
