//! Marks an app as managed by a controller on this machine, so that `destroy` can refuse. Advisory: nothing that keeps AWS right
//! rests on it, as controllers elsewhere do not see it.
//!
//! A mark is two files in a folder that is this user's alone: one that is locked and stays empty, and one beside it that says who
//! has the lock, replaced in one step. Neither is ever opened through a link.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use interstella_guard::private::{self, Folder};
use serde::{Deserialize, Serialize};

use crate::app::AppName;
use crate::desired;

/// Longest record that is read, in bytes.
const MOST: u64 = 4096;

/// Who manages an app, and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process ID of the controller.
    pub pid: u32,
    /// Address of its HTTP interface, such as `http://127.0.0.1:8888`.
    pub url: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)?;
        self.url.iter().try_for_each(|url| write!(f, " at {url}"))
    }
}

/// The mark, for as long as it lives. The operating system takes it away with the process.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// What came of trying to take a mark.
#[derive(Debug)]
pub enum Taken {
    /// It is ours now.
    Ours(Lock),
    /// Another process of this machine has it.
    Another(Option<Holder>),
}

/// Where an app's mark is in `directory`. `place` is the endpoint or account, with the region.
#[must_use]
pub fn path(directory: &Path, place: &str, app: &AppName) -> PathBuf {
    let mut hash = desired::hash(&(place, app));
    hash.truncate(16);
    directory.join(format!("interstella-{hash}.lock"))
}

/// Takes the mark at `path`, if nobody has it.
///
/// # Errors
/// When the file cannot be made or written.
pub fn take(path: &Path, holder: &Holder) -> io::Result<Taken> {
    let folder = Folder::around(path)?;
    let file = private::file(path)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(Taken::Another(record(path))),
        Err(TryLockError::Error(error)) => return Err(error),
        Ok(()) => {}
    }
    folder.replace(&record_name(path), &serde_json::to_vec(holder)?)?;
    Ok(Taken::Ours(Lock { _file: file }))
}

/// Who has the mark at `path`. `Some(None)` = somebody whose record is not readable.
///
/// # Errors
/// When the file is there but cannot be opened, or is not this user's.
pub fn holder(path: &Path) -> io::Result<Option<Option<Holder>>> {
    if std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(None);
    }
    // Whoever owns the folder decides what the record says.
    Folder::around(path)?;
    match private::file(path)?.try_lock() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(record(path))),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn record_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    format!("{stem}.json")
}

fn record(path: &Path) -> Option<Holder> {
    let file = private::file(&path.with_file_name(record_name(path))).ok()?;
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_mark_tells_its_holder_until_it_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let app = AppName { cluster: "c".into(), name: "n".into() };
        let path = path(directory.path(), "http://127.0.0.1:4566 us-west-2", &app);
        assert!(holder(&path).unwrap().is_none());
        let me = Holder { pid: 7, url: Some("http://127.0.0.1:8888".into()) };
        let Taken::Ours(lock) = take(&path, &me).unwrap() else { panic!("nobody has it") };
        assert_eq!(holder(&path).unwrap(), Some(Some(me.clone())));
        assert_eq!(me.to_string(), "process 7 at http://127.0.0.1:8888");
        assert!(matches!(take(&path, &me).unwrap(), Taken::Another(Some(other)) if other == me));
        drop(lock);
        assert!(holder(&path).unwrap().is_none());
    }

    #[test]
    fn a_link_that_somebody_put_there_is_not_followed() {
        let scratch = tempfile::tempdir().unwrap();
        let (victim, folder) = (scratch.path().join("victim"), scratch.path().join("shared"));
        std::fs::write(&victim, "precious").unwrap();
        std::fs::create_dir(&folder).unwrap();
        let app = AppName { cluster: "c".into(), name: "n".into() };
        let path = path(&folder, "here", &app);
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        let me = Holder { pid: 7, url: None };
        let refused = take(&path, &me).unwrap_err().to_string();
        assert!(refused.contains("is a link; remove it"), "{refused}");
        assert!(holder(&path).is_err());
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&victim, folder.join(record_name(&path))).unwrap();
        assert!(matches!(take(&path, &me).unwrap(), Taken::Ours(_)));
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    }
}
