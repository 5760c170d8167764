//! YAML text to a tree with marks, within budgets.
//!
//! The tree is JSON (YAML 1.2's core schema, no tags), because the schema and the types speak JSON. Everything that could
//! make a small file large or a plain file ambiguous ends here: size, depth, number of nodes (with every alias written
//! out), duplicate keys, tags. Nothing here knows what a manifest is.

mod build;
mod scalar;

use std::collections::BTreeMap;

use saphyr_parser::Parser;
use serde_json::Value;

use super::pointer::Pointer;

/// Most bytes of one file, checked before parsing.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Deepest nesting.
pub const MAX_DEPTH: usize = 64;
/// Most nodes of one file, aliases written out.
pub const MAX_NODES: usize = 10_000;
/// Most documents of one file.
pub const MAX_DOCUMENTS: usize = 100;
/// Longest path of keys to one node, in bytes; bounds the memory that marks take.
pub const MAX_PATH_BYTES: usize = 4096;

/// A stretch of one line of the text. Line and column count from 1, index and length are in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Characters before it.
    pub index: usize,
    /// Characters it covers; it may run over the end of the line.
    pub len: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

impl Extent {
    /// The first character of the text.
    pub const START: Self = Self { index: 0, len: 0, line: 1, column: 1 };
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// The key before it, if it has one.
    pub key: Option<Extent>,
    /// The node itself.
    pub value: Extent,
    /// Whether the node is a single value rather than a list or an object.
    pub scalar: bool,
}

/// Place → mark, for one document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spots(BTreeMap<Pointer, Spot>);

impl Spots {
    /// What to show for a problem with the node at `pointer`: the value if it is a single one, else its key. A node that
    /// is not there is shown by the nearest one around it.
    pub fn value(&self, pointer: &Pointer) -> Extent {
        self.nearest(pointer).map_or(Extent::START, |spot| match spot.key {
            Some(key) if !spot.scalar => key,
            _ => spot.value,
        })
    }

    /// What to show for a problem with the key at `pointer`.
    pub fn key(&self, pointer: &Pointer) -> Extent {
        self.nearest(pointer).map_or(Extent::START, |spot| spot.key.unwrap_or(spot.value))
    }

    /// The node itself, if it is there.
    pub fn get(&self, pointer: &Pointer) -> Option<&Spot> {
        self.0.get(pointer)
    }

    /// Says where the node at `pointer` stands.
    pub fn mark(&mut self, pointer: Pointer, spot: Spot) {
        self.0.insert(pointer, spot);
    }

    /// Every node and where it stands.
    pub fn iter(&self) -> impl Iterator<Item = (&Pointer, &Spot)> {
        self.0.iter()
    }

    fn nearest(&self, pointer: &Pointer) -> Option<&Spot> {
        let mut text = pointer.as_str();
        loop {
            if let Some(spot) = self.0.get(&Pointer::from_rfc6901(text)) {
                return Some(spot);
            }
            text = text.rsplit_once('/')?.0;
        }
    }
}

/// One YAML document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its content; objects keep the order of the text.
    pub value: Value,
    /// Where each node stands.
    pub spots: Spots,
}

/// What is wrong with the text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub at: Extent,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

/// Reads every document of `text`; documents without content are left out.
///
/// # Errors
/// All duplicate keys, and the first fault after which reading makes no sense.
pub fn parse(text: &str) -> Result<Vec<Document>, Vec<Fault>> {
    if text.len() > MAX_BYTES {
        return Err(vec![too_large()]);
    }
    let mut builder = build::Builder::of(text);
    for event in Parser::new_from_str(text) {
        let step = match event {
            Ok((event, span)) => builder.accept(event, span),
            Err(error) => Err(syntax_fault(text, &error)),
        };
        if let Err(fault) = step {
            return Err(builder.into_faults(fault));
        }
    }
    builder.finish()
}

/// The fault of a file over [`MAX_BYTES`], for whoever can tell before the text is in memory.
pub fn too_large() -> Fault {
    Fault {
        at: Extent::START,
        what: format!("the file is larger than {} KiB", MAX_BYTES / 1024),
        remedy: "split it into several files of one directory".into(),
    }
}

fn syntax_fault(text: &str, error: &saphyr_parser::ScanError) -> Fault {
    let mark = error.marker();
    let at = Extent { index: mark.index(), len: 1, line: mark.line().max(1), column: mark.col() + 1 };
    let line = text.lines().nth(at.line - 1).unwrap_or_default();
    let remedy = if line.trim_start_matches(' ').starts_with('\t') {
        "indent with spaces; YAML does not allow tabs there"
    } else if mark.index() >= text.trim_end().chars().count() {
        "the file seems to end too early; complete it or restore the last good version"
    } else {
        "correct the YAML at this place; text with special characters needs quotes"
    };
    Fault { at, what: format!("this is not valid YAML: {}", error.info()), remedy: remedy.into() }
}

#[cfg(test)]
mod tests;
