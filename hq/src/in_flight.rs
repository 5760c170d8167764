//! The idempotency keys that are being worked on. It only answers "in flight"; that an effect happens once is the
//! store's promise, kept by one SQLite transaction.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The set of keys in flight.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashSet<String>>>);

/// Holds a key in flight until it is dropped.
pub(crate) struct Claim {
    keys: InFlight,
    key: String,
}

impl InFlight {
    /// Takes `key`, or `None` while another request holds it.
    pub(crate) fn claim(&self, key: &str) -> Option<Claim> {
        let fresh = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned());
        fresh.then(|| Claim { keys: self.clone(), key: key.to_owned() })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.keys.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_held_until_its_claim_is_dropped() {
        let keys = InFlight::default();
        let first = keys.claim("a").unwrap();
        assert!(keys.claim("a").is_none());
        assert!(keys.claim("b").is_some());
        drop(first);
        assert!(keys.claim("a").is_some());
    }
}
