//! `schema`: the JSON Schema of manifests.

use std::process::ExitCode;

use interstella_controller::manifest::schema::json_schema_text;

use crate::failure::Failure;
use crate::output;

/// Prints the schema.
pub fn run() -> Result<ExitCode, Failure> {
    output::line(json_schema_text().trim_end())?;
    Ok(ExitCode::SUCCESS)
}
