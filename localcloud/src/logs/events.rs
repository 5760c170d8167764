//! Log events: putting, reading a stream in either direction, searching a group.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::stream::{Event, Stream};
use super::{find, find_mut, invalid, named, page_size, stream_missing};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::world::World;

/// Events on a page, at most.
const PAGE: usize = 10_000;
/// Bytes of a batch, each event counting 26 more.
const MAX_BATCH_BYTES: usize = 1_048_576;
/// How far ahead of now an event may be.
const MAX_FUTURE: Duration = Duration::from_hours(2);
/// How far back an event may be.
const MAX_AGE_MILLIS: i64 = 14 * 24 * 3600 * 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Put {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<InputEvent>,
    /// Accepted and ignored, as AWS does since 2023.
    #[serde(rename = "sequenceToken")]
    _sequence_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InputEvent {
    timestamp: i64,
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Get {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    start_from_head: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Filter {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    #[serde(default)]
    filter_pattern: String,
    next_token: Option<String>,
    limit: Option<usize>,
    /// Accepted and ignored: results are always in order of time.
    #[serde(rename = "interleaved")]
    _interleaved: Option<bool>,
}

/// Appends events to a stream. Those too old or too new are left out and counted, as AWS does.
pub(super) fn put(world: &mut World, now: CloudTime, input: Put) -> Answer {
    check_batch(&input.log_events)?;
    let oldest = now.as_millis() - MAX_AGE_MILLIS;
    let newest = now.after(MAX_FUTURE).as_millis();
    let too_old = input.log_events.iter().take_while(|event| event.timestamp < oldest).count();
    let in_time = input.log_events.iter().take_while(|event| event.timestamp <= newest).count();
    let total = input.log_events.len();
    let first_number = world.logs.ingested + 1;
    let group = find_mut(world, &input.log_group_name)?;
    if !group.streams.by_name.contains_key(&input.log_stream_name) {
        return Err(stream_missing());
    }
    let accepted = input.log_events.into_iter().take(in_time).skip(too_old);
    for (event, number) in accepted.zip(first_number..) {
        let ingested = now.as_millis();
        let event = Event { timestamp: event.timestamp, ingested, number, message: event.message };
        group.streams.push(now, &input.log_stream_name, event);
    }
    world.logs.ingested += u64::try_from(total).unwrap_or(0);
    let mut answer = json!({ "nextSequenceToken": format!("{:056}", world.logs.ingested) });
    if too_old > 0 {
        answer["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"] = json!(too_old);
    }
    if in_time < total {
        answer["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"] = json!(in_time);
    }
    Ok(answer)
}

fn check_batch(events: &[InputEvent]) -> Result<(), ApiError> {
    if events.is_empty() || events.len() > PAGE {
        return Err(invalid("logEvents must hold 1 to 10000 events"));
    }
    if events.iter().any(|event| event.message.is_empty()) {
        return Err(invalid("Log event message must not be empty"));
    }
    if events.iter().map(|event| event.message.len() + 26).sum::<usize>() > MAX_BATCH_BYTES {
        return Err(invalid(format!("Upload too large: more than {MAX_BATCH_BYTES} bytes exceeds limit")));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    Ok(())
}

/// Where a read of a stream begins, and its direction.
enum Position {
    /// Forward from the event of this number.
    From(u64),
    /// Backward from before the event of this number.
    Before(u64),
}

/// Reads a page of a stream. A reader has reached the end when the token it gets is the one it sent.
pub(super) fn get(world: &World, input: &Get) -> Answer {
    let group = named(world, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let stream = find(world, group)?.streams.by_name.get(&input.log_stream_name).ok_or_else(stream_missing)?;
    let size = page_size(input.limit, PAGE)?;
    let position = match input.next_token.as_deref() {
        Some(token) => read_token(token)?,
        None if input.start_from_head => Position::From(0),
        None => Position::Before(u64::MAX),
    };
    let events = events_at(stream, &position, &times(input.start_time, input.end_time), size);
    let (backward, forward) = match (events.first(), events.last()) {
        (Some(first), Some(last)) => (first.number, last.number + 1),
        // Nothing (left) in this direction: the token stays as it is.
        _ => match position {
            Position::From(number) => (number, number),
            Position::Before(u64::MAX) => (0, 0),
            Position::Before(number) => (number, number),
        },
    };
    Ok(json!({
        "events": events.iter().map(|event| show(event)).collect::<Vec<_>>(),
        "nextForwardToken": format!("f/{forward:056}/s"),
        "nextBackwardToken": format!("b/{backward:056}/s"),
    }))
}

/// At most `size` events, in order.
fn events_at<'a>(stream: &'a Stream, position: &Position, times: &RangeInclusive<i64>, size: usize) -> Vec<&'a Event> {
    let in_time = |event: &&Event| times.contains(&event.timestamp);
    match position {
        Position::From(number) => {
            stream.events.iter().filter(|event| event.number >= *number).filter(in_time).take(size).collect()
        }
        Position::Before(number) => {
            let before = stream.events.iter().rev().filter(|event| event.number < *number);
            let mut events: Vec<&Event> = before.filter(in_time).take(size).collect();
            events.reverse();
            events
        }
    }
}

fn read_token(token: &str) -> Result<Position, ApiError> {
    let number = |text: &str| text.strip_suffix("/s").and_then(|digits| digits.parse().ok());
    let position = match token.split_at_checked(2) {
        Some(("f/", rest)) => number(rest).map(Position::From),
        Some(("b/", rest)) => number(rest).map(Position::Before),
        _ => None,
    };
    position.ok_or_else(|| invalid("The specified nextToken is invalid."))
}

/// From the start, included, to the end, excluded.
fn times(start: Option<i64>, end: Option<i64>) -> RangeInclusive<i64> {
    start.unwrap_or(i64::MIN)..=end.map_or(i64::MAX, |end| end.saturating_sub(1))
}

/// Searches the streams of a group, in order of time.
pub(super) fn filter(world: &World, input: &Filter) -> Answer {
    let group = named(world, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let terms = read_pattern(&input.filter_pattern)?;
    let times = times(input.start_time, input.end_time);
    let after = input.next_token.as_deref().map(read_place).transpose()?;
    let size = page_size(input.limit, PAGE)?;
    let mut found: Vec<(&String, &Event)> = find(world, group)?
        .streams
        .by_name
        .iter()
        .filter(|(name, _)| searched(input, name))
        .flat_map(|(name, stream)| stream.events.iter().map(move |event| (name, event)))
        .filter(|(_, event)| times.contains(&event.timestamp) && after.is_none_or(|after| place(event) > after))
        .filter(|(_, event)| terms.iter().all(|term| event.message.contains(term)))
        .collect();
    found.sort_by_key(|(_, event)| place(event));
    let more = found.len() > size;
    found.truncate(size);
    let events: Vec<Value> = found.iter().map(|(name, event)| show_found(name, event)).collect();
    let mut answer = json!({ "events": events, "searchedLogStreams": [] });
    if let Some((_, last)) = found.last().filter(|_| more) {
        answer["nextToken"] = json!(format!("{}/{}", last.timestamp, last.number));
    }
    Ok(answer)
}

fn searched(input: &Filter, name: &String) -> bool {
    let by_name = input.log_stream_names.as_ref().is_none_or(|names| names.contains(name));
    by_name && input.log_stream_name_prefix.as_deref().is_none_or(|prefix| name.starts_with(prefix))
}

/// Order of search results.
fn place(event: &Event) -> (i64, u64) {
    (event.timestamp, event.number)
}

fn read_place(token: &str) -> Result<(i64, u64), ApiError> {
    let parts = token.split_once('/').and_then(|(time, number)| Some((time.parse().ok()?, number.parse().ok()?)));
    parts.ok_or_else(|| invalid("The specified nextToken is invalid."))
}

/// Terms that all have to occur: words, and phrases in double quotes.
fn read_pattern(pattern: &str) -> Result<Vec<String>, ApiError> {
    let mut terms = Vec::new();
    for (index, part) in pattern.split('"').enumerate() {
        if index % 2 == 1 {
            terms.push(part.to_owned());
            continue;
        }
        for word in part.split_whitespace() {
            if word.starts_with(['{', '[', '?', '-', '%', '$']) {
                return Err(ApiError::not_implemented(format!(
                    "filter patterns with {word}; words and \"phrases\" work"
                )));
            }
            terms.push(word.to_owned());
        }
    }
    Ok(terms)
}

fn show(event: &Event) -> Value {
    json!({ "timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingested })
}

fn show_found(stream: &str, event: &Event) -> Value {
    let mut shown = show(event);
    shown["logStreamName"] = json!(stream);
    shown["eventId"] = json!(format!("{:056}", event.number));
    shown
}
