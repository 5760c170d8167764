//! When the next pass comes: one pure function from what the last one brought.

use std::time::Duration;

use crate::error::Class;
use crate::plan::{On, Plan};
use crate::reconcile::Outcome;

/// First wait for something that AWS is at.
const POLL: Duration = Duration::from_millis(200);
/// Longest wait for something that AWS is at.
const POLL_MOST: Duration = Duration::from_secs(15);
/// First wait after a failure.
const RETRY: Duration = Duration::from_secs(1);
/// Longest wait after repeated failures.
const RETRY_MOST: Duration = Duration::from_secs(300);
/// Wait for what only a person can change in the account.
const DENIED: Duration = Duration::from_secs(300);
/// Wait for a quota.
const QUOTA: Duration = Duration::from_secs(600);

/// How long to wait until the next pass. `quiet` is how many passes in a row changed nothing, `failures` how many in a row had
/// an error, `interval` the wait between passes over a converged app.
#[must_use]
pub fn after(outcome: &Outcome, quiet: u32, failures: u32, interval: Duration) -> Duration {
    if let Some(class) = outcome.errors().map(|error| error.class).min_by_key(|class| wait(*class, failures)) {
        return wait(class, failures);
    }
    if outcome.changed {
        return Duration::ZERO;
    }
    let waits = outcome.plan.as_ref().is_some_and(waits_for_aws) || outcome.status.is_progressing();
    if waits { doubled(POLL, quiet, POLL_MOST).min(interval) } else { interval }
}

fn waits_for_aws(plan: &Plan) -> bool {
    plan.waiting.iter().any(|waiting| waiting.on != On::Person)
}

/// How long to wait after an error of a class that came `failures` times in a row.
#[must_use]
pub fn wait(class: Class, failures: u32) -> Duration {
    match class {
        Class::InProgress | Class::NotFound => doubled(POLL, failures, POLL_MOST),
        Class::Retryable | Class::Unknown => doubled(RETRY, failures.saturating_sub(1), RETRY_MOST),
        Class::Conflict | Class::Terminal | Class::Unsupported => doubled(RETRY, failures, RETRY_MOST),
        Class::Denied => DENIED,
        Class::Quota => QUOTA,
    }
}

fn doubled(first: Duration, times: u32, most: Duration) -> Duration {
    let factor = 2_u32.checked_pow(times.min(20)).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit() {
        let table = [
            (Class::InProgress, 1, 400),
            (Class::InProgress, 30, 15_000),
            (Class::Retryable, 1, 1_000),
            (Class::Retryable, 4, 8_000),
            (Class::Retryable, 99, 300_000),
            (Class::Unknown, 1, 1_000),
            (Class::Terminal, 1, 2_000),
            (Class::Terminal, 99, 300_000),
            (Class::Denied, 1, 300_000),
            (Class::Quota, 1, 600_000),
        ];
        for (class, failures, milliseconds) in table {
            assert_eq!(wait(class, failures), Duration::from_millis(milliseconds), "{class:?} × {failures}");
        }
    }
}
