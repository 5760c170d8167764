//! What image names resolve to. There is no registry to push to or pull from: an image is a program on this machine,
//! registered under a repository and a tag when the cloud starts.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;

use aws_lc_rs::digest::{Context, SHA256};

/// The tag of a name that has none (AWS: ECS `image`).
const LATEST: &str = "latest";
/// Bytes that are read at a time.
const CHUNK: usize = 64 * 1024;

/// A program that stands for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Its arguments when the task definition gives no `command`.
    pub arguments: Vec<String>,
}

/// An image: a program as it was when it was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// What runs.
    pub program: Program,
    /// `sha256:` and the hash of the program's file in hexadecimal, as `sha256sum` prints it.
    pub digest: String,
    /// Size of the program's file.
    pub size_bytes: u64,
}

impl Image {
    /// The image of a program whose file has this content.
    ///
    /// # Errors
    /// If the content cannot be read.
    pub fn new(program: Program, mut content: impl Read) -> io::Result<Self> {
        let (mut hash, mut size_bytes) = (Context::new(&SHA256), 0);
        let mut chunk = vec![0; CHUNK];
        loop {
            let count = content.read(&mut chunk)?;
            let Some(read) = chunk.get(..count).filter(|read| !read.is_empty()) else { break };
            hash.update(read);
            size_bytes += read.len() as u64;
        }
        Ok(Self { program, digest: format!("sha256:{}", hex::encode(hash.finish())), size_bytes })
    }
}

/// Images by repository and tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Images(BTreeMap<String, BTreeMap<String, Image>>);

impl Images {
    /// Registers `image` under a name, `REPOSITORY[:TAG]`. Without a tag it is `latest`; a registry's host in front
    /// is ignored.
    pub fn insert(&mut self, name: &str, image: Image) {
        let Reference { repository, tag, digest: _ } = Reference::read(name);
        let tags = self.0.entry(repository.to_owned()).or_default();
        tags.insert(tag.unwrap_or(LATEST).to_owned(), image);
    }

    /// The image that a task definition names: by digest if the name has one, else by tag. `None`: it was never
    /// registered.
    pub fn resolve(&self, name: &str) -> Option<&Image> {
        let Reference { repository, tag, digest } = Reference::read(name);
        let tags = self.0.get(repository)?;
        match digest {
            Some(digest) => tags.values().find(|image| image.digest == digest),
            None => tags.get(tag.unwrap_or(LATEST)),
        }
    }

    /// The images of a repository by tag.
    pub fn of(&self, repository: &str) -> impl Iterator<Item = (&str, &Image)> {
        self.0.get(repository).into_iter().flatten().map(|(tag, image)| (tag.as_str(), image))
    }

    /// Every repository that has an image.
    pub fn repositories(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Removes a repository's images.
    pub fn remove(&mut self, repository: &str) {
        self.0.remove(repository);
    }
}

/// An image's name taken apart: `[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The repository, without the registry's host.
    pub repository: &'a str,
    /// The tag. Where there is a digest too, the digest holds, as with Docker.
    pub tag: Option<&'a str>,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Takes a name apart. Any text is some name; whether it exists is another question.
    pub fn read(text: &'a str) -> Self {
        let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (name, None),
        };
        // Docker's rule: the first part is a host if nothing else could look like it.
        let repository = match name.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => rest,
            _ => name,
        };
        Self { repository, tag, digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST_OF_A: &str = "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";

    fn images(names: &[(&str, &str)]) -> Images {
        let mut images = Images::default();
        for (name, content) in names {
            let program = Program { path: PathBuf::from(content), arguments: Vec::new() };
            images.insert(name, Image::new(program, content.as_bytes()).unwrap());
        }
        images
    }

    #[test]
    fn names_resolve_by_tag_or_digest_whatever_the_registry() {
        let images = images(&[("shop/web", "a"), ("shop/web:v2", "b"), ("registry.example:5000/bare:v1", "c")]);
        let by_digest = format!("shop/web:v7@{DIGEST_OF_A}");
        let unknown_digest = format!("bare@{DIGEST_OF_A}");
        for (name, expected) in [
            ("shop/web", Some("a")),
            ("shop/web:latest", Some("a")),
            ("shop/web:v2", Some("b")),
            ("shop/web:v3", None),
            (&by_digest, Some("a")),
            (&unknown_digest, None),
            ("123456789012.dkr.ecr.us-west-2.amazonaws.com/shop/web:v2", Some("b")),
            ("localhost:5000/shop/web:v2", Some("b")),
            ("localhost/bare:v1", Some("c")),
            ("bare", None),
            // No host, but another repository.
            ("other/shop/web", None),
            ("other/bare:v1", None),
            ("", None),
        ] {
            let found = images.resolve(name).map(|image| image.program.path.to_string_lossy().into_owned());
            assert_eq!(found.as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn the_digest_is_that_of_the_file() {
        let program = Program { path: PathBuf::new(), arguments: Vec::new() };
        let image = Image::new(program.clone(), &b"a"[..]).unwrap();
        assert_eq!((image.digest.as_str(), image.size_bytes), (DIGEST_OF_A, 1));
        let long = vec![7; 2 * CHUNK + 1];
        let image = Image::new(program, &long[..]).unwrap();
        let whole = aws_lc_rs::digest::digest(&SHA256, &long);
        assert_eq!(image.digest, format!("sha256:{}", hex::encode(whole)));
    }
}
