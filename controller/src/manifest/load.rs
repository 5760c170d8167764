//! Files to manifests: read, parsed, checked by the schema, checked by `validate`, checked against one another.
//!
//! All problems of a file come at once, each with its place. A file is good or bad as a whole: nothing of a bad file is
//! returned, so that a broken edit changes nothing. Nothing here remembers what was good before; that is `source`.

mod claims;
mod ecs;
mod files;
mod mask;
mod structure;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::structure::On;
use super::Manifest;
use super::diagnostic::{Diagnostic, SourceFile};
use super::pointer::Pointer;
use super::validate::{Problem, validate};
use super::yaml::{self, Document, Spots};

pub use self::files::{Snapshot, is_manifest_name, read};

/// One good document and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// What the document says.
    pub manifest: Manifest,
    /// The file it stands in.
    pub file: Arc<SourceFile>,
    /// Where each of its values stands.
    pub spans: Spots,
}

impl Loaded {
    /// A problem with the value at `path` that was found after loading, for example by comparison with the cloud.
    pub fn diagnostic(&self, path: &Pointer, what: impl Into<String>, remedy: impl Into<String>) -> Diagnostic {
        self.file.diagnostic(self.spans.value(path), what, remedy)
    }
}

/// The documents of a file, or every problem it has.
pub type FileResult = Result<Vec<Loaded>, Vec<Diagnostic>>;

/// Loads one file's text; `file_name` is only shown.
///
/// # Errors
/// Every problem of the text, in the order of the lines.
pub fn load_str(file_name: &str, text: &str) -> FileResult {
    let path = PathBuf::from(file_name);
    let mut results = BTreeMap::from([(path, load_text(file_name, text))]);
    claims::check(&mut results);
    merge(results)
}

/// Loads a file, or the `*.yaml` and `*.yml` files of a directory in the order of their names.
///
/// # Errors
/// Every problem of every file.
pub fn load_path(path: &Path) -> FileResult {
    merge(load_snapshot(&read(path)))
}

/// As [`load_path`], but file by file: a bad file does not hold the others. What concerns the whole path (it is missing,
/// the directory is empty) is the result of `path` itself.
pub fn load_path_each(path: &Path) -> BTreeMap<PathBuf, Result<Vec<Manifest>, Vec<Diagnostic>>> {
    manifests(load_snapshot(&read(path)))
}

/// Loads what [`read`] found.
pub fn load_snapshot(snapshot: &Snapshot) -> BTreeMap<PathBuf, FileResult> {
    let load = |(path, content): (&PathBuf, &Result<Vec<u8>, Diagnostic>)| {
        let result = match content {
            Ok(bytes) => load_bytes(&path.to_string_lossy(), bytes),
            Err(diagnostic) => Err(vec![diagnostic.clone()]),
        };
        (path.clone(), result)
    };
    let mut results = snapshot.files.iter().map(load).collect();
    claims::check(&mut results);
    results
}

/// Leaves the places behind.
pub fn manifests(results: BTreeMap<PathBuf, FileResult>) -> BTreeMap<PathBuf, Result<Vec<Manifest>, Vec<Diagnostic>>> {
    let strip = |loaded: Vec<Loaded>| loaded.into_iter().map(|one| one.manifest).collect();
    results.into_iter().map(|(path, result)| (path, result.map(strip))).collect()
}

fn merge(results: BTreeMap<PathBuf, FileResult>) -> FileResult {
    let mut loaded = Vec::new();
    let mut diagnostics = Vec::new();
    for result in results.into_values() {
        match result {
            Ok(documents) => loaded.extend(documents),
            Err(problems) => diagnostics.extend(problems),
        }
    }
    if diagnostics.is_empty() { Ok(loaded) } else { Err(diagnostics) }
}

fn load_bytes(name: &str, bytes: &[u8]) -> FileResult {
    match std::str::from_utf8(bytes) {
        Ok(text) => load_text(name, text),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
            let line = good.matches('\n').count() + 1;
            let column = good.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let mut diagnostic = Diagnostic::of_file(name, "the file is not UTF-8 text", "save it as UTF-8");
            (diagnostic.line, diagnostic.column) = (line, column);
            Err(vec![diagnostic])
        }
    }
}

/// Everything about one file except what concerns its relation to other documents.
fn load_text(name: &str, text: &str) -> FileResult {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let documents = match yaml::parse(text) {
        Ok(documents) => documents,
        Err(faults) => {
            let file = SourceFile::new(name, mask::lines(text));
            return Err(faults.into_iter().map(|fault| file.diagnostic(fault.at, fault.what, fault.remedy)).collect());
        }
    };
    let file = SourceFile::new(name, mask::values(text, &documents));
    if documents.is_empty() {
        let what = "the file holds no document";
        return Err(vec![Diagnostic::of_file(name, what, "write a manifest into it, or remove the file")]);
    }
    let mut loaded = Vec::new();
    let mut diagnostics = Vec::new();
    for document in documents {
        match load_document(&file, document) {
            Ok(one) => loaded.push(one),
            Err(problems) => diagnostics.extend(problems),
        }
    }
    diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
    if diagnostics.is_empty() { Ok(loaded) } else { Err(diagnostics) }
}

fn load_document(file: &Arc<SourceFile>, document: Document) -> Result<Loaded, Vec<Diagnostic>> {
    let mut reading = ecs::read(document);
    let mut structural = std::mem::take(&mut reading.problems);
    let written = |(on, problem): (On, Problem)| (on, Problem { path: reading.written(&problem.path), ..problem });
    structural.extend(structure::check(&reading.value).into_iter().map(written));
    let spots = reading.spots;
    if !structural.is_empty() {
        return Err(structural.into_iter().map(|(on, problem)| place(file, &spots, on, problem)).collect());
    }
    let manifest: Manifest = serde_json::from_value(reading.value).map_err(|error| {
        let remedy = "compare the document with manifests/schema.json";
        vec![file.diagnostic(spots.value(&Pointer::root()), format!("the document does not fit: {error}"), remedy)]
    })?;
    let semantic = validate(&manifest);
    if !semantic.is_empty() {
        return Err(semantic.into_iter().map(|problem| place(file, &spots, On::Value, problem)).collect());
    }
    Ok(Loaded { manifest, file: Arc::clone(file), spans: spots })
}

fn place(file: &Arc<SourceFile>, spots: &Spots, on: On, problem: Problem) -> Diagnostic {
    let Problem { path, what, remedy } = problem;
    let at = match on {
        On::Key => spots.key(&path),
        On::Value => spots.value(&path),
    };
    let what = if path == Pointer::root() { what } else { format!("{path}: {what}") };
    file.diagnostic(at, what, remedy)
}

#[cfg(test)]
mod tests;
