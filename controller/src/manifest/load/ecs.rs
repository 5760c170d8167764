//! ECS's own words in a document, before the schema sees it.
//!
//! What means the same in either spelling is taken: lists of `name` and `value` or `valueFrom`, and a task's size as
//! text. Every other word of ECS's API gets a problem that says how a manifest writes it, or that no manifest can.
//! What has got its problem leaves the document or moves to where the manifest has it, so that the schema still checks
//! all the rest: one run names everything that has to change.

mod bare;
mod logs;
mod moves;
mod size;
mod variables;
mod words;

use serde_json::Value;

use self::moves::Moves;
use super::structure::On;
use crate::manifest::pointer::Pointer;
use crate::manifest::validate::Problem;
use crate::manifest::yaml::{Document, Spots};

/// A document in the manifest's own words.
pub(super) struct Reading {
    /// Its content.
    pub(super) value: Value,
    /// Where its values stand, by the places that the text has.
    pub(super) spots: Spots,
    /// What was said about words of ECS, by the places that the text has.
    pub(super) problems: Problems,
    moves: Moves,
}

impl Reading {
    /// The place in the text of the value that is now at `path`.
    pub(super) fn written(&self, path: &Pointer) -> Pointer {
        self.moves.written(path)
    }
}

/// Problems, and whether each is about the key or the value of its place.
type Problems = Vec<(On, Problem)>;

/// Brings a document into the manifest's own words.
pub(super) fn read(document: Document) -> Reading {
    let Document { mut value, mut spots } = document;
    let (mut moves, mut problems) = (Moves::default(), Problems::new());
    bare::wrap(&mut value, &mut moves, &mut problems);
    moves.rename_all(&mut value, &mut problems);
    logs::point(&mut value, &moves, &mut problems);
    words::point(&mut value, &moves, &mut problems);
    variables::take(&mut value, &mut spots, &moves, &mut problems);
    size::take(&mut value, &moves, &mut problems);
    Reading { value, spots, problems, moves }
}

/// What to say about a key that ECS's API has at another place; a word of several places says nothing.
pub(super) fn misplaced(path: Pointer, key: &str, content: &Value) -> Option<Problem> {
    let like = |word: &str| fold(word) == fold(key);
    if let Some((place, _, name)) = moves::RENAMED.iter().find(|(_, word, _)| like(word)) {
        let place = Pointer::from_rfc6901(place);
        let what = format!("ECS's `{key}` is written `{name}` in a manifest, under `{place}`");
        return Some(problem(path, what, "move it there"));
    }
    if like("logConfiguration") {
        let what = format!("ECS's `{key}` is written `logs` in a manifest, in each container");
        return Some(problem(path, what, "move it there"));
    }
    let mut found = words::WORDS.iter().flat_map(|(_, words)| *words).filter(|(word, _)| like(word));
    let (_, word) = found.next().filter(|_| found.next().is_none())?;
    Some(words::about(*word, path, &format!("ECS's `{key}`"), content))
}

/// How a key reads in whatever style it is written: `LogConfiguration` and `log_configuration` are one.
pub(super) fn fold(key: &str) -> String {
    key.replace(['_', '-'], "").to_lowercase()
}

/// The places that `pattern` stands for: keys from the root on, `*` for each element of a list.
fn places(value: &Value, pattern: &str) -> Vec<Pointer> {
    let step = |places: Vec<Pointer>, segment: &str| {
        let next = |place: Pointer| match (segment, value.pointer(place.as_str())) {
            ("*", Some(Value::Array(items))) => (0..items.len()).map(|index| place.index(index)).collect(),
            ("*", _) => Vec::new(),
            (key, _) => vec![place.key(key)],
        };
        places.into_iter().flat_map(next).collect()
    };
    let all: Vec<Pointer> = pattern.split('/').skip(1).fold(vec![Pointer::root()], step);
    all.into_iter().filter(|place| value.pointer(place.as_str()).is_some()).collect()
}

/// The key of the object at `place` that reads as `word`.
fn key_like(value: &Value, place: &Pointer, word: &str) -> Option<String> {
    let object = value.pointer(place.as_str())?.as_object()?;
    object.keys().find(|key| fold(key) == fold(word)).cloned()
}

/// Takes the entry `key` out of the object at `place`.
fn remove(value: &mut Value, place: &Pointer, key: &str) -> Option<Value> {
    value.pointer_mut(place.as_str())?.as_object_mut()?.remove(key)
}

fn problem(path: Pointer, what: impl Into<String>, remedy: impl Into<String>) -> Problem {
    Problem { path, what: what.into(), remedy: remedy.into() }
}

#[cfg(test)]
mod tests;
