//! A problem in a file, with its place and the remedy, and how it is shown.
//!
//! One line for logs, pipes and tests (`Display`), a snippet for people ([`Diagnostic::render`]), fields for
//! `--output json`. Values that look like secrets never reach the text a snippet is cut from.

use std::fmt;
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use serde::Serialize;

use super::yaml::Extent;

/// A file as it may be shown.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path as it was given.
    pub name: String,
    /// The text with secrets masked, character for character.
    shown: String,
}

impl SourceFile {
    /// `shown` must hold no secret and as many characters as the file.
    pub(super) fn new(name: &str, shown: String) -> Arc<Self> {
        Arc::new(Self { name: name.to_owned(), shown })
    }

    /// A problem at `at`.
    pub fn diagnostic(self: &Arc<Self>, at: Extent, what: impl Into<String>, remedy: impl Into<String>) -> Diagnostic {
        Diagnostic {
            file: self.name.clone(),
            line: at.line,
            column: at.column,
            what: what.into(),
            remedy: remedy.into(),
            source: Some(Box::new(Snippet { file: Arc::clone(self), at })),
        }
    }
}

/// What is wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The file, or the directory that could not be read.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
    #[serde(skip)]
    source: Option<Box<Snippet>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Snippet {
    file: Arc<SourceFile>,
    at: Extent,
}

impl Diagnostic {
    /// A problem with the file as a whole, when there is no text to show.
    pub fn of_file(file: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        let Extent { line, column, .. } = Extent::START;
        Self { file: file.into(), line, column, what: what.into(), remedy: remedy.into(), source: None }
    }

    /// Several lines for people: the problem, the text around it, the remedy. `width` is in columns.
    pub fn render(&self, colour: bool, width: usize) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let mut text = String::new();
        let handler = GraphicalReportHandler::new_themed(theme).with_width(width);
        match handler.render_report(&mut text, &Fancy(self)) {
            Ok(()) => text,
            Err(fmt::Error) => self.to_string(),
        }
    }

    /// The marked bytes of the shown text, to the end of the line at most.
    fn bytes(&self) -> Option<std::ops::Range<usize>> {
        let snippet = self.source.as_ref()?;
        let text = &snippet.file.shown;
        let start = text.char_indices().nth(snippet.at.index).map_or(text.len(), |(offset, _)| offset);
        let line = text[start..].lines().next().unwrap_or_default();
        let len = line.char_indices().nth(snippet.at.len).map_or(line.len(), |(offset, _)| offset);
        Some(start..start + len)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, what, remedy, source: _ } = self;
        write!(f, "{file}:{line}:{column}: {what} — {remedy}")
    }
}

impl std::error::Error for Diagnostic {}

impl miette::Diagnostic for Diagnostic {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|snippet| &*snippet.file as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let range = self.bytes()?;
        Some(Box::new(std::iter::once(LabeledSpan::underline(range))))
    }
}

/// The graphical form: the place is in the snippet's frame and the remedy is the help, so the title is only what is wrong.
#[derive(Debug)]
struct Fancy<'a>(&'a Diagnostic);

impl fmt::Display for Fancy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.source.is_none() {
            write!(f, "{}: ", self.0.file)?;
        }
        f.write_str(&self.0.what)
    }
}

impl std::error::Error for Fancy<'_> {}

impl miette::Diagnostic for Fancy<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.0.remedy))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.source.as_ref().map(|snippet| &*snippet.file as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        miette::Diagnostic::labels(self.0)
    }
}

impl SourceCode for SourceFile {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, miette::MietteError> {
        let inner = self.shown.read_span(span, before, after)?;
        Ok(Box::new(miette::MietteSpanContents::new_named(
            self.name.clone(),
            inner.data(),
            *inner.span(),
            inner.line(),
            inner.column(),
            inner.line_count(),
        )))
    }
}
