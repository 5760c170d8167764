//! An order seen from both ends: the key under which the worker reports it, and the effects that headquarters recorded.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use uuid::Uuid;

/// Orders are identified within this namespace. It must never change: an order that is delivered again after an update of the
/// worker would be another one.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f1d_7a52_2c0e_4f7b_9c55_1e57_e11a_8888);

/// The idempotency key of a topic's message.
pub fn key(topic: &str, message_id: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{topic}|{message_id}").as_bytes())
}

/// The first effect of each order in headquarters' `database`, and how many it had, by its idempotency key.
pub fn effects(database: &Path) -> BTreeMap<Uuid, (Timestamp, u32)> {
    let database = rusqlite::Connection::open(database).unwrap();
    let query = "SELECT order_id, MIN(received_at), COUNT(*) FROM fulfilments GROUP BY order_id";
    let mut query = database.prepare(query).unwrap();
    let rows =
        query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?))).unwrap();
    let read = |(key, at, count): (String, String, u32)| (key.parse().unwrap(), (at.parse().unwrap(), count));
    rows.map(Result::unwrap).map(read).collect()
}
