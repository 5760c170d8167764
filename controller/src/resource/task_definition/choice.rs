//! Which revision an app should run: one that is there, or a new one. Registering is never idempotent, so the old ones are
//! asked first, and a revision is used again only where a failed rollout could still be told from a new attempt.

use crate::desired::Desired;
use crate::observed::Observed;
use crate::resource::service;
use crate::resource::task_definition::Revision;
use crate::resource::task_definition::additions::additions;

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// This revision, by ARN.
    Use(String),
    /// None that is there.
    Register,
}

/// Looks at the service's own revision first, then at the family's newest ACTIVE one.
#[must_use]
pub fn choose(desired: &Desired, observed: &Observed) -> Choice {
    let own = observed.task_definitions.own.as_ref();
    if let Some(own) = own.filter(|own| keeps(desired, observed, own)) {
        return Choice::Use(own.arn.clone());
    }
    let newest = observed.task_definitions.newest.as_ref();
    let fits = newest.filter(|newest| newest.active && is_attempt(desired, newest));
    fits.map_or(Choice::Register, |newest| Choice::Use(newest.arn.clone()))
}

/// Whether a revision is what the manifest says, whatever AWS adds to it.
#[must_use]
pub fn is_content(desired: &Desired, revision: &Revision) -> bool {
    additions(desired, revision).is_some()
}

/// Whether a revision is an attempt to bring out what the manifest says now: the same content, for the same other fields.
#[must_use]
pub fn is_attempt(desired: &Desired, revision: &Revision) -> bool {
    is_content(desired, revision) && is_rollout(desired, revision)
}

fn is_rollout(desired: &Desired, revision: &Revision) -> bool {
    revision.rollout() == Some(&desired.hashes.rollout)
}

/// The service keeps its revision if the content is right, unless the same content has to be rolled out again: after a failure,
/// or with other fields that start a deployment. Such an attempt needs a revision with its own rollout tag, or its failure
/// could not be told from the last one's.
fn keeps(desired: &Desired, observed: &Observed, own: &Revision) -> bool {
    if !is_content(desired, own) {
        return false;
    }
    let again = service::has_failed(observed) || service::starts_deployment(desired, observed);
    is_rollout(desired, own) || !again
}
