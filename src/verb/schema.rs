//! `schema`: the JSON Schema of manifests.

use std::process::ExitCode;

use interstella_controller::manifest::schema::json_schema;

use crate::failure::Failure;
use crate::output;

/// Prints the schema.
pub fn run() -> Result<ExitCode, Failure> {
    output::line(format_args!("{:#}", json_schema()))?;
    Ok(ExitCode::SUCCESS)
}
