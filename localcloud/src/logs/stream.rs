//! Log streams: creation, listing, and the bounded store of events.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{find, find_mut, group_arn, invalid, named, page_size, stream_missing};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::page;
use crate::world::World;

/// Events that a stream holds; the oldest give way. AWS keeps them for as long as the group's retention says.
const MAX_EVENTS: usize = 10_000;
/// What AWS counts for an event besides its message, in bytes.
const EVENT_BYTES: usize = 26;

/// Bytes of the events of a group, as AWS counts them.
const MAX_GROUP_BYTES: usize = 1 << 20;
/// Streams of a group: every task makes one.
const MAX_STREAMS: usize = 1_000;

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

    /// Adds an event, and says how many bytes came and how many went.
    fn push(&mut self, event: Event) -> (usize, usize) {
        let added = event.bytes();
        let removed = if self.events.len() == MAX_EVENTS { self.shorten() } else { 0 };
        self.events.push_back(event);
        (added, removed)
    }

    /// Drops the oldest event, and says how many bytes that frees.
    fn shorten(&mut self) -> usize {
        self.events.pop_front().map_or(0, |event| event.bytes())
    }

    fn stored_bytes(&self) -> usize {
        self.events.iter().map(Event::bytes).sum()
    }
}

impl Event {
    fn bytes(&self) -> usize {
        self.message.len() + EVENT_BYTES
    }
}

/// The streams of a group, within bounds: AWS has none but the retention.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    pub(super) by_name: BTreeMap<String, Stream>,
    bytes: usize,
}

impl Streams {
    /// Bytes that are stored, as AWS counts them.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds an event to a stream, which is made if need be. Whatever is oldest in the group gives way.
    pub(super) fn push(&mut self, now: CloudTime, name: &str, event: Event) {
        if !self.by_name.contains_key(name) {
            self.add(name.to_owned(), now);
        }
        let Some(stream) = self.by_name.get_mut(name) else { return };
        let (added, removed) = stream.push(event);
        self.bytes += added;
        self.bytes -= removed;
        while self.bytes > MAX_GROUP_BYTES {
            let fronts = self.by_name.values_mut().filter(|stream| !stream.events.is_empty());
            let oldest = fronts.min_by_key(|stream| stream.events.front().map(|event| event.number));
            self.bytes -= oldest.map_or(self.bytes, Stream::shorten);
        }
    }

    /// Adds an empty stream. When there are too many, the one that has been silent for longest goes.
    pub(super) fn add(&mut self, name: String, now: CloudTime) {
        if self.by_name.len() >= MAX_STREAMS {
            let last =
                |stream: &Stream| stream.events.back().map_or(stream.created.as_millis(), |event| event.ingested);
            let silent = self.by_name.iter().min_by_key(|(_, stream)| last(stream)).map(|(name, _)| name.clone());
            silent.and_then(|name| self.remove(&name));
        }
        self.by_name.insert(name, Stream::new(now));
    }

    /// Removes a stream with its events.
    pub(super) fn remove(&mut self, name: &str) -> Option<Stream> {
        let removed = self.by_name.remove(name)?;
        self.bytes -= removed.stored_bytes();
        Some(removed)
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
    if group.streams.by_name.contains_key(&input.log_stream_name) {
        return Err(ApiError::new("ResourceAlreadyExistsException", "The specified log stream already exists"));
    }
    group.streams.add(input.log_stream_name, now);
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
    let streams = &find(world, group)?.streams.by_name;
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
