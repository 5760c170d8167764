//! What AWS adds to a revision of ours. A revision never changes, so whatever differs in one that we registered from this content is
//! AWS's doing: registering it again would bring the same. Where AWS only adds what the manifest leaves open the revision counts as
//! what the manifest says; where it changes or drops something it does not.
//!
//! Tags alone are no proof, as other tools copy them into revisions of their own. A copied tag names another revision than the one
//! that carries it, which tells the copy from the original.

use serde_json::Value;

use crate::app::Owner;
use crate::desired::Desired;
use crate::diff::{self, Change};
use crate::resource::task_definition::{CONTENT_TAG, Revision, short};

/// What a revision has beyond what the manifest says, or nothing if it is not what the manifest says.
#[must_use]
pub fn additions(desired: &Desired, revision: &Revision) -> Option<Vec<Change>> {
    let (family, spec) = &desired.task_definition;
    if revision.family != *family {
        return None;
    }
    let changes = diff::diff(&revision.spec, spec);
    let accepted = changes.is_empty() || (is_our_work(desired, revision) && changes.iter().all(is_addition));
    accepted.then_some(changes)
}

/// The number of a revision.
#[must_use]
pub fn number(revision: &Revision) -> Option<u32> {
    short(&revision.arn).rsplit_once(':')?.1.parse().ok()
}

/// Whether we registered this very revision from the content that the manifest has now.
fn is_our_work(desired: &Desired, revision: &Revision) -> bool {
    let is_ours = desired.marks.owner(&revision.tags) == Owner::Ours;
    is_ours && revision.is_original() && revision.tags.get(CONTENT_TAG) == Some(&desired.hashes.content)
}

/// Whether the manifest leaves open what AWS answers. A zero is how the normal form says that no number is given.
fn is_addition(change: &Change) -> bool {
    match &change.to {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Number(number) => number.as_u64() == Some(0),
        Value::Bool(_) | Value::String(_) | Value::Object(_) => false,
    }
}
