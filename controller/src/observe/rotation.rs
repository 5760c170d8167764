//! What AWS tells of one resource at a time, read in turns once there is much of it.
//!
//! A value read before stands in only where it is what the manifest says, so that nothing could follow from it: it can hide a change
//! made by hand for some passes, but never cause an action. Where something differs, or goes, it is read again.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use crate::batch::{self, Fetched};
use crate::error::Error;

/// This many are read in every pass.
const ALWAYS: usize = 50;
/// Of more than that, each is read once in this many passes.
const PASSES: usize = 15;

/// Values by ARN, and in how many passes each has stood in since it was read.
#[derive(Debug)]
pub(super) struct Rotation<T>(BTreeMap<String, (T, usize)>);

impl<T> Default for Rotation<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Clone> Rotation<T> {
    /// What was read last.
    pub(super) fn last(&self, arn: &str) -> Option<&T> {
        self.0.get(arn).map(|(value, _)| value)
    }

    /// Reads `arns`, but for those whose turn it is not. Only of the `settled` ones the last value may stand in.
    pub(super) async fn read<F, R>(&mut self, arns: BTreeSet<String>, settled: &BTreeSet<String>, read: F) -> Fetched<T>
    where
        F: Fn(String) -> R,
        R: Future<Output = Result<Option<T>, Error>>,
    {
        if arns.len() <= ALWAYS {
            return batch::each(arns, read).await;
        }
        self.0.retain(|arn, _| arns.contains(arn));
        let resting = self.resting(arns.len(), settled);
        let (resting, due): (BTreeSet<_>, BTreeSet<_>) = arns.into_iter().partition(|arn| resting.contains(arn));
        let mut fetched = batch::each(due, read).await;
        for (arn, result) in &fetched {
            match result {
                Ok(Some(value)) => drop(self.0.insert(arn.clone(), (value.clone(), 0))),
                Ok(None) | Err(_) => drop(self.0.remove(arn)),
            }
        }
        fetched.extend(resting.into_iter().map(|arn| {
            let value = self.0.get_mut(&arn).map(|(value, passes)| {
                *passes += 1;
                value.clone()
            });
            (arn, Ok(value))
        }));
        fetched
    }

    /// The settled ones whose turn it is not: those read longest ago have it.
    fn resting(&self, all: usize, settled: &BTreeSet<String>) -> BTreeSet<String> {
        let known = self.0.iter().filter(|(arn, _)| settled.contains(*arn));
        let mut by_age: Vec<_> = known.map(|(arn, (_, passes))| (*passes, arn)).collect();
        by_age.sort_unstable();
        by_age.truncate(by_age.len().saturating_sub(ALWAYS.max(all.div_ceil(PASSES))));
        by_age.into_iter().map(|(_, arn)| arn.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::cell::RefCell;

    use super::*;

    fn arns(count: usize) -> BTreeSet<String> {
        (0..count).map(|number| format!("{number:04}")).collect()
    }

    /// Which of `all` are read in one pass.
    async fn pass(
        rotation: &mut Rotation<u32>,
        all: &BTreeSet<String>,
        settled: &BTreeSet<String>,
    ) -> BTreeSet<String> {
        let read = RefCell::new(BTreeSet::new());
        let fetched = rotation.read(all.clone(), settled, |arn| {
            read.borrow_mut().insert(arn);
            async { Ok(Some(1)) }
        });
        assert!(fetched.await.values().all(|value| *value.as_ref().unwrap() == Some(1)));
        read.into_inner()
    }

    #[tokio::test]
    async fn few_are_read_every_time() {
        let (mut rotation, all) = (Rotation::default(), arns(ALWAYS));
        for _ in 0..3 {
            assert_eq!(pass(&mut rotation, &all, &all).await, all);
        }
    }

    #[tokio::test]
    async fn of_many_each_has_its_turn() {
        let (mut rotation, all) = (Rotation::default(), arns(1_000));
        assert_eq!(pass(&mut rotation, &all, &all).await, all, "at first nothing is known");
        let mut seen = BTreeSet::new();
        for _ in 0..PASSES {
            let read = pass(&mut rotation, &all, &all).await;
            assert!(read.len() <= all.len().div_ceil(PASSES), "{}", read.len());
            seen.extend(read);
        }
        assert_eq!(seen, all);
    }

    #[tokio::test]
    async fn what_is_not_settled_is_read_every_time() {
        let (mut rotation, all) = (Rotation::default(), arns(200));
        pass(&mut rotation, &all, &all).await;
        let settled: BTreeSet<String> = all.iter().filter(|arn| *arn != "0007").cloned().collect();
        for _ in 0..PASSES {
            assert!(pass(&mut rotation, &all, &settled).await.contains("0007"));
        }
    }

    #[tokio::test]
    async fn what_failed_does_not_stand_in() {
        let (mut rotation, all) = (Rotation::<u32>::default(), arns(200));
        let failed = Error::terminal("x", "y", "z");
        let fetched = rotation.read(all.clone(), &all, |_| {
            let failed = failed.clone();
            async { Err(failed) }
        });
        assert!(fetched.await.values().all(Result::is_err));
        assert!(all.iter().all(|arn| rotation.last(arn).is_none()));
    }
}
