//! What `simulate` takes and shows around the library's simulation: load curves, settings, prices, reports, sheets and sweeps.

pub mod conversion;
pub mod curve;
pub mod drawing;
pub mod duration;
pub mod flags;
pub mod front;
pub mod history;
pub mod prices;
pub mod report;
pub mod setup;
pub mod sheet;
pub mod sweep;
