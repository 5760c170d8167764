//! How a verb fails: what happened, its causes and the next step, and the exit status that says so.

use std::fmt::Write as _;

/// A verb's failure. `Display` gives the whole chain of causes, one per line.
#[derive(Debug)]
pub struct Failure {
    what: String,
    causes: Vec<String>,
    remedy: Option<String>,
}

impl Failure {
    /// A failure without a cause.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), causes: Vec::new(), remedy: None }
    }

    /// A failure with everything that `error` says, its sources included.
    pub fn because(what: impl Into<String>, error: &dyn std::error::Error) -> Self {
        let mut causes = vec![error.to_string()];
        let mut source = error.source();
        while let Some(error) = source {
            let text = error.to_string();
            // Many libraries repeat their source in their own message.
            if !causes.last().is_some_and(|last| last.contains(&text)) {
                causes.push(text);
            }
            source = error.source();
        }
        Self { what: what.into(), causes, remedy: None }
    }

    /// Adds the next step.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = format!("error: {}", self.what);
        for cause in &self.causes {
            write!(text, "\n  because: {cause}")?;
        }
        if let Some(remedy) = &self.remedy {
            write!(text, "\n  next: {remedy}")?;
        }
        f.write_str(&text)
    }
}
