//! SQLite: fulfilments, the answers given to idempotency keys, issued API keys, counts of what was published.
//!
//! An effect, its key and its answer are one transaction, so a crash leaves all of them or none. Calls block and run on
//! tokio's blocking threads, one at a time.
//!
//! An order is kept for a day, and then only counted: its key is forgotten, and a second effect of it would count as another order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use crate::api_key::{KEY_LIFETIME, KeyHash, KeyId};
use crate::config::Database;

const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// How long an order and the answer to its key are kept. A worker sends an order again for two hours at most.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// Orders that are kept at most where there is no file. Each takes about 600 bytes.
const KEPT_IN_MEMORY: i64 = 100_000;
/// One in so many orders looks for those that are only to be counted from now on.
const ORDERS_PER_FOLD: i64 = 500;

/// `answers` says what a key was answered. `fulfilments` has no unique order on purpose: it is the ledger in which a
/// second effect would show. `folded` counts what is not kept any more: by key, and under the empty key all together.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS answers(
        idempotency_key TEXT PRIMARY KEY, fingerprint BLOB NOT NULL, answer TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS fulfilments(
        order_id TEXT NOT NULL, api_key_id TEXT NOT NULL, body TEXT NOT NULL, received_at TEXT NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS fulfilments_by_order ON fulfilments(order_id);
    CREATE INDEX IF NOT EXISTS fulfilments_by_api_key ON fulfilments(api_key_id, order_id);
    CREATE TABLE IF NOT EXISTS folded(
        api_key_id TEXT PRIMARY KEY, fulfilled INTEGER NOT NULL, effects INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS api_keys(hash BLOB PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS published(topic TEXT PRIMARY KEY, orders INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// The database could not be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum StoreError {
    #[error("the database failed: {0}; check HQ_DATABASE, its directory's permissions and the free space")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the database file cannot be used: {0}")]
    File(std::io::Error),
    #[error("the database call did not finish: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// One fulfilment as it came in.
pub(crate) struct Fulfilment {
    /// What identifies the order: its idempotency key, or an id made for this request.
    pub(crate) order_id: String,
    /// The fingerprint of the body if the order has an idempotency key; without one it is an effect of its own.
    pub(crate) fingerprint: Option<[u8; 32]>,
    pub(crate) api_key_id: KeyId,
    pub(crate) body: String,
    pub(crate) received_at: Timestamp,
    /// The answer to give, now and to every repetition.
    pub(crate) answer: String,
}

/// What became of a [`Fulfilment`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It took effect now.
    First(String),
    /// It had taken effect before; this is the answer given then.
    Repeated(String),
    /// Its key belongs to another body. No effect.
    KeyReused,
}

/// What the database counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) published: u64,
    pub(crate) fulfilled: u64,
    pub(crate) duplicates: u64,
    pub(crate) fulfilled_by_key: BTreeMap<String, u64>,
}

/// The database, shared.
#[derive(Clone)]
pub(crate) struct Store {
    connection: Arc<Mutex<Connection>>,
    /// Orders that are kept at most.
    most: i64,
}

impl Store {
    pub(crate) fn open(database: &Database) -> Result<Self, StoreError> {
        let (connection, most) = match database {
            Database::InMemory => (Connection::open_in_memory()?, KEPT_IN_MEMORY),
            Database::Path(path) => {
                // SQLite gives its journals the permissions of the database.
                drop(interstella_guard::private::file(path).map_err(StoreError::File)?);
                (Connection::open(path)?, i64::MAX)
            }
        };
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // A fulfilment that was answered must outlive a power cut: FULL syncs each commit of the write-ahead log.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), most })
    }

    async fn call<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let connection = Arc::clone(&self.connection);
        let locked = move || work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(tokio::task::spawn_blocking(locked).await??)
    }

    pub(crate) async fn fulfil(&self, fulfilment: Fulfilment) -> Result<Recorded, StoreError> {
        let most = self.most;
        self.call(move |connection| record(connection, fulfilment, most)).await
    }

    /// Adds `orders` to the acknowledged publishes of `topic`.
    pub(crate) async fn add_published(&self, topic: String, orders: u32) -> Result<(), StoreError> {
        const ADD: &str = "INSERT INTO published VALUES (?1, ?2) ON CONFLICT DO UPDATE SET orders = orders + ?2";
        self.call(move |connection| connection.execute(ADD, params![topic, orders]).map(drop)).await
    }

    pub(crate) async fn add_key(&self, hash: KeyHash, expires_at: Timestamp) -> Result<(), StoreError> {
        const ADD: &str = "INSERT INTO api_keys VALUES (?1, ?2)";
        const FORGET: &str = "DELETE FROM api_keys WHERE expires_at < ?1";
        // Keys live for the same time, so what expires a lifetime before this one has expired now.
        let over = expires_at.checked_sub(KEY_LIFETIME).unwrap_or(Timestamp::MIN);
        self.call(move |connection| {
            connection.execute(FORGET, [over.as_second()])?;
            connection.execute(ADD, params![hash.0, expires_at.as_second()]).map(drop)
        })
        .await
    }

    /// All issued keys with the end of their lives. Blocks; for the start of the program.
    pub(crate) fn keys(&self) -> Result<Vec<(KeyHash, Timestamp)>, StoreError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare("SELECT hash, expires_at FROM api_keys")?;
        let rows = statement.query_map([], |row| {
            let expires_at = Timestamp::from_second(row.get(1)?).unwrap_or(Timestamp::UNIX_EPOCH);
            Ok((KeyHash(row.get(0)?), expires_at))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(crate) async fn counts(&self) -> Result<Counts, StoreError> {
        self.call(|connection| count(&connection.transaction()?)).await
    }
}

fn record(connection: &mut Connection, fulfilment: Fulfilment, most: i64) -> rusqlite::Result<Recorded> {
    let Fulfilment { order_id, fingerprint, api_key_id, body, received_at, answer } = fulfilment;
    // Immediate: two programs on one file take turns from the first read on.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Some(fingerprint) = fingerprint {
        if let Some((first, answer)) = answer_to(&transaction, &order_id)? {
            return Ok(if first == fingerprint { Recorded::Repeated(answer) } else { Recorded::KeyReused });
        }
        let remember = "INSERT INTO answers VALUES (?1, ?2, ?3)";
        transaction.execute(remember, params![order_id, fingerprint, answer])?;
    }
    let take_effect = "INSERT INTO fulfilments VALUES (?1, ?2, ?3, ?4)";
    let row = params![order_id, api_key_id.0, body, received_at.to_string()];
    transaction.execute(take_effect, row)?;
    let newest = transaction.last_insert_rowid();
    if newest % ORDERS_PER_FOLD == 0 {
        fold(&transaction, received_at, newest - most)?;
    }
    transaction.commit()?;
    Ok(Recorded::First(answer))
}

/// Counts the orders that are too old at `now`, or among the rows up to `surplus`, and forgets them. Rows are in the order in which
/// they came. An order with an effect since then stays whole, so that the effect shows as a second one.
fn fold(transaction: &Transaction<'_>, now: Timestamp, surplus: i64) -> rusqlite::Result<()> {
    const FIRST_KEPT: &str = "SELECT rowid FROM fulfilments WHERE received_at >= ?1 ORDER BY rowid LIMIT 1";
    const OVER: &str = "fulfilments.rowid <= ?1 AND NOT EXISTS (
        SELECT 1 FROM fulfilments later WHERE later.order_id = fulfilments.order_id AND later.rowid > ?1)";
    let Ok(oldest) = now.checked_sub(KEPT) else { return Ok(()) };
    let first_kept: Option<i64> =
        transaction.query_row(FIRST_KEPT, [oldest.to_string()], |row| row.get(0)).optional()?;
    let last_over = first_kept.map_or(surplus, |first| surplus.max(first - 1));
    for (key, group) in [("api_key_id", "GROUP BY api_key_id"), ("''", "")] {
        let count = format!(
            "INSERT INTO folded SELECT {key}, COUNT(DISTINCT order_id), COUNT(*) FROM fulfilments WHERE {OVER} {group}
             ON CONFLICT DO UPDATE SET fulfilled = fulfilled + excluded.fulfilled, effects = effects + excluded.effects"
        );
        transaction.execute(&count, [last_over])?;
    }
    let orders = format!("SELECT order_id FROM fulfilments WHERE {OVER}");
    transaction.execute(&format!("DELETE FROM answers WHERE idempotency_key IN ({orders})"), [last_over])?;
    transaction.execute(&format!("DELETE FROM fulfilments WHERE {OVER}"), [last_over]).map(drop)
}

fn answer_to(transaction: &Transaction<'_>, key: &str) -> rusqlite::Result<Option<([u8; 32], String)>> {
    const FIND: &str = "SELECT fingerprint, answer FROM answers WHERE idempotency_key = ?1";
    transaction.query_row(FIND, [key], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

fn count(transaction: &Transaction<'_>) -> rusqlite::Result<Counts> {
    // SQLite's integers are signed; a count is never negative.
    let unsigned = |row: &Row<'_>, column| row.get::<usize, i64>(column).map(i64::cast_unsigned);
    let one = |sql: &str| transaction.query_row(sql, [], |row| unsigned(row, 0));
    let folded = |column| one(&format!("SELECT COALESCE(SUM({column}), 0) FROM folded WHERE api_key_id = ''"));
    let effects = one("SELECT COUNT(*) FROM fulfilments")? + folded("effects")?;
    let fulfilled = one("SELECT COUNT(DISTINCT order_id) FROM fulfilments")? + folded("fulfilled")?;
    let published = one("SELECT COALESCE(SUM(orders), 0) FROM published")?;
    let mut statement = transaction.prepare(
        "SELECT api_key_id, SUM(fulfilled) FROM (
             SELECT api_key_id, COUNT(DISTINCT order_id) AS fulfilled FROM fulfilments GROUP BY api_key_id
             UNION ALL SELECT api_key_id, fulfilled FROM folded WHERE api_key_id <> '')
         GROUP BY api_key_id",
    )?;
    let by_key = statement.query_map([], |row| Ok((row.get(0)?, unsigned(row, 1)?)))?;
    Ok(Counts {
        published,
        fulfilled,
        duplicates: effects - fulfilled,
        fulfilled_by_key: by_key.collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fulfilment(order: &str, fingerprint: Option<[u8; 32]>, answer: &str) -> Fulfilment {
        Fulfilment {
            order_id: order.to_owned(),
            fingerprint,
            api_key_id: KeyId("0123456789ab".to_owned()),
            body: "{}".to_owned(),
            received_at: Timestamp::UNIX_EPOCH,
            answer: answer.to_owned(),
        }
    }

    #[tokio::test]
    async fn a_key_takes_effect_once_and_keeps_its_first_answer() {
        let store = Store::open(&Database::InMemory).unwrap();
        let first = store.fulfil(fulfilment("a", Some([1; 32]), "one")).await.unwrap();
        let again = store.fulfil(fulfilment("a", Some([1; 32]), "two")).await.unwrap();
        let other = store.fulfil(fulfilment("a", Some([2; 32]), "three")).await.unwrap();
        assert_eq!(first, Recorded::First("one".to_owned()));
        assert_eq!(again, Recorded::Repeated("one".to_owned()));
        assert_eq!(other, Recorded::KeyReused);
        let counts = store.counts().await.unwrap();
        assert_eq!((counts.fulfilled, counts.duplicates), (1, 0));
    }

    /// The oracle itself: were an order ever recorded twice, the count would say so.
    #[tokio::test]
    async fn a_second_effect_is_counted() {
        let store = Store::open(&Database::InMemory).unwrap();
        for _ in 0..3 {
            store.fulfil(fulfilment("same order", None, "")).await.unwrap();
        }
        let counts = store.counts().await.unwrap();
        assert_eq!((counts.fulfilled, counts.duplicates), (1, 2));
        assert_eq!(counts.fulfilled_by_key, BTreeMap::from([("0123456789ab".to_owned(), 1)]));
    }

    /// The orders of three days, some with a second effect; the ledger holds one day, and every count is as if it held all.
    #[tokio::test]
    async fn what_is_older_than_a_day_is_counted_and_not_kept() {
        let store = Store { most: 5_000, ..Store::open(&Database::InMemory).unwrap() };
        let order = |number: i64, name: String, key: Option<[u8; 32]>| Fulfilment {
            received_at: Timestamp::from_second(1_700_000_000 + number * 60).unwrap(),
            ..fulfilment(&name, key, "first")
        };
        let minutes = 3 * 1440;
        for number in 0..minutes {
            store.fulfil(order(number, number.to_string(), Some([1; 32]))).await.unwrap();
            if number % 100 == 0 {
                store.fulfil(order(number, number.to_string(), None)).await.unwrap();
            }
        }
        let counts = store.counts().await.unwrap();
        assert_eq!((counts.fulfilled, counts.duplicates), (4320, 44));
        assert_eq!(counts.fulfilled_by_key, BTreeMap::from([("0123456789ab".to_owned(), 4320)]));
        let kept = |table: &'static str| {
            store.call(move |db| db.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)))
        };
        let (answers, rows): (i64, i64) = (kept("answers").await.unwrap(), kept("fulfilments").await.unwrap());
        assert!((1440..2000).contains(&answers) && (1440..2020).contains(&rows), "{answers} answers, {rows} rows");
        let again = store.fulfil(order(minutes, (minutes - 1440).to_string(), Some([1; 32]))).await.unwrap();
        assert_eq!(again, Recorded::Repeated("first".to_owned()), "a day is kept");
        // A burst without a file: the oldest are only counted.
        for number in 0..12_000 {
            store.fulfil(order(minutes, format!("burst {number}"), Some([1; 32]))).await.unwrap();
        }
        let rows: i64 = kept("fulfilments").await.unwrap();
        assert!((5_000..5_600).contains(&rows), "{rows}");
        assert_eq!(store.counts().await.unwrap().fulfilled, 16_320);
    }

    #[tokio::test]
    async fn records_outlive_the_process() {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::Path(directory.path().join("hq.sqlite"));
        let (hash, expires_at) = (KeyHash([7; 32]), Timestamp::from_second(2_000_000_000).unwrap());
        {
            let store = Store::open(&database).unwrap();
            store.fulfil(fulfilment("a", Some([1; 32]), "one")).await.unwrap();
            store.add_published("orderTopic".to_owned(), 2).await.unwrap();
            store.add_published("orderTopic".to_owned(), 3).await.unwrap();
            store.add_key(hash, expires_at).await.unwrap();
        }
        let store = Store::open(&database).unwrap();
        let again = store.fulfil(fulfilment("a", Some([1; 32]), "two")).await.unwrap();
        assert_eq!(again, Recorded::Repeated("one".to_owned()));
        let counts = store.counts().await.unwrap();
        assert_eq!((counts.published, counts.fulfilled, counts.duplicates), (5, 1, 0));
        assert!(store.keys().unwrap() == [(hash, expires_at)]);
    }
}
