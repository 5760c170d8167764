//! Marks an app as managed by a controller on this machine, so that `destroy` can refuse. Advisory: nothing that keeps AWS right
//! rests on it, as controllers elsewhere do not see it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

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
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(Taken::Another(record(&mut file))),
        Err(TryLockError::Error(error)) => return Err(error),
        Ok(()) => {}
    }
    file.set_len(0)?;
    file.write_all(&serde_json::to_vec(holder)?)?;
    file.flush()?;
    Ok(Taken::Ours(Lock { _file: file }))
}

/// Who has the mark at `path`. `Some(None)` = somebody whose record is not readable.
///
/// # Errors
/// When the file is there but cannot be opened.
pub fn holder(path: &Path) -> io::Result<Option<Option<Holder>>> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    match file.try_lock() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(record(&mut file))),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn record(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
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
        assert!(matches!(take(&path, &me).unwrap(), Taken::Another(Some(other)) if other == me));
        drop(lock);
        assert!(holder(&path).unwrap().is_none());
    }
}
