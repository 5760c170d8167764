//! The ledger: what is known about each order, kept so that an order has one effect however often it is delivered.
//!
//! An implementation only stores. Every decision is the pure function [`transition`], so that all ledgers agree by
//! construction; an implementation must run read, `transition` and write as one atomic step per key. Time is an argument:
//! nothing here reads a clock.

#[cfg(test)]
pub(crate) mod contract;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod fingerprint;
mod memory;
mod retention;
mod sqlite;
mod transition;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use uuid::Uuid;

#[cfg(feature = "dynamodb")]
pub use dynamodb::DynamoDbLedger;
pub use fingerprint::Fingerprint;
pub use memory::{DEFAULT_LIMIT, MemoryLedger};
pub use retention::Retention;
pub use sqlite::SqliteLedger;
pub use transition::transition;

/// How long a claim protects an order from other replicas. Longer than gathering and every time-out of a call together.
pub const LEASE_MS: i64 = 20_000;

/// The longest a caller waits for a ledger before it answers "try later".
pub const TIMEOUT: Duration = Duration::from_secs(1);

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A worker holds it and has not sent anything.
    Claimed,
    /// The call to the fulfilment API may have gone out; its result is not known.
    Sent,
    /// The fulfilment API accepted it.
    Done,
    /// The fulfilment API refused it for good.
    Rejected,
    /// It may or may not have been fulfilled, and only a person can tell.
    Parked,
    /// It was signed by the topic but cannot be processed.
    Quarantined,
}

impl State {
    /// The name that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Claimed => "claimed",
            State::Sent => "sent",
            State::Done => "done",
            State::Rejected => "rejected",
            State::Parked => "parked",
            State::Quarantined => "quarantined",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<State> {
        [State::Claimed, State::Sent, State::Done, State::Rejected, State::Parked, State::Quarantined]
            .into_iter()
            .find(|state| state.as_str() == name)
    }

    /// Whether a person has to look at it: such records never expire.
    pub fn is_held(self) -> bool {
        matches!(self, State::Rejected | State::Parked | State::Quarantined)
    }
}

/// One order's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where the order stands.
    pub state: State,
    /// Counts claims; a writer whose attempt is not the newest is fenced off.
    pub attempt: u32,
    /// Whether an earlier attempt ended without a known result.
    pub uncertain: bool,
    /// Until when the claim is protected, in milliseconds since the Unix epoch.
    pub lease_until_ms: i64,
    /// The canonical order's.
    pub fingerprint: Fingerprint,
    /// The order's text as the topic signed it, so that a person can read and resend it. A ledger may drop it when the order is done.
    pub order: String,
    /// The fulfilment API's HTTP status, once there is one.
    pub status: Option<u16>,
    /// Why the record is in its state.
    pub reason: String,
    /// When the record was last written, in milliseconds since the Unix epoch.
    pub updated_ms: i64,
}

/// What a worker asks the ledger to do with one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Take the order, if nobody else has it.
    Claim {
        /// The canonical order's.
        fingerprint: Fingerprint,
        /// The order's text.
        order: String,
        /// Whether the fulfilment API honours idempotency keys, so that a sent order may be sent again.
        idempotent: bool,
    },
    /// Write ahead that the first byte is about to go out.
    Intent {
        /// The attempt that a claim returned.
        attempt: u32,
    },
    /// Give the order back: the API certainly did not process it.
    Revert {
        /// The attempt that a claim returned.
        attempt: u32,
    },
    /// End the lease of a sent order whose call is over with an unknown result.
    Yield {
        /// The attempt that a claim returned.
        attempt: u32,
    },
    /// Record the API's final word.
    Finish {
        /// The attempt that a claim returned.
        attempt: u32,
        /// The HTTP status; 2xx is Done, everything else Rejected.
        status: u16,
    },
    /// Keep a signed order that cannot be processed.
    Quarantine {
        /// The message's.
        fingerprint: Fingerprint,
        /// The message.
        order: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A person lets a held order be sent again; it is claimed for whoever asked.
    Resend,
    /// A person says that a held order is settled.
    Settle,
}

/// What the ledger answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The claim is the caller's, under this attempt number.
    Won(u32),
    /// The change is written.
    Written,
    /// The order needs no more work; `State` says why.
    Settled(State),
    /// This claim found an unknown result and parked the order.
    NewlyParked,
    /// Another worker holds it until then, in milliseconds since the Unix epoch.
    Busy(i64),
    /// The key is known with another content.
    Conflict,
    /// A newer attempt has taken over, or the record is not in a state that allows the change.
    Fenced,
}

/// Why the ledger did not answer. The caller must treat the order as not processed and say "try later".
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// It took longer than [`TIMEOUT`], or its queue is full.
    #[error("the ledger did not answer in time; the order will be delivered again")]
    Timeout,
    /// It failed.
    #[error("the ledger failed: {0}")]
    Failed(String),
    /// It has no room for a new order; known ones go on.
    #[error("the ledger is full: {0}")]
    Full(Usage),
}

/// How full a ledger is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// What its records take.
    pub used: usize,
    /// Of that, what waits for a person.
    pub held: usize,
    /// What they may take.
    pub limit: usize,
}

impl Usage {
    /// Whether what waits for a person takes so much of the room, a quarter, that somebody has to look before it is full.
    pub fn is_crowded(self) -> bool {
        self.held > self.limit / 4
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Usage { used, held, limit } = self;
        write!(
            f,
            "{used} of {limit} bytes are taken, {held} of them by orders that wait for a person; \
             raise INTERSTELLA_LEDGER_MAX_MIB and the task's memory, or use a `sqlite:` or `dynamodb:` ledger"
        )
    }
}

/// A ledger's answer, in the future.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, LedgerError>> + Send + 'a>>;

/// Where orders are kept. See the module's text for what an implementation must guarantee.
pub trait Ledger: Send + Sync {
    /// Applies `change` to the order `key`, atomically and durably, at `now_ms` (milliseconds since the Unix epoch).
    fn apply(&self, key: Uuid, change: Change, now_ms: i64) -> Answer<'_, Outcome>;

    /// One order's record.
    fn get(&self, key: Uuid) -> Answer<'_, Option<Record>>;

    /// The records that a person has to look at, oldest first, at most `limit`.
    fn held(&self, limit: u32) -> Answer<'_, Vec<(Uuid, Record)>>;

    /// How full it is. None where the room is a disk's or a cloud's.
    fn usage(&self) -> Option<Usage> {
        None
    }
}
