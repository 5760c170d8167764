//! Log streams: creation, listing, and the bounded store of events.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{find, find_mut, group_arn, invalid, named, page_size, stream_missing};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::page;
use crate::world::World;

/// Events that a stream holds; the oldest give way.
const MAX_EVENTS: usize = 10_000;

/// A log stream.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    created: CloudTime,
    pub(super) events: VecDeque<Event>,
}

/// A log event. Times are in milliseconds since the epoch, of the cloud.
#[derive(Debug, Clone, Default)]
pub struct Event {
    pub(super) timestamp: i64,
    pub(super) ingested: i64,
    /// Place in the order of arrival of all events of this cloud.
    pub(super) number: u64,
    pub(super) message: String,
}

impl Stream {
    pub(super) fn new(now: CloudTime) -> Self {
        Self { created: now, events: VecDeque::new() }
    }

    pub(super) fn push(&mut self, event: Event) {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    pub(super) fn stored_bytes(&self) -> usize {
        // 26 bytes for each event, as AWS counts.
        self.events.iter().map(|event| event.message.len() + 26).sum()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Named {
    log_group_name: String,
    log_stream_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Describe {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    #[serde(default)]
    descending: bool,
    next_token: Option<String>,
    limit: Option<usize>,
}

/// Creates a stream.
pub(super) fn create(world: &mut World, now: CloudTime, input: Named) -> Answer {
    check_name(&input.log_stream_name)?;
    let group = find_mut(world, &input.log_group_name)?;
    if group.streams.contains_key(&input.log_stream_name) {
        return Err(ApiError::new("ResourceAlreadyExistsException", "The specified log stream already exists"));
    }
    group.streams.insert(input.log_stream_name, Stream::new(now));
    Ok(json!({}))
}

/// Deletes a stream with its events.
pub(super) fn delete(world: &mut World, input: &Named) -> Answer {
    find_mut(world, &input.log_group_name)?.streams.remove(&input.log_stream_name).ok_or_else(stream_missing)?;
    Ok(json!({}))
}

/// Lists streams, by name or by time of the last event.
pub(super) fn describe(world: &World, input: &Describe) -> Answer {
    let group = named(world, input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
    let streams = &find(world, group)?.streams;
    let mut streams: Vec<(&String, &Stream)> = streams.iter().filter(|(name, _)| name.starts_with(prefix)).collect();
    match input.order_by.as_deref() {
        None | Some("LogStreamName") => {}
        Some("LastEventTime") if prefix.is_empty() => {
            streams.sort_by_key(|(_, stream)| stream.events.back().map(|event| event.timestamp));
        }
        Some("LastEventTime") => return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")),
        Some(other) => return Err(invalid(format!("orderBy must be LogStreamName or LastEventTime, not {other}"))),
    }
    if input.descending {
        streams.reverse();
    }
    let size = page_size(input.limit, 50)?;
    let (streams, next) = page::page(streams, |(name, _)| name.as_str(), input.next_token.as_deref(), size)
        .ok_or_else(|| invalid("The specified nextToken is invalid."))?;
    let arn = group_arn(world, group);
    let mut answer = json!({
        "logStreams": streams.iter().map(|(name, stream)| show(&arn, name, stream)).collect::<Vec<_>>(),
    });
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    Ok(answer)
}

fn show(group_arn: &str, name: &str, stream: &Stream) -> Value {
    let mut shown = json!({
        "logStreamName": name,
        "creationTime": stream.created.as_millis(),
        "arn": format!("{group_arn}:log-stream:{name}"),
        // AWS has said 0 here since 2019.
        "storedBytes": 0,
    });
    if let (Some(first), Some(last)) = (stream.events.front(), stream.events.back()) {
        shown["firstEventTimestamp"] = json!(first.timestamp);
        shown["lastEventTimestamp"] = json!(last.timestamp);
        shown["lastIngestionTime"] = json!(last.ingested);
    }
    shown
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.is_empty() || name.len() > 512 || name.contains([':', '*']) {
        return Err(invalid("logStreamName must be 1 to 512 characters without ':' and '*'"));
    }
    Ok(())
}
