//! What counts as given in AWS's answers. AWS leaves out what was never given; other endpoints answer an empty text instead, and
//! AWS may come to. So every text goes through here on its way into a normal form.

use std::collections::BTreeSet;

/// A text that may be absent.
pub(crate) trait Given {
    /// The same text, absent also if it is empty.
    #[must_use]
    fn given(self) -> Self;
}

impl<T: AsRef<str>> Given for Option<T> {
    fn given(self) -> Self {
        self.filter(|text| !text.as_ref().is_empty())
    }
}

/// The names in a list, in no order.
pub(crate) fn names(list: &[String]) -> BTreeSet<String> {
    list.iter().filter(|name| !name.is_empty()).cloned().collect()
}
