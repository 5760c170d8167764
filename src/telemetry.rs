//! Logs go to standard error, one line an event; results never do.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::cli::Common;

/// Starts logging at the level that `-v` asks for; `RUST_LOG` overrides it. A verb that shows its passes itself
/// (`shows_progress`) is not told a second time what they do.
pub fn start(common: &Common, environment: &[(String, String)], shows_progress: bool) {
    let level = match common.verbose {
        // Nor what failed in them.
        0 if shows_progress => "warn,interstella_controller::execute=error",
        0 => "warn,interstella=info,interstella_controller=info,interstella_localcloud=info,interstella_hq=warn",
        1 => "info,interstella=debug,interstella_controller=debug,interstella_localcloud=debug,interstella_hq=debug",
        _ => "info,interstella=trace,interstella_controller=trace,interstella_localcloud=trace,interstella_hq=trace",
    };
    let wanted = lookup(environment, "RUST_LOG").unwrap_or(level);
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).parse_lossy(wanted);
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(crate::output::colors(common, environment))
        .with_target(common.verbose > 0)
        .init();
}

/// The value of a variable that is set and not empty.
pub fn lookup<'a>(environment: &'a [(String, String)], name: &str) -> Option<&'a str> {
    environment.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
}
