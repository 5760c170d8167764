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

/// How the command is used.
pub(crate) const USAGE: &str = "\
usage: worker                              take orders
       worker parked list                  show the orders that wait for a person
       worker parked release KEY           send one again now, under the same idempotency key
       worker parked release KEY --done    mark one as settled, because you know that it is
";

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

impl Command {
    /// Reads the arguments after the program's name. None if they make no sense.
    pub(crate) fn parse(args: &[String]) -> Option<Command> {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        match args[..] {
            [] => Some(Command::Serve),
            ["parked", "list"] => Some(Command::List),
            ["parked", "release", key] => Uuid::try_parse(key).ok().map(Command::Release),
            ["parked", "release", key, "--done"] => Uuid::try_parse(key).ok().map(Command::Settle),
            _ => None,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        let key = "165545c9-2a5c-472c-8df2-7ff2be2b3b1b";
        let id = Uuid::try_parse(key).unwrap();
        for (args, command) in [
            (vec![], Some(Command::Serve)),
            (vec!["parked", "list"], Some(Command::List)),
            (vec!["parked", "release", key], Some(Command::Release(id))),
            (vec!["parked", "release", key, "--done"], Some(Command::Settle(id))),
            (vec!["parked", "release", "x"], None),
            (vec!["--help"], None),
        ] {
            let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
            assert_eq!(Command::parse(&args), command, "{args:?}");
        }
    }
}
