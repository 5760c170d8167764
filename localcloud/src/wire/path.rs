//! Where in a value something is wrong, written as AWS writes it: `containerDefinitions.1.member.name`.

/// A path that is put together from its end while a walk returns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    /// The same path seen from one level further out.
    #[must_use]
    pub fn under(mut self, segment: impl Into<String>) -> Self {
        self.0.push(segment.into());
        self
    }
}

/// The segment of an element of a list, counted from zero.
pub fn element(index: usize) -> String {
    format!("{}.member", index + 1)
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let segments: Vec<&str> = self.0.iter().rev().map(String::as_str).collect();
        f.write_str(&segments.join("."))
    }
}
