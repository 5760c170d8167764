//! `environment` and `secrets` as ECS writes them: lists of `name` and `value`, or `name` and `valueFrom`.

use serde_json::{Map, Value};

use super::moves::Moves;
use super::{Problems, places, problem};
use crate::manifest::load::structure::{On, shorten};
use crate::manifest::pointer::Pointer;
use crate::manifest::yaml::{Spot, Spots};

/// Key of a container, and the key of an element's content (AWS: ECS KeyValuePair, Secret).
const LISTS: [(&str, &str); 2] = [("environment", "value"), ("secrets", "valueFrom")];

/// Makes objects of the lists. Each variable keeps its place: its key stands where the element's `name` is.
pub(super) fn take(value: &mut Value, spots: &mut Spots, moves: &Moves, problems: &mut Problems) {
    for container in places(value, "/spec/taskDefinition/containers/*") {
        for (key, content) in LISTS {
            let here = container.key(key);
            let Some(slot) = value.pointer_mut(here.as_str()).filter(|slot| slot.is_array()) else { continue };
            let Value::Array(items) = slot.take() else { continue };
            let mut list = List { at: moves.written(&here), content, spots, variables: Map::new() };
            for (index, item) in items.into_iter().enumerate() {
                if let Err(found) = list.add(index, item) {
                    problems.push((On::Value, found));
                }
            }
            *slot = Value::Object(list.variables);
        }
    }
}

struct List<'a> {
    at: Pointer,
    content: &'static str,
    spots: &'a mut Spots,
    variables: Map<String, Value>,
}

impl List<'_> {
    fn add(&mut self, index: usize, item: Value) -> Result<(), super::Problem> {
        let here = self.at.index(index);
        let (name, value) = self.pair(item).ok_or_else(|| {
            let what = format!("a variable in a list has `name` and `{}`, both text, and nothing else", self.content);
            problem(
                here.clone(),
                what,
                format!("write `{{ name: STAGE, {}: … }}`, or `STAGE: …` without a list", self.content),
            )
        })?;
        if self.variables.contains_key(&name) {
            let what = format!("the variable `{}` stands in the list twice", shorten(&name));
            return Err(problem(here.key("name"), what, "keep one of the two"));
        }
        let mark = |key: &str| self.spots.get(&here.key(key)).map(|spot| spot.value);
        if let (key @ Some(_), Some(value)) = (mark("name"), mark(self.content)) {
            self.spots.mark(self.at.key(&name), Spot { key, value, scalar: true });
        }
        self.variables.insert(name, value);
        Ok(())
    }

    /// The name and the content of an element; what is not text is left to the schema to say.
    fn pair(&self, item: Value) -> Option<(String, Value)> {
        let Value::Object(mut item) = item else { return None };
        let pair = (item.remove("name")?, item.remove(self.content)?);
        match pair {
            (Value::String(name), value) if item.is_empty() => Some((name, value)),
            _ => None,
        }
    }
}
