//! All places in the inputs of a model.

use std::collections::{BTreeSet, VecDeque};

use interstella_localcloud::wire::model::{Kind, Model};

/// A member of a structure somewhere in an input.
pub struct Place<'a> {
    /// The structure's shape.
    pub shape: &'a str,
    /// The member.
    pub member: &'a str,
    /// Members that lead to it from the input's own structure, itself the last.
    pub path: Vec<&'a str>,
}

/// Operations that are answered here, with the shapes of their inputs.
pub fn inputs(model: &Model) -> impl Iterator<Item = (&str, &str)> {
    model.operations.iter().filter_map(|(name, operation)| Some((name.as_str(), operation.input.as_deref()?)))
}

/// Every member of every structure that can be reached from `input` without passing a refused member: each once, by its
/// shortest path.
pub fn places<'a>(model: &'a Model, input: &'a str, is_refused: &impl Fn(&str, &str) -> bool) -> Vec<Place<'a>> {
    let mut places = Vec::new();
    let mut seen = BTreeSet::from([input]);
    let mut next: VecDeque<(&str, Vec<&str>)> = VecDeque::from([(input, Vec::new())]);
    while let Some((shape, path)) = next.pop_front() {
        let Kind::Structure { members, .. } = &model.shape(shape).kind else { continue };
        for (member, reference) in members {
            let path: Vec<&str> = path.iter().copied().chain([member.as_str()]).collect();
            if !is_refused(shape, member)
                && let Some(inner) = structure(model, &reference.shape)
                && seen.insert(inner)
            {
                next.push_back((inner, path.clone()));
            }
            places.push(Place { shape, member, path });
        }
    }
    places
}

/// The structure that a shape is, or holds as the elements of a list or the values of a map.
fn structure<'a>(model: &'a Model, shape: &'a str) -> Option<&'a str> {
    match &model.shape(shape).kind {
        Kind::Structure { .. } => Some(shape),
        Kind::List { member } => structure(model, &member.shape),
        Kind::Map { value, .. } => structure(model, &value.shape),
        _ => None,
    }
}
