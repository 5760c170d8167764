//! Pages of describe calls. A marker names the last item of the page before, so pages stay right when items come and go.

use serde_json::{Map, Value};

use super::errors::invalid;
use crate::call::Answer;

/// Items of a page unless the call says otherwise, and at most (AWS: 400).
const PAGE_SIZE_MAX: usize = 400;

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
