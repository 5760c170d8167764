//! Selection and pages of describe calls. A marker names the last item of the page before, so pages stay right when items come and go.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::errors::invalid;
use crate::call::Answer;

/// Items of a page unless the call says otherwise, and at most (AWS: 400).
const PAGE_SIZE_MAX: usize = 400;

/// Those of `all` that are named by ARN or by name; naming none means all of them. `None` if one is missing, which fails the
/// whole call. `identity` tells an item's ARN and name.
pub(super) fn named<'a, T>(
    all: impl Iterator<Item = &'a T>,
    arns: &[String],
    names: &[String],
    identity: impl Fn(&T) -> (&String, &String),
) -> Option<Vec<&'a T>> {
    let wanted: BTreeSet<&String> = arns.iter().chain(names).collect();
    let is_named = |item: &&'a T| {
        let (arn, name) = identity(item);
        (arns.is_empty() || arns.contains(arn)) && (names.is_empty() || names.contains(name))
    };
    let found: Vec<&T> = all.filter(is_named).collect();
    (wanted.is_empty() || found.len() >= wanted.len()).then_some(found)
}

/// Answers with one page of `items` as the list `member`; the strings are what the items are ordered by.
pub(super) fn answer(
    member: &str,
    mut items: Vec<(String, Value)>,
    marker: Option<&str>,
    page_size: Option<usize>,
) -> Answer {
    let page_size = page_size.unwrap_or(PAGE_SIZE_MAX);
    if !(1..=PAGE_SIZE_MAX).contains(&page_size) {
        return Err(invalid(format!("Page size must be between 1 and {PAGE_SIZE_MAX}")));
    }
    items.sort_by(|one, other| one.0.cmp(&other.0));
    if let Some(marker) = marker {
        let last = hex::decode(marker).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let last = last.ok_or_else(|| invalid(format!("The marker '{marker}' is not valid")))?;
        items.retain(|(key, _)| *key > last);
    }
    let more = items.len() > page_size;
    items.truncate(page_size);
    let next = items.last().filter(|_| more).map(|(key, _)| hex::encode(key));
    let mut output = Map::new();
    output.insert(member.to_owned(), items.into_iter().map(|(_, item)| item).collect());
    if let Some(next) = next {
        output.insert("NextMarker".to_owned(), next.into());
    }
    Ok(Value::Object(output))
}
