//! Parser events to documents, counting every node as it is made.

use std::collections::HashMap;

use saphyr_parser::{Event, ScalarStyle, Span};
use serde_json::{Map, Value};

use super::{Document, Extent, Fault, MAX_DEPTH, MAX_DOCUMENTS, MAX_NODES, MAX_PATH_BYTES, Spot, Spots, scalar};
use crate::manifest::pointer::Pointer;

/// State between events.
#[derive(Default)]
pub(super) struct Builder {
    /// The text, to find where quotes end.
    text: Vec<char>,
    stack: Vec<Frame>,
    spots: Spots,
    root: Option<Value>,
    anchors: HashMap<usize, Anchored>,
    nodes: usize,
    started: usize,
    documents: Vec<Document>,
    duplicates: Vec<Fault>,
}

/// A list or object that is still open.
struct Frame {
    at: Pointer,
    key: Option<Extent>,
    start: Extent,
    anchor: usize,
    nodes_before: usize,
    content: Content,
}

enum Content {
    List(Vec<Value>),
    Object { entries: Map<String, Value>, pending: Option<(String, Extent)> },
}

/// A node that an alias may repeat.
struct Anchored {
    at: Pointer,
    value: Value,
    spots: Vec<(Pointer, Spot)>,
    nodes: usize,
}

type Step = Result<(), Fault>;

impl Builder {
    /// Before the first event of `text`.
    pub(super) fn of(text: &str) -> Self {
        Self { text: text.chars().collect(), ..Self::default() }
    }

    /// Takes the next event.
    pub(super) fn accept(&mut self, event: Event<'_>, span: Span) -> Step {
        let at = extent(span);
        match event {
            Event::DocumentStart(_) => self.start_document(at),
            Event::DocumentEnd => {
                self.end_document();
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                refuse_tag(tag.is_some(), at)?;
                let at = self.without_what_follows(at, style);
                self.scalar(&text, style, anchor, at)
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_tag(tag.is_some(), at)?;
                self.open(Content::List(Vec::new()), anchor, at)
            }
            Event::MappingStart(anchor, tag) => {
                refuse_tag(tag.is_some(), at)?;
                self.open(Content::Object { entries: Map::new(), pending: None }, anchor, at)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.close();
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::Nothing | Event::StreamStart | Event::StreamEnd => Ok(()),
        }
    }

    /// The documents, or what is wrong with them.
    pub(super) fn finish(self) -> Result<Vec<Document>, Vec<Fault>> {
        if self.duplicates.is_empty() { Ok(self.documents) } else { Err(self.duplicates) }
    }

    /// Everything found before `last`, and `last`.
    pub(super) fn into_faults(mut self, last: Fault) -> Vec<Fault> {
        self.duplicates.push(last);
        self.duplicates
    }

    fn start_document(&mut self, at: Extent) -> Step {
        self.started += 1;
        if self.started > MAX_DOCUMENTS {
            let what = format!("the file holds more than {MAX_DOCUMENTS} documents");
            return Err(fault(at, what, "split it into several files of one directory"));
        }
        self.anchors.clear();
        Ok(())
    }

    fn end_document(&mut self) {
        let spots = std::mem::take(&mut self.spots);
        if let Some(value) = self.root.take().filter(|value| !value.is_null()) {
            self.documents.push(Document { value, spots });
        }
    }

    /// The parser lets a quoted value run to the next token, over blanks and comments. It ends with its quote.
    fn without_what_follows(&self, at: Extent, style: ScalarStyle) -> Extent {
        let quote = match style {
            ScalarStyle::SingleQuoted => '\'',
            ScalarStyle::DoubleQuoted => '"',
            _ => return at,
        };
        let covered = &self.text[at.index.min(self.text.len())..];
        let mut inside = 1;
        while let Some(&character) = covered.get(inside) {
            let is_pair = match quote {
                '"' => character == '\\',
                _ => character == quote && covered.get(inside + 1) == Some(&quote),
            };
            match character {
                _ if is_pair => inside += 2,
                _ if character == quote => return Extent { len: inside + 1, ..at },
                _ => inside += 1,
            }
        }
        at
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, at: Extent) -> Step {
        if let Some(Frame { content: Content::Object { entries, pending: pending @ None }, .. }) = self.stack.last_mut()
        {
            if entries.contains_key(text) {
                let what = format!("the key `{text}` stands twice in one object");
                self.duplicates.push(fault(at, what, "keep one of the two"));
            }
            *pending = Some((text.to_owned(), at));
            return Ok(());
        }
        let value = match style {
            ScalarStyle::Plain => {
                scalar::resolve(text).map_err(|what| fault(at, what, "put it in quotes if it is meant as text"))?
            }
            _ => Value::String(text.to_owned()),
        };
        self.count(1, at)?;
        let (pointer, key) = self.place(at)?;
        self.mark(pointer.clone(), Spot { key, value: at, scalar: true });
        self.remember(anchor, &pointer, &value, 1);
        self.put(value);
        Ok(())
    }

    fn open(&mut self, content: Content, anchor: usize, start: Extent) -> Step {
        if self.stack.len() >= MAX_DEPTH {
            return Err(too_deep(start));
        }
        let nodes_before = self.nodes;
        self.count(1, start)?;
        let (at, key) = self.place(start)?;
        self.mark(at.clone(), Spot { key, value: start, scalar: false });
        self.stack.push(Frame { at, key, start, anchor, nodes_before, content });
        Ok(())
    }

    fn close(&mut self) {
        let Some(frame) = self.stack.pop() else { return };
        let value = match frame.content {
            Content::List(items) => Value::Array(items),
            Content::Object { entries, .. } => Value::Object(entries),
        };
        self.mark(frame.at.clone(), Spot { key: frame.key, value: frame.start, scalar: false });
        self.remember(frame.anchor, &frame.at, &value, self.nodes - frame.nodes_before);
        self.put(value);
    }

    fn alias(&mut self, anchor: usize, at: Extent) -> Step {
        let (pointer, key) = self.place(at)?;
        let Some(nodes) = self.anchors.get(&anchor).map(|anchored| anchored.nodes) else {
            return Err(fault(at, "the alias stands inside the very node it repeats", "write the value out"));
        };
        self.count(nodes, at)?;
        let Some(anchored) = self.anchors.get(&anchor) else { return Ok(()) };
        if self.stack.len() + depth(&anchored.value) > MAX_DEPTH {
            return Err(too_deep(at));
        }
        for (place, spot) in &anchored.spots {
            if let Some(place) = place.moved(&anchored.at, &pointer) {
                let spot = if place == pointer { Spot { key, ..*spot } } else { *spot };
                self.spots.0.insert(place, spot);
            }
        }
        let value = anchored.value.clone();
        self.put(value);
        Ok(())
    }

    /// Where the next value belongs, and its key.
    fn place(&self, at: Extent) -> Result<(Pointer, Option<Extent>), Fault> {
        let (pointer, key) = match self.stack.last() {
            None => (Pointer::root(), None),
            Some(Frame { at: parent, content: Content::List(items), .. }) => (parent.index(items.len()), None),
            Some(Frame { at: parent, content: Content::Object { pending: Some((key, extent)), .. }, .. }) => {
                (parent.key(key), Some(*extent))
            }
            Some(_) => return Err(fault(at, "a key must be plain text", "write the key out as text")),
        };
        if pointer.as_str().len() > MAX_PATH_BYTES {
            return Err(too_deep(at));
        }
        Ok((pointer, key))
    }

    fn put(&mut self, value: Value) {
        match self.stack.last_mut().map(|frame| &mut frame.content) {
            None => self.root = Some(value),
            Some(Content::List(items)) => items.push(value),
            Some(Content::Object { entries, pending }) => {
                if let Some((key, _)) = pending.take() {
                    entries.insert(key, value);
                }
            }
        }
    }

    fn mark(&mut self, pointer: Pointer, spot: Spot) {
        self.spots.0.insert(pointer, spot);
    }

    fn count(&mut self, nodes: usize, at: Extent) -> Step {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            let what = format!("the file holds more than {MAX_NODES} values once its aliases are written out");
            return Err(fault(at, what, "use fewer aliases, or split the file"));
        }
        Ok(())
    }

    /// An anchor of 0 means that the node has none.
    fn remember(&mut self, anchor: usize, at: &Pointer, value: &Value, nodes: usize) {
        if anchor == 0 {
            return;
        }
        let inside = self.spots.0.range(at.clone()..).take_while(|(place, _)| place.as_str().starts_with(at.as_str()));
        let spots =
            inside.filter(|(place, _)| place.is_within(at)).map(|(place, spot)| (place.clone(), *spot)).collect();
        self.anchors.insert(anchor, Anchored { at: at.clone(), value: value.clone(), spots, nodes });
    }
}

fn extent(span: Span) -> Extent {
    let (start, end) = (span.start, span.end);
    Extent {
        index: start.index(),
        len: end.index().saturating_sub(start.index()).max(1),
        line: start.line().max(1),
        column: start.col() + 1,
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(entries) => 1 + entries.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn refuse_tag(tagged: bool, at: Extent) -> Step {
    if tagged {
        return Err(fault(at, "tags such as `!!int` have no meaning here", "remove the tag; use quotes for text"));
    }
    Ok(())
}

fn too_deep(at: Extent) -> Fault {
    fault(at, format!("the nesting is deeper than {MAX_DEPTH} levels"), "a manifest needs no more than ten")
}

fn fault(at: Extent, what: impl Into<String>, remedy: impl Into<String>) -> Fault {
    Fault { at, what: what.into(), remedy: remedy.into() }
}
