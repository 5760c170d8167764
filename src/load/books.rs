//! What became of published orders, as headquarters has it in its books.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::live::Live;
use crate::failure::Failure;
use crate::http;

/// How often headquarters is asked.
const LOOK: Duration = Duration::from_millis(250);

/// What headquarters has counted since it was started.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Counts {
    /// Orders that it has published itself.
    published: usize,
    /// Orders that were fulfilled, whoever published them.
    fulfilled: usize,
    duplicates: usize,
}

/// The books of a headquarters, opened before the first order was sent.
#[derive(Debug)]
pub struct Books {
    url: String,
    before: Counts,
}

/// What became of the orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Fate {
    /// Orders that were published meanwhile: those of this run, and those of headquarters itself.
    pub published: usize,
    /// Orders that were fulfilled meanwhile.
    pub fulfilled: usize,
    /// Second effects of an order.
    pub duplicates: usize,
    /// Orders that were published and have had no effect until the wait for them was over.
    pub lost: usize,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { published, fulfilled, duplicates, lost } = self;
        write!(f, "published {published}, fulfilled {fulfilled}, duplicates {duplicates}, lost {lost}")
    }
}

impl Books {
    /// Opens the books of the headquarters at `url`.
    ///
    /// # Errors
    /// If it does not answer as one.
    pub async fn open(url: &str) -> Result<Self, Failure> {
        Ok(Self { url: url.to_owned(), before: counts(url).await? })
    }

    /// Waits until the `accepted` orders are fulfilled, but not longer than `within`, nor after `stop` has resolved.
    ///
    /// # Errors
    /// If headquarters does not answer any more.
    pub async fn settle(
        &self,
        accepted: usize,
        within: Duration,
        stop: impl Future<Output = ()>,
    ) -> Result<Fate, Failure> {
        let deadline = Instant::now() + within;
        let (mut live, mut looks) = (Live::start(), tokio::time::interval(LOOK));
        tokio::pin!(stop);
        let fate = loop {
            let is_over = tokio::select! {
                _ = looks.tick() => Instant::now() >= deadline,
                () = &mut stop => true,
            };
            let fate = fate(self.before, counts(&self.url).await?, accepted);
            if fate.lost == 0 || is_over {
                break fate;
            }
            live.show(&format!("all is sent; not fulfilled yet: {}", fate.lost));
        };
        live.finish();
        Ok(fate)
    }
}

async fn counts(url: &str) -> Result<Counts, Failure> {
    let wrong = |what: String| {
        Failure::new(what)
            .remedy("--hq names a headquarters; `interstella up` prints its URL, which is http://127.0.0.1:8889")
    };
    let (status, body) = http::get(url, "/stats").await?;
    if status != 200 {
        return Err(wrong(format!("{url}/stats answers with status {status}")));
    }
    serde_json::from_slice(&body)
        .map_err(|error| wrong(format!("{url}/stats is not what headquarters counts: {error}")))
}

/// Orders of others that were under way before count as fulfilled too: headquarters does not tell them apart.
fn fate(before: Counts, now: Counts, accepted: usize) -> Fate {
    let published = accepted + now.published.saturating_sub(before.published);
    let fulfilled = now.fulfilled.saturating_sub(before.fulfilled);
    let duplicates = now.duplicates.saturating_sub(before.duplicates);
    Fate { published, fulfilled, duplicates, lost: published.saturating_sub(fulfilled) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_happened_meanwhile_counts() {
        let counts = |published, fulfilled, duplicates| Counts { published, fulfilled, duplicates };
        for (before, now, accepted, expected) in [
            (counts(0, 0, 0), counts(0, 8, 0), 10, [10, 8, 0, 2]),
            (counts(100, 90, 1), counts(105, 105, 1), 10, [15, 15, 0, 0]),
            (counts(100, 90, 1), counts(100, 110, 3), 10, [10, 20, 2, 0]),
        ] {
            let Fate { published, fulfilled, duplicates, lost } = fate(before, now, accepted);
            assert_eq!([published, fulfilled, duplicates, lost], expected, "{before:?} {now:?}");
        }
    }
}
