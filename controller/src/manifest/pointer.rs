//! A place in a document, as a JSON Pointer (RFC 6901).
//!
//! The YAML tree, the schema's errors and the checks in `validate` all name places this way, so that one table of marks
//! serves all three. Nothing here looks at a document.

use std::fmt;

/// A place in a document; the empty pointer is the whole document.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(String);

impl Pointer {
    /// The whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// The value under `key` of the object at this place.
    pub fn key(&self, key: &str) -> Self {
        Self(format!("{}/{}", self.0, key.replace('~', "~0").replace('/', "~1")))
    }

    /// The element `index` (from 0) of the list at this place.
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }

    /// A pointer that a library already wrote in the form of RFC 6901.
    pub fn from_rfc6901(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The form of RFC 6901.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Keys and indexes from the root on.
    pub fn segments(&self) -> impl Iterator<Item = String> + '_ {
        self.0.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"))
    }

    /// Whether this place is `other` or inside it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.strip_prefix(&other.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// This place with `from` at its front exchanged for `to`; `None` if it is not within `from`.
    pub fn moved(&self, from: &Self, to: &Self) -> Option<Self> {
        self.is_within(from).then(|| Self(format!("{}{}", to.0, &self.0[from.0.len()..])))
    }
}

/// The form people read: `spec.taskDefinition.containers[0].image`.
impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.segments().enumerate() {
            if !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()) {
                write!(f, "[{segment}]")?;
            } else if position == 0 {
                f.write_str(&segment)?;
            } else {
                write!(f, ".{segment}")?;
            }
        }
        Ok(())
    }
}

impl serde::Serialize for Pointer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_a_path_and_escapes_like_a_pointer() {
        let pointer = Pointer::root().key("spec").key("containers").index(0).key("a/b~c");
        assert_eq!(pointer.to_string(), "spec.containers[0].a/b~c");
        assert_eq!(pointer.as_str(), "/spec/containers/0/a~1b~0c");
    }

    #[test]
    fn a_longer_key_is_not_within_a_shorter_one() {
        let spec = Pointer::root().key("spec");
        assert!(!Pointer::root().key("special").is_within(&spec));
        assert!(spec.key("cluster").is_within(&spec));
        assert_eq!(
            spec.key("cluster").moved(&spec, &Pointer::root().key("x")),
            Some(Pointer::root().key("x").key("cluster"))
        );
    }
}
