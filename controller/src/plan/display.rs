//! A plan as people read it and as programs do.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::{Action, Conflict, Plan, Summary, Verb, Waiting};

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
        })
    }
}

impl Verb {
    /// The mark that people know from other tools.
    fn mark(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Update => "~",
            Self::Replace => "±",
            Self::Delete => "-",
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.action, self.resource, self.name)?;
        if let Some(effect) = self.effect {
            write!(f, " ({effect})")?;
        }
        for change in &self.changes {
            write!(f, "\n    {change}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "waiting: {} {} {}: {}", self.action, self.resource, self.name, self.reason)
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "conflict: {} {} is not touched: {} — {}", self.resource, self.name, self.reason, self.remedy)
    }
}

impl fmt::Display for Plan {
    /// One line for each thing, and those below it for its fields. The alternate form begins each with a mark, for people who
    /// look over it: `+ ~ - ±` for what is done, `…` for what follows, `!` for what is in the way.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marked = f.alternate();
        let mut line = |mark: &str, text: &dyn fmt::Display| match marked {
            true => writeln!(f, "{mark} {text}"),
            false => writeln!(f, "{text}"),
        };
        if self.is_empty() {
            line(" ", &"nothing to do")?;
        }
        self.conflicts.iter().try_for_each(|conflict| line("!", conflict))?;
        for summary in self.actions.iter().map(Action::summary) {
            line(summary.action.mark(), &summary)?;
        }
        self.waiting.iter().try_for_each(|waiting| line("…", waiting))?;
        self.stalled.iter().try_for_each(|reason| line("!", &format_args!("stalled: {reason}")))?;
        self.notes.iter().try_for_each(|note| line(" ", &format_args!("note: {note}")))
    }
}

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let actions: Vec<Summary> = self.actions.iter().map(Action::summary).collect();
        let mut plan = serializer.serialize_struct("Plan", 7)?;
        plan.serialize_field("name", &self.name.name)?;
        plan.serialize_field("cluster", &self.name.cluster)?;
        plan.serialize_field("actions", &actions)?;
        plan.serialize_field("waiting", &self.waiting)?;
        plan.serialize_field("conflicts", &self.conflicts)?;
        if let Some(reason) = &self.stalled {
            plan.serialize_field("stalled", reason)?;
        }
        plan.serialize_field("notes", &self.notes)?;
        plan.end()
    }
}
