//! Scripted faults by operation and count.

/// Faults to come.
#[derive(Debug, Default)]
pub struct Faults {}
