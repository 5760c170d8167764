//! A copy of a manifest that people start with, on a port of its own, to be edited.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

/// Listener ports: below those that the system gives to clients, and beside those that the local cloud gives to tasks.
const PORTS: std::ops::Range<u16> = 10_000..20_000;

/// A manifest in a directory of its own, which goes with it.
pub struct Manifest {
    directory: TempDir,
    path: PathBuf,
    /// Port of its listener, if it was given one of its own.
    pub port: u16,
}

impl Manifest {
    /// A copy of `manifests/monolith.yaml`.
    pub fn monolith() -> Self {
        Self::copy_of("monolith.yaml")
    }

    /// A copy of `manifests/autoscaled.yaml`.
    pub fn autoscaled() -> Self {
        Self::copy_of("autoscaled.yaml")
    }

    /// A copy of a file of `manifests` with its own ports, which other programs may hold.
    pub fn as_shipped(name: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let from = repository("manifests").join(name);
        let path = directory.path().join(from.file_name().unwrap());
        std::fs::copy(from, &path).unwrap();
        Self { directory, path, port: 0 }
    }

    /// The directory with copies of all that lie directly in `manifests`, with their own ports.
    pub fn all_as_shipped() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("manifests");
        std::fs::create_dir(&path).unwrap();
        for name in shipped() {
            std::fs::copy(repository("manifests").join(&name), path.join(&name)).unwrap();
        }
        Self { directory, path, port: 0 }
    }

    fn copy_of(name: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        let text = std::fs::read_to_string(repository("manifests").join(name)).unwrap();
        std::fs::write(&path, text).unwrap();
        let manifest = Self { directory, path, port: free_port() };
        manifest.edit("port: 5000, protocol", &format!("port: {}, protocol", manifest.port));
        manifest
    }

    /// Where it is.
    pub fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// A directory for what programs leave behind.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Saves it with `from`, which must be there once, changed to `to`.
    pub fn edit(&self, from: &str, to: &str) {
        self.edit_at_once(&[(from, to)]);
    }

    /// Saves it once with several such edits.
    pub fn edit_at_once(&self, edits: &[(&str, &str)]) {
        let text = std::fs::read_to_string(&self.path).unwrap();
        let edited = edits.iter().fold(text, |text, (from, to)| {
            assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
            text.replace(from, to)
        });
        std::fs::write(&self.path, edited).unwrap();
    }
}

/// Names of the manifests that lie directly in `manifests`.
pub fn shipped() -> BTreeSet<String> {
    let entries = std::fs::read_dir(repository("manifests")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".yaml")).collect()
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A port that nothing holds and that no other test of this process was given.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Programs that run at once begin in different places.
    let begin = u16::try_from(std::process::id() % 97).unwrap() * 100;
    (0..PORTS.len())
        .map(|_| PORTS.start + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % (PORTS.end - PORTS.start))
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a free port")
}
