//! One delivery of one order: claim, gather, write ahead, call, finish. Whatever fails, the ledger holds what is known, and the
//! reply tells SNS to come again unless responsibility has ended.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::capacity::Capacity;
use crate::client::{FulfilmentApi, Verdict};
use crate::clock::Clock;
use crate::ledger::{self, Change, Fingerprint, Ledger, LedgerError, Outcome, Record, State, Usage};
use crate::metrics::Metrics;
use crate::order::Order;

/// What to tell SNS about a verified message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Responsibility has ended, or is now ours: 200.
    Ended(&'static str),
    /// Deliver it again: 503, with a hint when.
    TryLater(&'static str, Option<Duration>),
}

/// A verified message.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub key: Uuid,
    pub message: String,
    pub published: Timestamp,
}

/// Fulfils orders. It knows neither HTTP nor SNS.
pub(crate) struct Fulfiller {
    pub ledger: Arc<dyn Ledger>,
    pub api: Arc<dyn FulfilmentApi>,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    /// How many orders are worked on at once.
    pub capacity: Arc<Capacity>,
    /// How long gathering takes.
    pub gather: Duration,
    /// Whether the API honours idempotency keys.
    pub idempotent: bool,
}

impl Fulfiller {
    /// Takes one delivery to its end.
    pub(crate) async fn process(&self, delivery: &Delivery) -> Reply {
        let reply = match Order::parse(&delivery.message) {
            Ok(order) => self.take_turn(delivery, order).await,
            Err(problem) => self.quarantine(delivery.key, &delivery.message, problem).await,
        };
        let reply = reply.unwrap_or_else(|error| self.unwritten(&error));
        self.count(delivery, reply);
        reply
    }

    /// Without the ledger nothing is done. One that is late comes round by itself; otherwise a person has to see to it.
    fn unwritten(&self, error: &LedgerError) -> Reply {
        tracing::error!(%error, "the order will be delivered again");
        match error {
            LedgerError::Timeout => {}
            LedgerError::Failed(_) => self.metrics.alarm("ledger"),
            LedgerError::Full(_) => {
                self.metrics.alarm("ledger_full");
                return Reply::TryLater("the ledger is full", None);
            }
        }
        Reply::TryLater("the ledger is not available", None)
    }

    fn count(&self, delivery: &Delivery, reply: Reply) {
        let (Reply::Ended(result) | Reply::TryLater(result, _)) = reply;
        self.metrics.order(result);
        if let Reply::Ended(_) = reply {
            let age = self.clock.now().duration_since(delivery.published);
            self.metrics.order_age_s.observe(age.as_secs_f64().max(0.0));
        }
    }

    /// Nothing is claimed while the order waits: SNS may give up and deliver it to a worker that has room.
    async fn take_turn(&self, delivery: &Delivery, order: Order) -> Result<Reply, LedgerError> {
        match self.capacity.place().await {
            Some(_place) => self.claim(delivery, order).await,
            None => Ok(Reply::TryLater("busy with other orders", None)),
        }
    }

    async fn claim(&self, delivery: &Delivery, order: Order) -> Result<Reply, LedgerError> {
        let claim = Change::Claim {
            fingerprint: order.fingerprint(),
            order: delivery.message.clone(),
            idempotent: self.idempotent,
        };
        match self.apply(delivery.key, claim).await? {
            Outcome::Won(attempt) => self.fulfil(delivery.key, attempt, order).await,
            Outcome::Settled(_) => Ok(Reply::Ended("duplicate")),
            Outcome::NewlyParked => {
                self.hold("parked");
                Ok(Reply::Ended("parked"))
            }
            Outcome::Busy(until_ms) => Ok(Reply::TryLater("in progress elsewhere", self.until(until_ms))),
            Outcome::Conflict => {
                let key = Uuid::new_v5(&delivery.key, order.fingerprint().to_string().as_bytes());
                self.quarantine(key, &delivery.message, "another order was delivered under this key").await
            }
            Outcome::Written | Outcome::Fenced => Ok(Reply::TryLater("fenced", None)),
        }
    }

    async fn fulfil(&self, key: Uuid, attempt: u32, order: Order) -> Result<Reply, LedgerError> {
        self.gather().await;
        if let Some(pause) = self.api.pause() {
            self.apply(key, Change::Revert { attempt }).await?;
            return Ok(Reply::TryLater("the fulfilment API asked for a pause", Some(pause)));
        }
        if self.apply(key, Change::Intent { attempt }).await? != Outcome::Written {
            return Ok(Reply::TryLater("fenced", None));
        }
        let verdict = self.api.fulfil(key, order.body()).await;
        self.settle(key, attempt, verdict).await
    }

    /// The monolith's simulated work. Both resources are gathered at once.
    async fn gather(&self) {
        tracing::info!("Gathering Requested Items");
        tracing::info!("Getting Iridium");
        tracing::info!("Getting Magnesite");
        if !self.gather.is_zero() {
            simulate_work(self.gather).await;
        }
    }

    async fn settle(&self, key: Uuid, attempt: u32, verdict: Verdict) -> Result<Reply, LedgerError> {
        match verdict {
            Verdict::Accepted(status) => {
                let finish = self.apply(key, Change::Finish { attempt, status }).await?;
                tracing::info!(order = %key, status, "Bundle fulfilled");
                Ok(if finish == Outcome::Written { Reply::Ended("fulfilled") } else { Reply::TryLater("fenced", None) })
            }
            Verdict::Refused(status) => {
                let finish = self.apply(key, Change::Finish { attempt, status }).await?;
                self.hold("rejected");
                Ok(if finish == Outcome::Written { Reply::Ended("rejected") } else { Reply::TryLater("fenced", None) })
            }
            Verdict::NotProcessed(_) | Verdict::NotSent => {
                tracing::warn!(order = %key, %verdict, "the order will be delivered again");
                if verdict == Verdict::of_status(401) {
                    self.metrics.alarm("api_key");
                }
                self.apply(key, Change::Revert { attempt }).await?;
                Ok(Reply::TryLater("not processed by the fulfilment API", self.api.pause()))
            }
            Verdict::Unknown(_) => {
                tracing::warn!(order = %key, %verdict, "the order will be delivered again");
                self.apply(key, Change::Yield { attempt }).await?;
                Ok(Reply::TryLater("result unknown", self.api.pause()))
            }
        }
    }

    async fn quarantine(&self, key: Uuid, message: &str, reason: &'static str) -> Result<Reply, LedgerError> {
        let change = Change::Quarantine {
            fingerprint: Fingerprint::of(message),
            order: message.to_owned(),
            reason: reason.to_owned(),
        };
        if self.apply(key, change).await? == Outcome::Written {
            self.hold("quarantined");
        }
        Ok(Reply::Ended("quarantined"))
    }

    /// Says that an order waits for a person, and that those which do take much of the ledger's room, before it is full.
    fn hold(&self, kind: &'static str) {
        self.metrics.alarm(kind);
        if self.ledger.usage().is_some_and(Usage::is_crowded) {
            self.metrics.alarm("ledger_held");
        }
    }

    /// Sends a held order again, because a person said so.
    pub(crate) async fn resend(&self, key: Uuid) -> Result<Reply, LedgerError> {
        let Some(Record { order, .. }) = self.ledger.get(key).await? else { return Ok(NOT_HELD) };
        let Ok(order) = Order::parse(&order) else { return Ok(Reply::TryLater("it is not an order; settle it", None)) };
        match self.apply(key, Change::Resend).await? {
            Outcome::Won(attempt) => {
                let verdict = self.api.fulfil(key, order.body()).await;
                if matches!(verdict, Verdict::Accepted(_) | Verdict::Refused(_)) {
                    return self.settle(key, attempt, verdict).await;
                }
                self.apply(key, Change::Yield { attempt }).await?;
                Ok(Reply::TryLater("the fulfilment API did not settle it; it is still held", None))
            }
            Outcome::Busy(_) => Ok(Reply::TryLater("somebody else is sending it", None)),
            _ => Ok(NOT_HELD),
        }
    }

    /// Marks a held order as done, because a person knows.
    pub(crate) async fn settle_by_hand(&self, key: Uuid) -> Result<Reply, LedgerError> {
        let outcome = self.apply(key, Change::Settle).await?;
        Ok(if outcome == Outcome::Written { Reply::Ended(State::Done.as_str()) } else { NOT_HELD })
    }

    /// A ledger that is late or panics says "try later", never "go on without me".
    async fn apply(&self, key: Uuid, change: Change) -> Result<Outcome, LedgerError> {
        let answer = self.ledger.apply(key, change, self.clock.now_ms());
        tokio::time::timeout(ledger::TIMEOUT, answer).await.unwrap_or(Err(LedgerError::Timeout))
    }

    fn until(&self, until_ms: i64) -> Option<Duration> {
        u64::try_from(until_ms.saturating_sub(self.clock.now_ms())).ok().map(Duration::from_millis)
    }
}

const NOT_HELD: Reply = Reply::TryLater("no such order is held", None);

#[expect(clippy::disallowed_methods, reason = "the work that the monolith simulates is to wait")]
async fn simulate_work(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[cfg(test)]
mod crash_tests;
