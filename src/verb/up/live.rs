//! The block below the lines of `up`, on a terminal.

use std::sync::Arc;
use std::time::Duration;

use interstella_controller::controller::Shared;
use jiff::tz::TimeZone;

use crate::block::{Block, row};
use crate::headquarters::Headquarters;
use crate::screen;
use crate::telemetry::line::{Line, Place};

/// How often it is drawn again.
const EVERY: Duration = Duration::from_secs(1);

/// What the block shows.
pub struct Live {
    /// The apps.
    pub shared: Arc<Shared>,
    /// Who counts the orders.
    pub headquarters: Headquarters,
    /// How to leave, and where there is more.
    pub foot: Vec<String>,
    /// In colour.
    pub colors: bool,
}

impl Live {
    /// Draws for as long as it is polled; nothing where there is no terminal.
    pub async fn draw(mut self) {
        if screen::size().is_none() {
            return;
        }
        let (mut ticks, mut news) = (tokio::time::interval(EVERY), self.shared.transitions.listen());
        let mut orders = None;
        loop {
            tokio::select! {
                _ = ticks.tick() => orders = self.headquarters.look().await,
                // One that was missed is news all the same.
                _ = news.recv() => {}
            }
            let Some(size) = screen::size() else { return };
            let place = Place { colors: self.colors, width: None };
            let last = self.shared.transitions.latest();
            let last = last.map(|one| Line::of(&one, &TimeZone::system()).render(place));
            let rows = row::rows(&row::of_statuses(&self.shared.apps()));
            let block = Block { rows, orders, last, foot: self.foot.clone() };
            // Half of the screen is for the lines above.
            let half = screen::Size { height: size.height.div_ceil(2).max(8).min(size.height), ..size };
            screen::show(block.lines(half, self.colors));
        }
    }
}
