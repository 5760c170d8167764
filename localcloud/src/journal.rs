//! Every call made.

/// Every call made.
#[derive(Debug, Default)]
pub struct Journal {}
