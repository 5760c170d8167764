//! The fulfilment API's key. From the environment it is what it was at the start, as ECS has it with `secrets`; from a file it is
//! read again when the API refuses it. No error and no `Debug` shows it.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;

const MAX_BYTES: u64 = 4096;
/// A wrong key is wrong for all orders; they must not make a file server suffer for it.
const READ_INTERVAL_MS: i64 = 60_000;
const READ_TIMEOUT: Duration = Duration::from_secs(1);

/// A value that is never shown.
#[derive(Clone)]
pub struct Secret(HeaderValue);

impl Secret {
    /// Reads a key. Line breaks and other control characters would end the header early. The error says what is wrong and how to
    /// go on.
    pub(super) fn parse(text: &str) -> Result<Secret, String> {
        const BAD: &str = "holds a space, a line break or another character that an API key never has; set it again";
        if text.is_empty() {
            return Err("is empty; set it".to_owned());
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BAD.to_owned());
        }
        let mut value = HeaderValue::from_str(text).map_err(|_| BAD.to_owned())?;
        value.set_sensitive(true);
        Ok(Secret(value))
    }

    /// Reads a file that holds a key and at most a line break after it.
    pub(super) fn read(path: &Path) -> Result<Secret, String> {
        let mut text = String::new();
        let file = File::open(path).map_err(|error| format!("names a file that cannot be opened: {error}"))?;
        let read = file.take(MAX_BYTES).read_to_string(&mut text);
        read.map_err(|error| format!("names a file that cannot be read: {error}"))?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        Secret::parse(text.strip_suffix('\r').unwrap_or(text)).map_err(|problem| format!("names a file that {problem}"))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The key in force.
#[derive(Debug)]
pub(crate) struct ApiKey {
    current: Mutex<Secret>,
    file: Option<PathBuf>,
    next_read_ms: AtomicI64,
}

impl ApiKey {
    pub(crate) fn new(key: Secret, file: Option<PathBuf>) -> Self {
        ApiKey { current: Mutex::new(key), file, next_read_ms: AtomicI64::new(i64::MIN) }
    }

    /// As a header value that HTTP libraries do not log.
    pub(crate) fn header(&self) -> HeaderValue {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// The API refused the key: reads its file again, at most once a minute. A file that holds none leaves the key as it is.
    pub(crate) async fn refused(&self, now_ms: i64) {
        let Some(file) = self.file.clone() else { return };
        let next_ms = self.next_read_ms.load(Ordering::Relaxed);
        if now_ms < next_ms {
            return;
        }
        // Of orders that are refused at once, one reads.
        let after_ms = now_ms.saturating_add(READ_INTERVAL_MS);
        if self.next_read_ms.compare_exchange(next_ms, after_ms, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return;
        }
        let reading = tokio::task::spawn_blocking(move || Secret::read(&file));
        match tokio::time::timeout(READ_TIMEOUT, reading).await {
            Ok(Ok(Ok(key))) => {
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = key;
                tracing::info!("the API refused the key; its file was read again");
            }
            Ok(Ok(Err(problem))) => tracing::error!("the API refused the key, and INTERSTELLA_API_KEY_FILE {problem}"),
            Ok(Err(_)) | Err(_) => tracing::error!("the API refused the key, and its file cannot be read in time"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn w64_a_file_holds_one_key_and_nothing_of_it_is_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        for (text, key) in [
            ("canary-1", Some("canary-1")),
            ("canary-1\n", Some("canary-1")),
            ("canary-1\r\n", Some("canary-1")),
            ("canary-1\n\n", None),
            ("canary-1\ncanary-2\n", None),
            (" canary-1", None),
            ("\n", None),
            ("", None),
            ("canary-\u{e9}", None),
        ] {
            std::fs::write(&path, text).unwrap();
            let read = Secret::read(&path);
            assert!(!format!("{read:?}").contains("canary"), "{text:?}");
            assert_eq!(read.ok().map(|secret| secret.0).as_ref().map(|value| value.to_str().unwrap()), key, "{text:?}");
        }
        std::fs::write(&path, "a".repeat(100_000)).unwrap();
        assert_eq!(Secret::read(&path).unwrap().0.len(), 4096, "no more is read, and the API will refuse it");
        assert!(Secret::read(dir.path()).unwrap_err().contains("cannot be"));
        assert!(Secret::read(&dir.path().join("none")).unwrap_err().contains("cannot be opened"));
    }

    #[tokio::test]
    async fn w45_refusals_in_between_do_not_put_off_the_next_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, "old").unwrap();
        let key = ApiKey::new(Secret::read(&path).unwrap(), Some(path.clone()));
        key.refused(0).await;
        std::fs::write(&path, "new").unwrap();
        for now_ms in (1_000..READ_INTERVAL_MS).step_by(1_000) {
            key.refused(now_ms).await;
            assert_eq!(key.header(), "old", "read again after {now_ms} ms");
        }
        key.refused(READ_INTERVAL_MS).await;
        assert_eq!(key.header(), "new");
    }
}
