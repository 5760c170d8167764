//! What hq counts and how it shows it: `GET /stats` for programs, `GET /` for people.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::api_key::KeyId;
use crate::refusal::Refusal;
use crate::service::Shared;
use crate::store::Counts;

/// Reports that were refused for good, since hq was started: in memory, so that strangers cause no writes.
#[derive(Default)]
pub(crate) struct Rejections(Mutex<RejectionCounts>);

#[derive(Clone, Default)]
struct RejectionCounts {
    total: u64,
    by_key: BTreeMap<String, u64>,
}

impl Rejections {
    /// Counts one, for the key that made it if it is known.
    pub(crate) fn add(&self, api_key: Option<&KeyId>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.total += 1;
        if let Some(KeyId(id)) = api_key {
            *counts.by_key.entry(id.clone()).or_default() += 1;
        }
    }

    fn counts(&self) -> RejectionCounts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// All counts. Those of the database outlive the process; rejections do not.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stats {
    /// Publishes that SNS acknowledged.
    published: u64,
    /// Distinct orders that were fulfilled.
    fulfilled: u64,
    /// Second effects of an order: must stay 0.
    duplicates: u64,
    /// Reports refused for good.
    rejected: u64,
    /// By the public id of an API key.
    per_key: BTreeMap<String, KeyStats>,
}

/// The counts of one API key.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct KeyStats {
    fulfilled: u64,
    rejected: u64,
}

pub(crate) async fn stats(State(hq): State<Arc<Shared>>) -> Result<Json<Stats>, Refusal> {
    Ok(Json(gather(&hq).await?))
}

pub(crate) async fn status_page(State(hq): State<Arc<Shared>>) -> Result<String, Refusal> {
    Ok(gather(&hq).await?.to_string())
}

async fn gather(hq: &Shared) -> Result<Stats, Refusal> {
    Ok(merge(hq.store.counts().await?, hq.rejections.counts(), hq.keys.ids()))
}

fn merge(counts: Counts, rejections: RejectionCounts, known: Vec<KeyId>) -> Stats {
    let Counts { published, fulfilled, duplicates, fulfilled_by_key } = counts;
    let mut per_key: BTreeMap<_, KeyStats> = known.into_iter().map(|KeyId(id)| (id, KeyStats::default())).collect();
    for (id, fulfilled) in fulfilled_by_key {
        per_key.entry(id).or_default().fulfilled = fulfilled;
    }
    for (id, rejected) in rejections.by_key {
        per_key.entry(id).or_default().rejected = rejected;
    }
    Stats { published, fulfilled, duplicates, rejected: rejections.total, per_key }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { published, fulfilled, duplicates, rejected, per_key } = self;
        writeln!(f, "Headquarters of Interstella 8888\n")?;
        writeln!(
            f,
            "published   {published}\nfulfilled   {fulfilled}\nduplicates  {duplicates}\nrejected    {rejected}"
        )?;
        per_key.iter().try_for_each(|(id, key)| {
            writeln!(f, "API key {id}: fulfilled {}, rejected {}", key.fulfilled, key.rejected)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_every_key_that_is_known_or_was_used() {
        let rejections = Rejections::default();
        rejections.add(None);
        rejections.add(Some(&KeyId("aa".to_owned())));
        let counts = Counts {
            published: 9,
            fulfilled: 5,
            duplicates: 0,
            fulfilled_by_key: BTreeMap::from([("aa".to_owned(), 3), ("gone".to_owned(), 2)]),
        };
        let stats = merge(counts, rejections.counts(), vec![KeyId("aa".to_owned()), KeyId("new".to_owned())]);
        let expected = serde_json::json!({
            "published": 9, "fulfilled": 5, "duplicates": 0, "rejected": 2,
            "perKey": {
                "aa": { "fulfilled": 3, "rejected": 1 },
                "gone": { "fulfilled": 2, "rejected": 0 },
                "new": { "fulfilled": 0, "rejected": 0 },
            },
        });
        assert_eq!(serde_json::json!(stats), expected);
    }
}
