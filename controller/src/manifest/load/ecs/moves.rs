//! Renaming: what a manifest has too, under another key or one level higher.

use serde_json::Value;

use super::{Problems, key_like, problem, remove};
use crate::manifest::load::structure::On;
use crate::manifest::pointer::Pointer;

/// What moved, in order: the place before and the place after.
#[derive(Default)]
pub(super) struct Moves(Vec<(Pointer, Pointer)>);

/// Key of ECS, and of a manifest; both in the object at the first place.
pub(super) const RENAMED: [(&str, &str, &str); 3] = [
    ("/spec/taskDefinition", "containerDefinitions", "containers"),
    ("/spec", "deploymentConfiguration", "deployment"),
    ("/spec/deployment", "deploymentCircuitBreaker", "circuitBreaker"),
];

impl Moves {
    /// Notes that the value at `from` now stands at `to`.
    pub(super) fn add(&mut self, from: Pointer, to: Pointer) {
        self.0.push((from, to));
    }

    /// The place in the text of the value that is now at `path`.
    pub(super) fn written(&self, path: &Pointer) -> Pointer {
        self.0.iter().rev().fold(path.clone(), |path, (from, to)| path.moved(to, from).unwrap_or(path))
    }

    /// Renames everything that a manifest has under another key, and says so.
    pub(super) fn rename_all(&mut self, value: &mut Value, problems: &mut Problems) {
        for (place, word, key) in RENAMED {
            self.rename(value, &Pointer::from_rfc6901(place), word, key, problems);
        }
        self.lift_network(value, problems);
    }

    fn rename(&mut self, value: &mut Value, place: &Pointer, word: &str, key: &str, problems: &mut Problems) {
        let Some(given) = key_like(value, place, word) else { return };
        let written = self.written(&place.key(&given));
        let Some(content) = remove(value, place, &given) else { return };
        let what = format!("ECS's `{given}` is written `{key}` in a manifest");
        let object = value.pointer_mut(place.as_str()).and_then(Value::as_object_mut);
        let Some(object) = object.filter(|object| !object.contains_key(key)) else {
            return problems.push((On::Key, problem(written, what, format!("keep one of the two, `{key}`"))));
        };
        object.insert(key.to_owned(), content);
        problems.push((On::Key, problem(written, what, "rename the key")));
        self.add(place.key(&given), place.key(key));
    }

    /// ECS has the network of a task one level deeper.
    fn lift_network(&mut self, value: &mut Value, problems: &mut Problems) {
        let network = Pointer::from_rfc6901("/spec/networkConfiguration");
        let Some(given) = key_like(value, &network, "awsvpcConfiguration") else { return };
        let written = self.written(&network.key(&given));
        let Some(content) = remove(value, &network, &given) else { return };
        let what = format!("ECS's `{given}` has no level of its own in a manifest");
        let remedy = "move what stands under it up, directly under `networkConfiguration`";
        problems.push((On::Key, problem(written, what, remedy)));
        let rest = value.pointer_mut(network.as_str());
        if let Some(place) = rest.filter(|rest| rest.as_object().is_some_and(serde_json::Map::is_empty)) {
            *place = content;
            self.add(network.key(&given), network);
        }
    }
}
