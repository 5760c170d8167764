//! Load: orders that arrive by a curve, whatever becomes of the ones before them.

pub mod books;
mod live;
pub mod report;
pub mod schedule;
pub mod send;
pub mod target;
