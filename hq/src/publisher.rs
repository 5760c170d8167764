//! Publishes orders, one loop per topic. Orders are alike, so a publish that failed is not repeated: the next order is.
//! A publish whose answer was lost is not counted, though its order may have gone out.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::clock::{self, Stopwatch};
use crate::config::TopicRate;
use crate::endpoint::LoopbackUrl;
use crate::schedule::due;
use crate::sns::{self, PublishError};
use crate::store::Store;

const MAX_CONCURRENT_PUBLISHES: u32 = 32;
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// Publishes to one topic.
pub(crate) struct Publisher {
    pub(crate) client: Client,
    pub(crate) endpoint: LoopbackUrl,
    pub(crate) topic: TopicRate,
    pub(crate) region: String,
    pub(crate) store: Store,
}

impl Publisher {
    /// Publishes at the rate that `rate` says, from when `started` turns true until `stop` does.
    pub(crate) async fn run(
        self,
        mut rate: watch::Receiver<f64>,
        mut started: watch::Receiver<bool>,
        mut stop: watch::Receiver<bool>,
    ) {
        let publisher = Arc::new(self);
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            opened = started.wait_for(|started| *started) => if opened.is_err() { return },
        }
        let clock = Stopwatch::start();
        let (mut last, mut failures) = (None, Failures::default());
        loop {
            let decision = due(*rate.borrow_and_update(), last, clock.elapsed());
            let next = match publisher.publish(decision.orders).await {
                Ok(()) => {
                    failures.over(&publisher.topic.name, decision.orders);
                    last = decision.last;
                    decision.next
                }
                Err(error) => {
                    last = None;
                    Some(clock.elapsed() + failures.add(&publisher.topic.name, &error))
                }
            };
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                changed = rate.changed() => if changed.is_err() { return },
                () = clock.reached(next) => {}
            }
        }
    }

    /// Publishes and counts `orders`, a bounded number at once; gives up after the first failure.
    async fn publish(self: &Arc<Self>, orders: u32) -> Result<(), PublishError> {
        let mut left = orders;
        while left > 0 {
            let batch = left.min(MAX_CONCURRENT_PUBLISHES);
            left -= batch;
            self.publish_batch(batch).await?;
        }
        Ok(())
    }

    async fn publish_batch(self: &Arc<Self>, orders: u32) -> Result<(), PublishError> {
        let mut publishes = JoinSet::new();
        for _ in 0..orders {
            let this = Arc::clone(self);
            publishes.spawn(async move {
                sns::publish(&this.client, &this.endpoint, &this.topic, &this.region, clock::now()).await
            });
        }
        let results: Vec<_> = publishes.join_all().await;
        let acknowledged = results.iter().filter(|result| result.is_ok()).count();
        self.count(u32::try_from(acknowledged).unwrap_or(orders)).await;
        results.into_iter().collect()
    }

    async fn count(&self, acknowledged: u32) {
        if acknowledged == 0 {
            return;
        }
        if let Err(error) = self.store.add_published(self.topic.name.clone(), acknowledged).await {
            tracing::error!(topic = %self.topic.name, acknowledged, %error, "published orders are missing from the count");
        }
    }
}

/// How long to wait after a failure, and whether to say so: each kind of failure is logged once until a publish works.
#[derive(Default)]
struct Failures {
    count: u32,
    last_message: Option<String>,
}

impl Failures {
    fn add(&mut self, topic: &str, error: &PublishError) -> Duration {
        let message = error.to_string();
        if self.last_message.as_ref() != Some(&message) {
            tracing::warn!(topic, "orders are not published, trying again: {message}");
            self.last_message = Some(message);
        }
        let backoff = FIRST_BACKOFF.saturating_mul(1 << self.count.min(16)).min(MAX_BACKOFF);
        self.count += 1;
        backoff
    }

    fn over(&mut self, topic: &str, orders: u32) {
        if orders > 0 && self.last_message.is_some() {
            tracing::info!(topic, "orders are published again");
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_after_each_failure_up_to_a_limit() {
        let mut failures = Failures::default();
        let waits: Vec<_> = (0..7).map(|_| failures.add("t", &PublishError::NoSuchTopic).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 2_000, 2_000]);
        failures.over("t", 0);
        assert_eq!(failures.add("t", &PublishError::NoSuchTopic), MAX_BACKOFF);
        failures.over("t", 1);
        assert_eq!(failures.add("t", &PublishError::NoSuchTopic), FIRST_BACKOFF);
    }
}
