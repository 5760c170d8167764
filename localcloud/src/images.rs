//! What image names resolve to. There is no registry to pull from: an image is a program on this machine.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// A program that stands for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Its arguments when the task definition gives no `command`.
    pub arguments: Vec<String>,
}

/// Image names without tag, and their programs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Images(BTreeMap<String, Program>);

impl Images {
    /// Lets `name` (without tag) stand for `program`, under any tag.
    pub fn insert(&mut self, name: &str, program: Program) {
        self.0.insert(name.to_owned(), program);
    }

    /// The program behind an image as a task definition names it. A registry's host in front is ignored, any tag or digest
    /// resolves, except tags that begin with `missing`: they stand for an image that was never pushed.
    pub fn resolve(&self, image: &str) -> Option<&Program> {
        let (name, tag) = split(image);
        if tag.starts_with("missing") {
            return None;
        }
        self.0.get(name).or_else(|| name.split_once('/').and_then(|(_host, rest)| self.0.get(rest)))
    }

    /// Every name there is.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Name and tag of an image; a digest counts as no tag.
fn split(image: &str) -> (&str, &str) {
    let image = image.split_once('@').map_or(image, |(name, _digest)| name);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}
