//! `worker parked …`: what a person does about orders that the worker cannot settle alone.

use std::sync::Arc;

use uuid::Uuid;

use crate::clock::Clock;
use crate::config::{Config, LedgerChoice};
use crate::fulfil::Reply;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::outbound::Outbound;
use crate::worker::{Error, fulfiller, open_ledger};

const MAX_LISTED: u32 = 1000;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Take orders.
    Serve,
    /// Show held orders.
    List,
    /// Send one again.
    Release(Uuid),
    /// Mark one as settled.
    Settle(Uuid),
}

/// Runs a command on the ledger. The text is for a person; the error text says what to do.
pub(crate) async fn run(command: Command, config: &Config) -> Result<String, String> {
    if config.ledger == LedgerChoice::Memory {
        return Err("the memory ledger ends with its worker; set INTERSTELLA_LEDGER to the worker's own".to_owned());
    }
    let ledger = open_ledger(config, &Clock::system()).await.map_err(|error| error.to_string())?;
    let key = match command {
        Command::Serve | Command::List => {
            let held = ledger.held(MAX_LISTED).await.map_err(|error| error.to_string())?;
            return Ok(held.iter().map(|(key, record)| line(*key, record)).collect());
        }
        Command::Release(key) | Command::Settle(key) => key,
    };
    let outbound = Outbound::new(None).map_err(|error| Error::from(error).to_string())?;
    let fulfiller = fulfiller(
        config,
        ledger,
        outbound,
        Clock::system(),
        Arc::new(Metrics::default()),
        Arc::default(),
        Limits::default(),
    );
    let reply = match command {
        Command::Settle(_) => fulfiller.settle_by_hand(key).await,
        _ => fulfiller.resend(key).await,
    };
    match reply.map_err(|error| error.to_string())? {
        Reply::Ended(what) => Ok(format!("{key} {what}\n")),
        Reply::TryLater(why, _) => Err(format!("{key}: {why}")),
    }
}

/// The order's text comes last and escaped: a sender wrote it.
fn line(key: Uuid, record: &crate::ledger::Record) -> String {
    let when =
        jiff::Timestamp::from_millisecond(record.updated_ms).map_or_else(|_| "?".to_owned(), |at| at.to_string());
    let order: String = record.order.chars().take(256).collect();
    format!("{key}  {:<11}  {when}  {}  {order:?}\n", record.state.as_str(), record.reason)
}
