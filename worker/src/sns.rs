//! Messages from SNS: what is one, who signed it, and how a subscription is confirmed.
//!
//! Checks run from cheap to costly, and nothing is fetched before the topic is known to be ours. Headers are not signed, so
//! nothing is taken from them. `SubscribeURL` is never fetched.

mod certificate;
mod confirm;
mod envelope;
#[cfg(fuzzing)]
pub mod fuzzing;
mod keys;
#[cfg(any(test, fuzzing))]
mod laws;
#[cfg(test)]
mod random_tests;
mod signature;
#[cfg(feature = "signed-confirmation")]
mod signer;
#[cfg(not(feature = "signed-confirmation"))]
#[path = "sns/no_signer.rs"]
mod signer;
mod topic;
mod verify;

pub(crate) use confirm::Confirmer;
pub(crate) use envelope::{Envelope, Kind};
pub(crate) use keys::KeyCache;
pub(crate) use signer::Signer;
pub(crate) use topic::Topic;
pub(crate) use verify::{Rules, Verifier, WRONG_CLOCK};

/// Why a message is not processed. The text is one of ours, never the sender's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not a message as SNS writes it: 400.
    Malformed(&'static str),
    /// Not from one of our topics, or not now: 403.
    Forged(&'static str),
    /// Cannot be checked at the moment: 503, and SNS delivers it again.
    Unverifiable(&'static str),
}
