//! Reading many things in few calls, without letting one thing's trouble become another's.
//!
//! It knows no service: a batch that fails because one of its keys does not exist is read again key by key.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use futures_util::stream::{self, StreamExt};

use crate::error::{Class, Error};

/// How many reads run at once.
pub const CONCURRENCY: usize = 8;

/// What each key's read brought: the thing, its absence, or that we do not know.
pub type Fetched<T> = BTreeMap<String, Result<Option<T>, Error>>;

/// Reads `keys` in batches of `size`. `read` takes a batch and returns what it found by key; a key that it leaves out is absent.
pub async fn fetch<T, F, R>(keys: BTreeSet<String>, size: usize, read: F) -> Fetched<T>
where
    F: Fn(Vec<String>) -> R,
    R: Future<Output = Result<BTreeMap<String, T>, Error>>,
{
    let keys: Vec<String> = keys.into_iter().collect();
    let batches: Vec<Vec<String>> = keys.chunks(size.max(1)).map(<[String]>::to_vec).collect();
    let (mut fetched, missing) = read_all(batches, &read).await;
    let singles = missing.into_iter().map(|key| vec![key]).collect();
    fetched.extend(read_all(singles, &read).await.0);
    fetched
}

/// What a read of several pages brings, by key. Half of the pages would make the other half look absent, so all have to come.
///
/// # Errors
/// When the read fails.
pub async fn by_key<T, E>(
    read: impl Future<Output = Result<Vec<T>, E>>,
    error: impl Fn(E) -> Error,
    key: impl Fn(&T) -> Option<String>,
) -> Result<BTreeMap<String, T>, Error> {
    let found = read.await.map_err(error)?;
    Ok(found.into_iter().filter_map(|one| Some((key(&one)?, one))).collect())
}

/// Reads each key with a call of its own.
pub async fn each<T, F, R>(keys: BTreeSet<String>, read: F) -> Fetched<T>
where
    F: Fn(String) -> R,
    R: Future<Output = Result<Option<T>, Error>>,
{
    let read = &read;
    stream::iter(keys)
        .map(|key| async move {
            let result = read(key.clone()).await;
            (key, result)
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await
}

/// Takes one key's result out of what was fetched; a key that nobody asked for is absent.
///
/// # Errors
/// When reading that key failed.
pub fn get<T: Clone>(fetched: &Fetched<T>, key: &str) -> Result<Option<T>, Error> {
    look(fetched, key).map(Option::<&T>::cloned)
}

/// As [`get`], without a copy: for what many apps share.
///
/// # Errors
/// When reading that key failed.
pub fn look<'a, T>(fetched: &'a Fetched<T>, key: &str) -> Result<Option<&'a T>, Error> {
    match fetched.get(key) {
        Some(Ok(found)) => Ok(found.as_ref()),
        Some(Err(error)) => Err(error.clone()),
        None => Ok(None),
    }
}

/// Reads all batches; the second part are the keys of those that failed because one of them does not exist.
async fn read_all<T, F, R>(batches: Vec<Vec<String>>, read: &F) -> (Fetched<T>, Vec<String>)
where
    F: Fn(Vec<String>) -> R,
    R: Future<Output = Result<BTreeMap<String, T>, Error>>,
{
    let answers: Vec<_> = stream::iter(batches)
        .map(|batch| async move {
            let answer = read(batch.clone()).await;
            (batch, answer)
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    let mut fetched = Fetched::new();
    let mut again = Vec::new();
    for (batch, answer) in answers {
        match answer {
            Ok(mut found) => fetched.extend(batch.into_iter().map(|key| {
                let value = found.remove(&key);
                (key, Ok(value))
            })),
            Err(error) if error.class == Class::NotFound && batch.len() > 1 => again.extend(batch),
            Err(error) if error.class == Class::NotFound => {
                fetched.extend(batch.into_iter().map(|key| (key, Ok(None))));
            }
            Err(error) => fetched.extend(batch.into_iter().map(|key| (key, Err(error.clone())))),
        }
    }
    (fetched, again)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn keys(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn error(class: Class) -> Error {
        Error { operation: "x", code: "y".into(), message: String::new(), class }
    }

    #[tokio::test]
    async fn one_missing_key_does_not_hide_the_others() {
        let fetched = fetch(keys(&["a", "b", "gone"]), 20, |batch: Vec<String>| async move {
            if batch.contains(&"gone".to_owned()) {
                return Err(error(Class::NotFound));
            }
            Ok(batch.into_iter().map(|key| (key.clone(), key)).collect())
        })
        .await;
        assert_eq!(get(&fetched, "a").unwrap(), Some("a".to_owned()));
        assert_eq!(get(&fetched, "gone").unwrap(), None);
    }

    #[tokio::test]
    async fn a_failed_batch_is_unknown_not_absent() {
        let fetched: Fetched<String> = fetch(keys(&["a", "b"]), 1, |batch: Vec<String>| async move {
            if batch == ["a"] { Err(error(Class::Retryable)) } else { Ok(BTreeMap::new()) }
        })
        .await;
        assert_eq!(get(&fetched, "a").unwrap_err().class, Class::Retryable);
        assert_eq!(get(&fetched, "b").unwrap(), None);
    }
}
