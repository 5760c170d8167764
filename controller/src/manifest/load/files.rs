//! The bytes of a file, or of the manifests in a directory, as they are at one moment.
//!
//! Only regular files of bounded size are opened; a symbolic link in a directory may not lead out of it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::yaml::{MAX_BYTES, too_large};

/// Most manifests of a directory.
const MAX_FILES: usize = 1000;

/// What a path held at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Content by file, or why there is none. What concerns the whole path stands under the path itself.
    pub files: BTreeMap<PathBuf, Result<Vec<u8>, Diagnostic>>,
}

/// Reads the file at `path`, or every `*.yaml` and `*.yml` in the directory `path` (not in directories below it).
pub fn read(path: &Path) -> Snapshot {
    let files = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => read_directory(path),
        Ok(_) => Ok(BTreeMap::from([(path.to_owned(), read_file(path, path))])),
        Err(error) => Err(io_problem(path, &error)),
    };
    Snapshot { files: files.unwrap_or_else(|problem| BTreeMap::from([(path.to_owned(), Err(problem))])) }
}

/// Whether a file of this name in a directory is a manifest. Hidden files are editors' and ConfigMaps' own.
pub fn is_manifest_name(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    let extension = path.extension().and_then(|extension| extension.to_str());
    !hidden && matches!(extension, Some("yaml" | "yml"))
}

fn read_directory(path: &Path) -> Result<BTreeMap<PathBuf, Result<Vec<u8>, Diagnostic>>, Diagnostic> {
    let root = fs::canonicalize(path).map_err(|error| io_problem(path, &error))?;
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(path).map_err(|error| io_problem(path, &error))? {
        let file = entry.map_err(|error| io_problem(path, &error))?.path();
        if !is_manifest_name(&file) {
            continue;
        }
        if files.len() == MAX_FILES {
            let what = format!("the directory holds more than {MAX_FILES} manifests");
            return Err(problem(path, what, "divide it among several controllers"));
        }
        let content = inside(&root, &file).and_then(|real| read_file(&file, &real));
        files.insert(file, content);
    }
    if files.is_empty() {
        let what = "the directory holds no *.yaml or *.yml file";
        return Err(problem(path, what, "put a manifest there, or name the right directory"));
    }
    Ok(files)
}

/// Follows links, as far as they stay under `root`.
fn inside(root: &Path, file: &Path) -> Result<PathBuf, Diagnostic> {
    let real = fs::canonicalize(file).map_err(|error| io_problem(file, &error))?;
    if real.starts_with(root) {
        return Ok(real);
    }
    Err(problem(file, "the link leads out of the directory", "put the file itself into the directory"))
}

/// `shown` is the name for messages, `real` the file to open.
fn read_file(shown: &Path, real: &Path) -> Result<Vec<u8>, Diagnostic> {
    // Asked before opening: to open a FIFO would wait for a writer.
    let metadata = fs::metadata(real).map_err(|error| io_problem(shown, &error))?;
    if !metadata.is_file() {
        return Err(problem(shown, "this is not a regular file", "name a file or a directory of files"));
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX) + 1;
    let opened = File::open(real).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    opened.map_err(|error| io_problem(shown, &error))?;
    if bytes.len() > MAX_BYTES {
        let fault = too_large();
        return Err(problem(shown, fault.what, fault.remedy));
    }
    Ok(bytes)
}

fn io_problem(path: &Path, error: &std::io::Error) -> Diagnostic {
    match error.kind() {
        ErrorKind::NotFound => problem(path, "it does not exist", "check the path, or put the file back"),
        ErrorKind::PermissionDenied => problem(path, "it may not be read", "give this user the right to read it"),
        _ => problem(path, format!("it cannot be read: {error}"), "check the path"),
    }
}

fn problem(path: &Path, what: impl Into<String>, remedy: impl Into<String>) -> Diagnostic {
    Diagnostic::of_file(path.to_string_lossy(), what, remedy)
}
