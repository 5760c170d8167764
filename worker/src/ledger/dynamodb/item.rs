//! Records as DynamoDB's items and back. Pure.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use super::super::fingerprint::Fingerprint;
use super::super::{LedgerError, Record, Retention, State};

/// The table's partition key.
pub(super) const KEY: &str = "orderKey";
/// The mark of the write that made the item.
pub(super) const MARK: &str = "writeId";
/// The index of what waits for a person, and its partition key, which has one value.
pub(super) const HELD_INDEX: &str = "held";
pub(super) const HELD_AS: &str = "heldAs";
pub(super) const HELD: &str = "held";
const EXPIRES_AT: &str = "expiresAt";

type Item = HashMap<String, AttributeValue>;

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub record: Record,
    pub mark: Uuid,
}

/// The item of a record. `expiresAt` is in seconds since the Unix epoch, as time to live has it.
pub(super) fn of(key: Uuid, record: &Record, mark: Uuid, retention: Retention) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let number = |number: i64| AttributeValue::N(number.to_string());
    let Record { state, attempt, uncertain, lease_until_ms, fingerprint, order, status, reason, updated_ms } = record;
    let mut item: Vec<(&str, AttributeValue)> = vec![
        (KEY, text(&key.to_string())),
        (MARK, text(&mark.to_string())),
        ("state", text(state.as_str())),
        ("attempt", number(i64::from(*attempt))),
        ("uncertain", AttributeValue::Bool(*uncertain)),
        ("leaseUntilMs", number(*lease_until_ms)),
        ("fingerprint", text(&fingerprint.to_string())),
        ("order", text(order)),
        ("reason", text(reason)),
        ("updatedMs", number(*updated_ms)),
    ];
    item.extend(status.map(|status| ("status", number(i64::from(status)))));
    item.push(if state.is_held() {
        (HELD_AS, text(HELD))
    } else {
        (EXPIRES_AT, number(updated_ms.saturating_add(retention.as_millis()) / 1000 + 1))
    });
    item.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Stored {
    /// Reads an item. Fails on one that no worker wrote.
    pub(super) fn from_item(item: &Item) -> Result<(Uuid, Stored), LedgerError> {
        read(item).ok_or_else(|| {
            let key = item.get(KEY).and_then(|key| key.as_s().ok()).map_or("without a key", String::as_str);
            LedgerError::Failed(format!("item {key:?} of the table is not an order's record; look at it"))
        })
    }
}

fn read(item: &Item) -> Option<(Uuid, Stored)> {
    let text = |name: &str| item.get(name)?.as_s().ok();
    let number = |name: &str| item.get(name)?.as_n().ok()?.parse::<i64>().ok();
    let status = match item.get("status") {
        Some(_) => Some(u16::try_from(number("status")?).ok()?),
        None => None,
    };
    let record = Record {
        state: State::parse(text("state")?)?,
        attempt: u32::try_from(number("attempt")?).ok()?,
        uncertain: *item.get("uncertain")?.as_bool().ok()?,
        lease_until_ms: number("leaseUntilMs")?,
        fingerprint: Fingerprint::parse(text("fingerprint")?)?,
        order: text("order")?.clone(),
        status,
        reason: text("reason")?.clone(),
        updated_ms: number("updatedMs")?,
    };
    let mark = Uuid::try_parse(text(MARK)?).ok()?;
    Some((Uuid::try_parse(text(KEY)?).ok()?, Stored { record, mark }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    const KEY_1: Uuid = Uuid::from_u128(1);
    const MARK_2: Uuid = Uuid::from_u128(2);

    fn record(state: State) -> Record {
        Record {
            state,
            attempt: 7,
            uncertain: true,
            lease_until_ms: 20_000,
            fingerprint: Fingerprint::of("aa"),
            order: "{\"bundle\":1}".to_owned(),
            status: Some(422),
            reason: String::new(),
            updated_ms: 1500,
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for record in [record(State::Rejected), Record { status: None, uncertain: false, ..record(State::Sent) }] {
            let (key, stored) = Stored::from_item(&of(KEY_1, &record, MARK_2, Retention::default())).unwrap();
            assert_eq!((key, stored), (KEY_1, Stored { record, mark: MARK_2 }));
        }
    }

    #[test]
    fn either_a_person_waits_for_it_or_it_expires() {
        for state in [State::Claimed, State::Sent, State::Done, State::Rejected, State::Parked, State::Quarantined] {
            let item = of(KEY_1, &record(state), MARK_2, Retention::default());
            assert_eq!(item.contains_key(HELD_AS), state.is_held(), "{state:?}");
            let expires = (!state.is_held())
                .then(|| AttributeValue::N((Retention::default().as_millis() / 1000 + 2).to_string()));
            assert_eq!(item.get(EXPIRES_AT), expires.as_ref(), "{state:?}");
        }
    }

    #[test]
    fn an_item_of_somebody_else_is_an_error_that_names_it() {
        for name in [KEY, MARK, "state", "attempt", "uncertain", "leaseUntilMs", "order", "updatedMs", "status"] {
            let mut item = of(KEY_1, &record(State::Done), MARK_2, Retention::default());
            item.insert(name.to_owned(), AttributeValue::S("x".to_owned()));
            let is_text = name == "order";
            assert_eq!(Stored::from_item(&item).is_ok(), is_text, "{name}");
        }
        let mut item = of(KEY_1, &record(State::Done), MARK_2, Retention::default());
        item.remove("state");
        let error = Stored::from_item(&item).unwrap_err().to_string();
        assert!(error.contains(&KEY_1.to_string()), "{error}");
    }
}
