//! The flag `--image NAME[:TAG]=PATH`: a program of this machine as an image of the local cloud.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use interstella_localcloud::images::Reference;

/// An image that a person gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenImage {
    /// `REPOSITORY[:TAG]`.
    pub name: String,
    /// The program, as an absolute path.
    pub path: PathBuf,
}

impl FromStr for GivenImage {
    type Err = String;

    /// # Errors
    /// If the text is no name and path, or there is no such program that can be run.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, path) = text.split_once('=').ok_or("an image is given as NAME=PATH or NAME:TAG=PATH")?;
        check_name(name)?;
        let path = std::path::absolute(path).map_err(|error| error.to_string())?;
        check_program(&path)?;
        Ok(Self { name: name.to_owned(), path })
    }
}

/// ECR's grammar of names and tags (AWS: ECR CreateRepository, PutImage).
fn check_name(name: &str) -> Result<(), String> {
    let Reference { repository, tag, digest } = Reference::read(name);
    if digest.is_some() {
        return Err(format!("{name}: a digest follows from the program; give NAME or NAME:TAG"));
    }
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let component = |part: &str| {
        let bytes = part.as_bytes();
        let ends = [bytes.first(), bytes.last()].into_iter().all(|end| end.is_some_and(|byte| lower(*byte)));
        ends && bytes.iter().all(|byte| lower(*byte) || b"._-".contains(byte))
    };
    if !repository.split('/').all(component) {
        return Err(format!(
            "{name} is no image name: lower-case letters, digits and . _ - in parts between slashes, such as shop/web:v1"
        ));
    }
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_tag =
        |tag: &str| !tag.is_empty() && tag.len() <= 128 && !tag.starts_with(['.', '-']) && tag.bytes().all(known);
    match tag {
        Some(tag) if !is_tag(tag) => Err(format!("{tag:?} is no tag: at most 128 letters, digits and . _ -")),
        _ => Ok(()),
    }
}

fn check_program(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let about = path.metadata().map_err(|error| format!("{shown}: {error}"))?;
    if !about.is_file() {
        return Err(format!("{shown} is no file"));
    }
    if about.permissions().mode() & 0o111 == 0 {
        return Err(format!(
            "{shown} cannot be executed: chmod +x {shown}, and begin a script with its interpreter (#!)"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_read_or_refused_with_a_remedy() {
        let refused = |text: &str| text.parse::<GivenImage>().unwrap_err();
        for name in ["web", "shop/web:v1", "registry.example:5000/shop/web:V1.0_a-b"] {
            let expected = GivenImage { name: name.to_owned(), path: PathBuf::from("/bin/sh") };
            assert_eq!(format!("{name}=/bin/sh").parse(), Ok(expected));
        }
        for (text, said) in [
            ("web", "NAME=PATH"),
            ("=/bin/sh", "no image name"),
            ("Web=/bin/sh", "no image name"),
            ("shop//web=/bin/sh", "no image name"),
            ("web:=/bin/sh", "no tag"),
            ("web:-v1=/bin/sh", "no tag"),
            ("web@sha256:00=/bin/sh", "a digest follows"),
            ("web=/nowhere/web", "/nowhere/web: No such file"),
            ("web=/bin", "no file"),
            ("web=Cargo.toml", "chmod +x"),
        ] {
            assert!(refused(text).contains(said), "{text}: {}", refused(text));
        }
    }
}
