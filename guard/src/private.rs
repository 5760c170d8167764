//! Files and folders that only this user may read, in places where other users can put theirs first: no link is followed, and what
//! belongs to somebody else is refused.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
const OTHERS: u32 = 0o077;

/// A folder that is ours alone.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// Where this user's running programs find each other: `$XDG_RUNTIME_DIR/interstella`, or a folder of our own in the
/// temporary one.
#[must_use]
pub fn runtime_folder(xdg_runtime_dir: Option<&str>) -> PathBuf {
    match xdg_runtime_dir.filter(|directory| !directory.is_empty()) {
        Some(directory) => Path::new(directory).join("interstella"),
        None => std::env::temp_dir().join(format!("interstella-{}", uid())),
    }
}

fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

impl Folder {
    /// The folder at `path`, made if it is not there.
    ///
    /// # Errors
    /// When it is a link, or belongs to somebody else, or cannot be made. The text says what to do.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        match DirBuilder::new().mode(FOLDER_MODE).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _made_or_there => {}
        }
        // The link itself is looked at, not what it points to.
        let found = fs::symlink_metadata(path)?;
        if !found.is_dir() || found.uid() != uid() {
            return Err(refused(path, "is a link or belongs to another user"));
        }
        if found.mode() & OTHERS != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(FOLDER_MODE))?;
        }
        Ok(Self(path.to_owned()))
    }

    /// The folder of the file at `path`.
    ///
    /// # Errors
    /// As [`Folder::open`].
    pub fn around(path: &Path) -> io::Result<Self> {
        Self::open(path.parent().unwrap_or(Path::new(".")))
    }

    /// Opens the file `name`, made if it is not there, for reading and writing.
    ///
    /// # Errors
    /// As [`file()`].
    pub fn file(&self, name: &str) -> io::Result<File> {
        file(&self.0.join(name))
    }

    /// Puts `content` in the place of the file `name` in one step: whoever reads sees the old or the new one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn replace(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let temporary = self.0.join(format!(".{name}.{}", std::process::id()));
        // Left over from a process of the same number that was killed.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _gone => {}
        }
        let mut file = OpenOptions::new().create_new(true).write(true).mode(FILE_MODE).open(&temporary)?;
        file.write_all(content)?;
        fs::rename(temporary, self.0.join(name))
    }
}

/// Opens the file at `path`, made if it is not there, for reading and writing; only this user may do so.
///
/// # Errors
/// When it is a link, another name of some file, not a regular file, or belongs to somebody else. The text says what to do.
pub fn file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(FILE_MODE).custom_flags(no_follow());
    let file = match options.clone().create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            options.open(path).map_err(|error| match error.raw_os_error() {
                Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => refused(path, "is a link"),
                _ => error,
            })?
        }
        opened => opened?,
    };
    let found = file.metadata()?;
    if !found.is_file() || found.uid() != uid() || found.nlink() > 1 {
        return Err(refused(path, "has another name too, or belongs to another user"));
    }
    if found.mode() & OTHERS != 0 {
        file.set_permissions(fs::Permissions::from_mode(FILE_MODE))?;
    }
    Ok(file)
}

fn no_follow() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0)
}

fn refused(path: &Path, why: &str) -> io::Error {
    let text = format!(
        "{} {why}; remove it, or choose a place that is yours (for what running programs share: XDG_RUNTIME_DIR)",
        path.display()
    );
    io::Error::new(io::ErrorKind::PermissionDenied, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_not_followed_and_nothing_behind_them_changes() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        fs::write(at("victim"), "precious").unwrap();
        fs::create_dir(at("elsewhere")).unwrap();
        let folder = Folder::open(&at("ours")).unwrap();
        symlink(at("victim"), at("ours/link")).unwrap();
        fs::hard_link(at("victim"), at("ours/second")).unwrap();
        symlink(at("elsewhere"), at("theirs")).unwrap();
        for refused in
            [folder.file("link").map(drop), folder.file("second").map(drop), Folder::open(&at("theirs")).map(drop)]
        {
            assert!(refused.unwrap_err().to_string().contains("remove it"));
        }
        folder.replace("link", b"ours").unwrap();
        assert_eq!(fs::read_to_string(at("victim")).unwrap(), "precious");
        assert_eq!(fs::read_to_string(at("ours/link")).unwrap(), "ours");
        assert!(!fs::symlink_metadata(at("ours/link")).unwrap().is_symlink());
    }

    #[test]
    fn nobody_else_may_read() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a/b");
        fs::create_dir_all(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(path.join("old"), "").unwrap();
        fs::set_permissions(path.join("old"), fs::Permissions::from_mode(0o644)).unwrap();
        let folder = Folder::open(&path).unwrap();
        folder.replace("new", b"x").unwrap();
        folder.file("made").unwrap();
        folder.file("old").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        for name in ["old", "new", "made"] {
            assert_eq!(fs::metadata(path.join(name)).unwrap().mode() & 0o777, 0o600, "{name}");
        }
    }
}
