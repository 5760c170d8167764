//! How much there is to do, for the last line of `interstella plan` and for its JSON.

use std::fmt;
use std::ops::AddAssign;

use serde::Serialize;

use super::{On, Plan, Verb};

/// Changes by what they are. What is to be done now and what comes later are counted apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Resources that are made now.
    pub create: usize,
    /// Resources that are changed in place now.
    pub update: usize,
    /// Resources that are deleted now and made anew.
    pub replace: usize,
    /// Resources that are deleted now.
    pub delete: usize,
    /// Changes that wait for others of ours or for AWS, and come by themselves.
    pub follow: usize,
    /// Changes that wait for a person.
    pub needs_person: usize,
    /// Resources of a wanted name that are somebody else's.
    pub conflicts: usize,
    /// Apps for which nothing is pushed until their manifest changes.
    pub stalled: usize,
    /// Apps that could not be read, so that nothing is planned for them.
    pub unread: usize,
}

impl Counts {
    /// Changes of every kind, now or later. 0 = AWS is as the manifests say, unless something is in the way.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.create + self.update + self.replace + self.delete + self.follow + self.needs_person
    }
}

impl Plan {
    /// How much there is to do.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            conflicts: self.conflicts.len(),
            stalled: usize::from(self.stalled.is_some()),
            ..Counts::default()
        };
        for action in &self.actions {
            match action.summary().action {
                Verb::Create => counts.create += 1,
                Verb::Update => counts.update += 1,
                Verb::Replace => counts.replace += 1,
                Verb::Delete => counts.delete += 1,
            }
        }
        counts.needs_person = self.waiting.iter().filter(|waiting| waiting.on == On::Person).count();
        counts.follow = self.waiting.len() - counts.needs_person;
        counts
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self { create, update, replace, delete, follow, needs_person, conflicts, stalled, unread } = other;
        self.create += create;
        self.update += update;
        self.replace += replace;
        self.delete += delete;
        self.follow += follow;
        self.needs_person += needs_person;
        self.conflicts += conflicts;
        self.stalled += stalled;
        self.unread += unread;
    }
}

impl fmt::Display for Counts {
    /// Such as `5 to create, 1 to update, 2 will follow`; empty if there is nothing to say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { create, update, replace, delete, follow, needs_person, conflicts, stalled, unread } = *self;
        let either = |count: usize, one: &'static str, many: &'static str| (count, if count == 1 { one } else { many });
        let parts = [
            (create, "to create"),
            (update, "to update"),
            (replace, "to replace"),
            (delete, "to delete"),
            (follow, "will follow"),
            either(needs_person, "needs a person", "need a person"),
            either(conflicts, "conflict", "conflicts"),
            (stalled, "stalled"),
            (unread, "could not be read"),
        ];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts.map(|(count, what)| format!("{count} {what}")).collect();
        f.write_str(&parts.join(", "))
    }
}
