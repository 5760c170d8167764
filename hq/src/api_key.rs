//! API keys: made, hashed, looked up. A key itself is never stored, logged or shown after it was issued.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

use aws_lc_rs::digest;
use aws_lc_rs::rand;
use jiff::{SignedDuration, Timestamp};

/// How long an issued key is good for, as in the workshop.
pub(crate) const KEY_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);

const MIN_LENGTH: usize = 16;
const MAX_LENGTH: usize = 128;

/// A secret that lets its holder report fulfilments. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

/// A text that cannot be an API key. It is not repeated here, because it may be a mistyped one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an API key is {MIN_LENGTH} to {MAX_LENGTH} visible ASCII characters")]
pub struct InvalidApiKey;

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes to make an API key from")]
pub struct NoRandomness;

impl ApiKey {
    /// Makes a key of 256 random bits.
    ///
    /// # Errors
    /// [`NoRandomness`] if the operating system has none to give.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut bytes = [0_u8; 32];
        rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self(hex::encode(bytes)))
    }

    /// The secret itself, for the one place that hands it to its holder.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn hash(&self) -> KeyHash {
        KeyHash::of(&self.0)
    }
}

impl FromStr for ApiKey {
    type Err = InvalidApiKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (MIN_LENGTH..=MAX_LENGTH).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidApiKey)
        }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(redacted)")
    }
}

/// SHA-256 of a key. Fast hashing is right here: a key is 256 random bits, not a password.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyHash(pub(crate) [u8; 32]);

impl KeyHash {
    fn of(key: &str) -> Self {
        Self(sha256(key.as_bytes()))
    }

    pub(crate) fn id(self) -> KeyId {
        let mut id = hex::encode(self.0);
        id.truncate(12);
        KeyId(id)
    }
}

/// SHA-256 of `data`.
pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    hash
}

/// A key's public name: the first 12 hexadecimal digits of its SHA-256. It tells keys apart and opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct KeyId(pub(crate) String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Every key that opens the fulfilment API, by hash, with the end of its life if it has one.
#[derive(Default)]
pub(crate) struct KeyRing(RwLock<BTreeMap<KeyHash, Option<Timestamp>>>);

impl KeyRing {
    /// Adds a key, or moves the end of its life. `None` lasts as long as this process.
    pub(crate) fn add(&self, hash: KeyHash, expires_at: Option<Timestamp>) {
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let issued = expires_at.and_then(|expires_at| expires_at.checked_sub(KEY_LIFETIME).ok());
        // What has expired when this one was issued is of no use any more.
        keys.retain(|_, other| other.zip(issued).is_none_or(|(other, issued)| other > issued));
        keys.insert(hash, expires_at);
    }

    /// Whose key `presented` is, if it is good at `now`.
    ///
    /// The lookup compares hashes, so its timing tells nothing about a key.
    pub(crate) fn identify(&self, presented: &str, now: Timestamp) -> Option<KeyId> {
        let hash = KeyHash::of(presented);
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let expires_at = keys.get(&hash)?;
        expires_at.is_none_or(|expires_at| now < expires_at).then(|| hash.id())
    }

    /// The ids of all keys, expired ones included.
    pub(crate) fn ids(&self) -> Vec<KeyId> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keys().map(|hash| hash.id()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_good_until_it_expires() {
        let (ring, key) = (KeyRing::default(), ApiKey::generate().unwrap());
        let issued = Timestamp::UNIX_EPOCH;
        ring.add(key.hash(), Some(issued + KEY_LIFETIME));
        assert_eq!(ring.identify(key.expose(), issued), Some(key.hash().id()));
        let last = issued + SignedDuration::from_hours(30 * 24) - SignedDuration::from_secs(1);
        assert!(ring.identify(key.expose(), last).is_some());
        assert_eq!(ring.identify(key.expose(), issued + KEY_LIFETIME), None);
        assert_eq!(ring.identify("another key, never issued", issued), None);
    }

    #[test]
    fn keys_that_have_expired_do_not_stay() {
        let ring = KeyRing::default();
        for day in 0..100 {
            let issued = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * day);
            ring.add(ApiKey::generate().unwrap().hash(), Some(issued + KEY_LIFETIME));
        }
        assert_eq!(ring.ids().len(), 30);
    }

    #[test]
    fn a_key_shows_itself_nowhere() {
        let key = ApiKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), "ApiKey(redacted)");
        assert!(!key.expose().contains(&key.hash().id().to_string()));
        assert_eq!(key.expose().len(), 64);
    }

    #[test]
    fn refuses_what_cannot_be_a_key() {
        for bad in ["", "short", "has a space inside it", "line\r\nbreak-in-the-middle", &"x".repeat(129)] {
            assert_eq!(bad.parse::<ApiKey>(), Err(InvalidApiKey));
        }
        assert!("0123456789abcdef".parse::<ApiKey>().is_ok());
    }
}
