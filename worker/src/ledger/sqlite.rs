//! A ledger in a SQLite file: for one machine. Several workers may share the file; the database's write lock orders them.
//!
//! A thread of its own owns the connection, because SQLite blocks. It is fed through a bounded queue: a full queue is answered
//! at once as "try later". Changes that wait together are committed together, so that one disk flush serves many orders.
//!
//! Records outlive the process. What is over goes every now and then, but only by a process that has itself run for a
//! whole retention with a wall clock that nobody has set: the file keeps the wall clock's times.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::fingerprint::Fingerprint;
use super::retention::Horizon;
use super::{Answer, Change, Ledger, LedgerError, Outcome, Record, Retention, State, transition};
use crate::clock::Clock;

const QUEUE: usize = 1024;
const BATCH: usize = 128;
/// One in so many batches also looks for expired records.
pub(super) const BATCHES_PER_PURGE: u64 = 1024;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS orders (
        key TEXT PRIMARY KEY, state TEXT NOT NULL, attempt INTEGER NOT NULL, uncertain INTEGER NOT NULL,
        lease_until_ms INTEGER NOT NULL,        fingerprint TEXT NOT NULL, body TEXT NOT NULL, status INTEGER, reason TEXT NOT NULL, updated_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS orders_by_state ON orders (state, updated_ms);";

const COLUMNS: &str = "key, state, attempt, uncertain, lease_until_ms, fingerprint, body, status, reason, updated_ms";

type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

enum Job {
    Apply { key: Uuid, change: Change, now_ms: i64, reply: Reply<Outcome> },
    Get { key: Uuid, reply: Reply<Option<Record>> },
    Held { limit: u32, reply: Reply<Vec<(Uuid, Record)>> },
}

/// See the module's text.
#[derive(Debug)]
pub struct SqliteLedger {
    jobs: SyncSender<Job>,
}

impl SqliteLedger {
    /// Opens or creates the file at `path`, with the defaults of the configuration.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Self::open_with(path, Clock::system(), Retention::default())
    }

    /// Opens or creates the file at `path`; records are kept for `retention`. Fails if it cannot be opened or is not a
    /// ledger.
    pub fn open_with(path: &Path, clock: Clock, retention: Retention) -> Result<Self, LedgerError> {
        let horizon = Horizon::new(retention, clock.reading());
        let connection = connect(path)?;
        let (jobs, queue) = sync_channel(QUEUE);
        let thread = thread::Builder::new().name("ledger".to_owned());
        thread
            .spawn(move || serve(connection, &queue, &clock, horizon))
            .map_err(|error| LedgerError::Failed(format!("no thread for it: {error}")))?;
        Ok(SqliteLedger { jobs })
    }

    fn ask<T: Send + 'static>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Answer<'_, T> {
        let (reply, answer) = oneshot::channel();
        let sent = self.jobs.try_send(job(reply));
        Box::pin(async move {
            sent.map_err(|_| LedgerError::Timeout)?;
            answer.await.unwrap_or(Err(LedgerError::Timeout))
        })
    }
}

impl Ledger for SqliteLedger {
    fn apply(&self, key: Uuid, change: Change, now_ms: i64) -> Answer<'_, Outcome> {
        self.ask(|reply| Job::Apply { key, change, now_ms, reply })
    }

    fn get(&self, key: Uuid) -> Answer<'_, Option<Record>> {
        self.ask(|reply| Job::Get { key, reply })
    }

    fn held(&self, limit: u32) -> Answer<'_, Vec<(Uuid, Record)>> {
        self.ask(|reply| Job::Held { limit, reply })
    }
}

fn connect(path: &Path) -> Result<Connection, LedgerError> {
    // Orders are nobody else's; SQLite gives its journals the permissions of the database.
    let file = interstella_guard::private::file(path);
    drop(file.map_err(|error| LedgerError::Failed(error.to_string()))?);
    let connection = Connection::open(path)?;
    connection.busy_timeout(super::TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        LedgerError::Failed(error.to_string())
    }
}

/// Ends when the ledger is dropped.
fn serve(mut connection: Connection, queue: &Receiver<Job>, clock: &Clock, mut horizon: Horizon) {
    let mut batches: u64 = 0;
    while let Ok(first) = queue.recv() {
        let mut batch = vec![first];
        batch.extend(queue.try_iter().take(BATCH - 1));
        let is_purge = batches.is_multiple_of(BATCHES_PER_PURGE);
        batches += 1;
        // Asked for each batch, so that no jump of the wall clock is missed.
        let before_ms = horizon.before_ms(clock.reading());
        run_batch(&mut connection, batch, before_ms.filter(|_| is_purge));
    }
}

/// A reply goes out only after the commit: an answer that a power cut takes back would double an order.
/// Records that were last written before `purge_ms` go.
fn run_batch(connection: &mut Connection, batch: Vec<Job>, purge_ms: Option<i64>) {
    let mut replies: Vec<(Reply<Outcome>, Result<Outcome, LedgerError>)> = Vec::new();
    let committed = (|| {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for job in batch {
            match job {
                Job::Apply { key, change, now_ms, reply } => {
                    let outcome = apply(&transaction, key, change, now_ms);
                    replies.push((reply, outcome));
                }
                Job::Get { key, reply } => drop(reply.send(get(&transaction, key))),
                Job::Held { limit, reply } => drop(reply.send(held(&transaction, limit))),
            }
        }
        if let Some(purge_ms) = purge_ms {
            purge(&transaction, purge_ms)?;
        }
        transaction.commit().map_err(LedgerError::from)
    })();
    for (reply, outcome) in replies {
        drop(reply.send(committed.clone().and(outcome)));
    }
    if let Err(error) = committed {
        tracing::error!(%error, "the ledger could not commit");
    }
}

fn apply(db: &Transaction<'_>, key: Uuid, change: Change, now_ms: i64) -> Result<Outcome, LedgerError> {
    let known = get(db, key)?;
    let (outcome, record) = transition(known.as_ref(), change, now_ms);
    if let Some(record) = record {
        put(db, key, &record)?;
    }
    Ok(outcome)
}

fn purge(db: &Transaction<'_>, before_ms: i64) -> rusqlite::Result<usize> {
    db.prepare("DELETE FROM orders WHERE state IN ('claimed', 'sent', 'done') AND updated_ms < ?1")?
        .execute([before_ms])
}

fn get(db: &Transaction<'_>, key: Uuid) -> Result<Option<Record>, LedgerError> {
    let mut query = db.prepare(&format!("SELECT {COLUMNS} FROM orders WHERE key = ?1"))?;
    let found = query.query_row([key.to_string()], read).optional()?;
    Ok(found.map(|(_, record)| record))
}

fn held(db: &Transaction<'_>, limit: u32) -> Result<Vec<(Uuid, Record)>, LedgerError> {
    let mut query = db.prepare(&format!(
        "SELECT {COLUMNS} FROM orders WHERE state IN ('rejected', 'parked', 'quarantined')
         ORDER BY updated_ms, key LIMIT ?1"
    ))?;
    let rows = query.query_map([limit], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn put(db: &Transaction<'_>, key: Uuid, record: &Record) -> Result<(), LedgerError> {
    let Record { state, attempt, uncertain, lease_until_ms, fingerprint, order, status, reason, updated_ms } = record;
    db.prepare(&format!("INSERT OR REPLACE INTO orders ({COLUMNS}) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)"))?
        .execute(params![
            key.to_string(),
            state.as_str(),
            attempt,
            uncertain,
            lease_until_ms,
            fingerprint.to_string(),
            order,
            status,
            reason,
            updated_ms
        ])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<(Uuid, Record)> {
    let corrupt = |column: usize, what: &str| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, what.into())
    };
    let key = Uuid::try_parse(&row.get::<_, String>(0)?).map_err(|_| corrupt(0, "not a key"))?;
    let state = State::parse(&row.get::<_, String>(1)?).ok_or_else(|| corrupt(1, "not a state"))?;
    let fingerprint = Fingerprint::parse(&row.get::<_, String>(5)?).ok_or_else(|| corrupt(5, "not a fingerprint"))?;
    let record = Record {
        state,
        attempt: row.get(2)?,
        uncertain: row.get(3)?,
        lease_until_ms: row.get(4)?,
        fingerprint,
        order: row.get(6)?,
        status: row.get(7)?,
        reason: row.get(8)?,
        updated_ms: row.get(9)?,
    };
    Ok((key, record))
}
