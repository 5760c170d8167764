//! What a headquarters counts, asked again and again.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use crate::block::Orders;
use crate::block::rate::Rate;
use crate::http;

/// Longest wait for an answer: what is shown goes on without it.
const PATIENCE: Duration = Duration::from_secs(1);

/// A headquarters that is asked for its counts.
pub struct Headquarters {
    url: String,
    begun: Instant,
    published: Rate,
    last: Option<Orders>,
}

/// As `/stats` answers.
#[derive(Debug, Deserialize)]
struct Stats {
    published: u64,
    fulfilled: u64,
    duplicates: u64,
}

impl Headquarters {
    /// The one at `url`.
    pub fn at(url: String) -> Self {
        Self { url, begun: Instant::now(), published: Rate::default(), last: None }
    }

    /// What it counts now, or did when it last answered; absent if it never has.
    pub async fn look(&mut self) -> Option<Orders> {
        if let Ok(Ok((200, body))) = tokio::time::timeout(PATIENCE, http::get(&self.url, "/stats")).await
            && let Ok(stats) = serde_json::from_slice::<Stats>(&body)
        {
            let Stats { published, fulfilled, duplicates } = stats;
            self.published.note(self.begun.elapsed(), published);
            self.last = Some(Orders { per_minute: self.published.per_minute(), fulfilled, duplicates });
        }
        self.last
    }
}
