//! Pages of list calls. A token names the last item of its page, so that a page does not repeat or skip anything when items come
//! and go between two calls.

use serde_json::{Map, Value};

use super::errors::invalid;
use crate::call::{Answer, ApiError};

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest key first.
    Ascending,
    /// Greatest key first.
    Descending,
}

/// One item of a list.
pub struct Item {
    /// What the list is ordered by; unique.
    pub key: String,
    /// What is answered.
    pub value: Value,
}

/// What a client asked for.
pub struct Request<'a> {
    /// `maxResults`, 1 to 100.
    pub max_results: Option<usize>,
    /// `nextToken` of the page before.
    pub next_token: Option<&'a str>,
    /// Items on a page when the client does not say.
    pub default_size: usize,
}

/// Answers the page that `request` asks for, as `name` and, if more follows, `nextToken`.
pub fn answer(name: &str, mut items: Vec<Item>, order: Order, request: &Request<'_>) -> Answer {
    let size = request.max_results.unwrap_or(request.default_size);
    if !(1..=100).contains(&size) {
        return Err(invalid("maxResults must be between 1 and 100"));
    }
    items.sort_by(|a, b| if order == Order::Ascending { a.key.cmp(&b.key) } else { b.key.cmp(&a.key) });
    if let Some(token) = request.next_token {
        let last = read_token(token)?;
        items.retain(|item| if order == Order::Ascending { item.key > last } else { item.key < last });
    }
    let more = items.len() > size;
    items.truncate(size);
    let mut answer = Map::new();
    if let Some(last) = items.last().filter(|_| more) {
        answer.insert("nextToken".to_owned(), Value::String(hex::encode(&last.key)));
    }
    answer.insert(name.to_owned(), items.into_iter().map(|item| item.value).collect());
    Ok(Value::Object(answer))
}

fn read_token(token: &str) -> Result<String, ApiError> {
    hex::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| invalid("Invalid token."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(order: Order, max_results: Option<usize>, next_token: Option<&str>) -> Answer {
        let items = ["b", "a", "c"].map(|key| Item { key: key.to_owned(), value: key.into() });
        answer("names", items.into(), order, &Request { max_results, next_token, default_size: 10 })
    }

    #[test]
    fn pages_continue_after_the_last_item() {
        let first = names(Order::Descending, Some(2), None).unwrap();
        assert_eq!(first["names"], serde_json::json!(["c", "b"]));
        let rest = names(Order::Descending, Some(2), first["nextToken"].as_str()).unwrap();
        assert_eq!(rest, serde_json::json!({"names": ["a"]}));
    }

    #[test]
    fn bad_sizes_and_tokens_are_refused() {
        assert!(names(Order::Ascending, Some(0), None).is_err());
        assert!(names(Order::Ascending, Some(101), None).is_err());
        assert!(names(Order::Ascending, None, Some("not hex")).is_err());
    }
}
