//! Pages of the Describe calls. AWS itself treats an explicit MaxResults oddly (pages without a token although more follows); here a
//! page is a page.

use serde_json::{Map, Value};

use super::errors::{invalid, invalid_token};
use crate::call::Answer;
use crate::page::page;

/// One item of a listing: what orders it and names it in a token, and what is answered.
pub type Item = (String, Value);

/// One page of `items`, at most `most` of them, under the name `member`.
///
/// # Errors
/// `InvalidNextTokenException`, `ValidationException` for a size below one.
pub fn answer(member: &str, items: Vec<Item>, size: Option<i64>, token: Option<&str>, most: usize) -> Answer {
    let size = match size {
        None => most,
        Some(size) if size >= 1 => usize::try_from(size).unwrap_or(most).min(most),
        Some(size) => return Err(invalid(format!("MaxResults is from 1 to {most}, not {size}"))),
    };
    let token = token.map(|token| hex::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()));
    let token = token.map(|token| token.ok_or_else(invalid_token)).transpose()?;
    let (items, next) = page(items, |(key, _)| key, token.as_deref(), size).ok_or_else(invalid_token)?;
    let mut answer = Map::new();
    answer.insert(member.to_owned(), items.into_iter().map(|(_, value)| value).collect());
    if let Some(next) = next {
        answer.insert("NextToken".to_owned(), Value::String(hex::encode(next)));
    }
    Ok(Value::Object(answer))
}
