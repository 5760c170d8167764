//! Manifests from a path, and how their problems are shown.

use std::io::IsTerminal;
use std::path::Path;

use interstella_controller::manifest::Manifest;
use interstella_controller::manifest::diagnostic::Diagnostic;
use interstella_controller::manifest::load::load_path;
use serde_json::json;

use crate::cli::Format;
use crate::failure::Failure;
use crate::output;
use crate::verb::Context;

/// Columns that a problem's snippet may take.
const WIDTH_COLUMNS: usize = 120;
/// Most problems that are shown to people: a snippet costs as much time as its file is long, and nobody reads thousands.
const MOST_SHOWN: usize = 50;

/// Every manifest at `path`, or every problem.
pub fn load(path: &Path) -> Result<Vec<Manifest>, Vec<Diagnostic>> {
    load_path(path).map(|loaded| loaded.into_iter().map(|one| one.manifest).collect())
}

/// As [`load`]; problems are shown and end the verb.
pub fn require(context: &Context, path: &Path) -> Result<Vec<Manifest>, Failure> {
    load(path).or_else(|problems| {
        report(context, &problems)?;
        Err(Failure::new(format!("{} cannot be used", path.display()))
            .remedy("mend what is listed above; nothing was changed"))
    })
}

/// Shows problems: to people with snippets on standard error, to machines as the result.
pub fn report(context: &Context, problems: &[Diagnostic]) -> Result<(), Failure> {
    if context.common.output == Format::Json {
        return output::result(&context.common, &json!({ "valid": false, "problems": problems }), "");
    }
    note(context, problems);
    Ok(())
}

/// Shows problems on standard error: to the eye with snippets, to editors and logs as the lines that they understand.
pub fn note(context: &Context, problems: &[Diagnostic]) {
    let colors = output::colors(&context.common, &context.environment);
    let is_seen = std::io::stderr().is_terminal();
    for problem in problems.iter().take(MOST_SHOWN) {
        output::note(if is_seen { problem.render(colors, WIDTH_COLUMNS) } else { problem.to_string() });
    }
    if let Some(more @ 1..) = problems.len().checked_sub(MOST_SHOWN) {
        output::note(format_args!("{more} more; mend these first, or see all with `validate --output json`"));
    }
}
