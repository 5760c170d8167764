//! Options of the log driver `awslogs`. What other drivers are told is theirs: their output goes nowhere here.

use crate::call::ApiError;
use crate::ecs::errors::client;
use crate::ecs::task_definition::container::LogConfiguration;

/// Options that AWS requires.
const REQUIRED: [&str; 2] = ["awslogs-group", "awslogs-region"];
/// Options that are acted upon, or that say how much a program may be ahead of its log, which it never is here.
const KNOWN: [&str; 6] =
    ["awslogs-group", "awslogs-region", "awslogs-stream-prefix", "awslogs-create-group", "mode", "max-buffer-size"];

/// Checks the options (AWS: LogConfiguration, API reference).
pub(super) fn check(logs: &LogConfiguration) -> Result<(), ApiError> {
    if logs.log_driver != "awslogs" {
        return Ok(());
    }
    if let Some(missing) = REQUIRED.into_iter().find(|option| !logs.options.contains_key(*option)) {
        return Err(client(format!("Log driver awslogs requires options: {missing}")));
    }
    match logs.options.keys().find(|option| !KNOWN.contains(&option.as_str())) {
        Some(unknown) => Err(ApiError::not_implemented(format!("the option {unknown} of the log driver awslogs"))),
        None => Ok(()),
    }
}
