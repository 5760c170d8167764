//! Every member of every input that AWS's models have, held against a list that says what the local cloud does with it.
//!
//! `accepted/fields.txt` names each member of each structure that an input can hold: as acted upon, as stored (with the
//! reason why it has no effect here), or as refused. What is below a refused member needs no line. The test fails when
//! the models have a member that no line names, when a line names none, when a refused member is not refused by name,
//! and when another one is.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "accepted/attributes.rs"]
mod attributes;
#[path = "accepted/list.rs"]
mod list;
#[path = "accepted/sample.rs"]
mod sample;
#[path = "accepted/walk.rs"]
mod walk;

use std::collections::BTreeSet;

use interstella_localcloud::call::{ApiError, Service};
use interstella_localcloud::wire::model::Model;
use serde_json::Value;

use list::{Disposition, List};
use walk::Place;

#[test]
fn every_member_is_acted_upon_stored_with_a_reason_or_refused_by_name() {
    let list = List::read(include_str!("accepted/fields.txt"));
    let mut problems = list.problems.clone();
    let mut met = BTreeSet::new();
    for service in Service::ALL {
        let model = Model::of(service);
        for (operation, input) in walk::inputs(model) {
            for place in walk::places(model, input, &|shape, member| list.is_refused(service, shape, member)) {
                let key = (service, place.shape.to_owned(), place.member.to_owned());
                match list.get(&key) {
                    None => problems.push(format!("{service} {}.{}: no line names it", place.shape, place.member)),
                    Some(disposition) => problems.extend(mismatch(service, operation, input, &place, disposition)),
                }
                met.insert(key);
            }
        }
    }
    let unknown = list.keys().filter(|key| !met.contains(key));
    problems.extend(unknown.map(|(service, shape, member)| format!("{service} {shape}.{member}: no input has it")));
    problems.sort();
    problems.dedup();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

/// Says so if a call with the member is answered otherwise than the list says.
fn mismatch(
    service: Service,
    operation: &str,
    input: &str,
    place: &Place,
    disposition: &Disposition,
) -> Option<String> {
    let call = sample::with_member(Model::of(service), input, place);
    let answer = sample::cloud().call(service, operation, call.clone());
    let refused = not_implemented(&answer);
    if refused.as_deref() == Some(&format!("{service} {operation}")) {
        return Some(format!("{service} {operation} has shapes in the model, and is not answered"));
    }
    if refused.as_ref().is_some_and(|what| what.contains(" with missing field ")) {
        return Some(format!("{service} {operation} {call} needs more: {}", refused.unwrap_or_default()));
    }
    let refused = refused.is_some_and(|what| names(&what, place.member));
    let wanted = matches!(disposition, Disposition::Refused);
    (refused != wanted).then(|| {
        let is = if refused { "refused" } else { "not refused" };
        let answer = answer.map_or_else(|error| error.to_string(), |answer| answer.to_string());
        format!("{service} {}.{} is {is} by {operation} {call}: {:.300}", place.shape, place.member, answer)
    })
}

/// What the local cloud says it cannot do, if that is its answer.
fn not_implemented(answer: &Result<Value, ApiError>) -> Option<String> {
    let error = answer.as_ref().err().filter(|error| error.code == "NotImplemented")?;
    Some(error.message.strip_prefix("the local cloud does not implement ").unwrap_or(&error.message).to_owned())
}

/// Whether a refusal names the member as what it refuses.
fn names(refusal: &str, member: &str) -> bool {
    // Names that serde would have liked instead say nothing of the member.
    let refusal = refusal.split(", expected one of").next().unwrap_or_default();
    let refusal = refusal.split_once(" with ").map_or(refusal, |(_, what)| what);
    refusal.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == member)
}
