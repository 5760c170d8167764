//! `validate`: checks manifests without any cloud.

use std::process::ExitCode;

use serde_json::json;

use crate::cli::ManifestPath;
use crate::failure::Failure;
use crate::manifests;
use crate::output;
use crate::verb::Context;

/// Prints what is there, or every problem.
pub fn run(context: &Context, arguments: &ManifestPath) -> Result<ExitCode, Failure> {
    let loaded = match manifests::load(&arguments.path) {
        Ok(loaded) => loaded,
        Err(problems) => {
            manifests::report(context, &problems)?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let names: Vec<&str> = loaded.iter().map(|manifest| manifest.metadata.name.as_str()).collect();
    let text = format!("{} is valid: {}", arguments.path.display(), names.join(", "));
    output::result(&context.common, &json!({ "valid": true, "apps": names, "problems": [] }), text)?;
    Ok(ExitCode::SUCCESS)
}
