//! The command line of `worker` and `interstella worker`: take orders, or settle some by hand.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use uuid::Uuid;

use crate::parked::Command;

/// Takes orders over HTTP and fulfils each exactly once
#[derive(Parser)]
#[command(name = "worker", version, max_term_width = 120, after_help = SECRETS)]
struct Cli {
    #[command(flatten)]
    _settings: Settings,
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// What is no flag, as everybody on a machine can read the command lines of its programs.
const SECRETS: &str = "In the environment only:
  INTERSTELLA_API_KEY  the fulfilment API's key; needed, unless a file has it";

#[derive(Subcommand)]
enum Verb {
    /// Orders that the worker cannot settle alone, in a ledger that outlives it
    #[command(subcommand)]
    Parked(Parked),
}

#[derive(Subcommand)]
enum Parked {
    /// Show the orders that wait for a person
    List,
    /// Send one again now, under the same idempotency key
    Release {
        /// The order's idempotency key, which `parked list` shows
        key: Uuid,
        /// Do not send it, but mark it as settled, because you know that it is
        #[arg(long)]
        done: bool,
    },
}

/// Every setting, as a flag and as a variable of the environment, which the flag overrides. What they may be is checked where they
/// are used, in `config`.
#[derive(Args)]
#[command(next_help_heading = "Settings")]
struct Settings {
    /// ARNs of the topics that orders come from, separated by commas; needed
    #[arg(long, env = "INTERSTELLA_ORDER_TOPIC", hide_env_values = true, value_name = "ARNS")]
    order_topic: Option<String>,
    /// A file with the fulfilment API's key, in place of INTERSTELLA_API_KEY
    ///
    /// It is read again, at most once a minute, when the API refuses the key.
    #[arg(long, env = "INTERSTELLA_API_KEY_FILE", hide_env_values = true, value_name = "FILE")]
    api_key_file: Option<String>,
    /// URL of the fulfilment API; needed. http:// is for loopback only
    #[arg(long, env = "INTERSTELLA_API_ENDPOINT", hide_env_values = true, value_name = "URL")]
    api_endpoint: Option<String>,
    /// Address to take orders at
    #[arg(long, env = "HOST", hide_env_values = true, value_name = "IP", default_value = "0.0.0.0")]
    host: Option<String>,
    /// Port to take orders at
    #[arg(long, env = "PORT", hide_env_values = true, value_name = "PORT", default_value = "5000")]
    port: Option<String>,
    /// Port of /livez, /readyz and /metrics, at the same address [default: none]
    #[arg(long, env = "ADMIN_PORT", hide_env_values = true, value_name = "PORT")]
    admin_port: Option<String>,
    /// How long gathering takes, in milliseconds, at most 5000
    #[arg(long, env = "INTERSTELLA_GATHER_MS", hide_env_values = true, value_name = "MS", default_value = "1000")]
    gather_ms: Option<String>,
    /// Whether the fulfilment API honours idempotency keys: true or false
    ///
    /// If not, orders whose outcome is unknown are parked.
    #[arg(
        long,
        env = "INTERSTELLA_FULFILMENT_IDEMPOTENT",
        hide_env_values = true,
        value_name = "BOOL",
        default_value = "true"
    )]
    fulfilment_idempotent: Option<String>,
    /// Where orders are remembered: memory, sqlite:PATH or dynamodb:TABLE
    ///
    /// Memory is enough only for one replica, or for an API that honours idempotency keys. DynamoDB needs the cargo feature
    /// `dynamodb`.
    #[arg(long, env = "INTERSTELLA_LEDGER", hide_env_values = true, value_name = "LEDGER", default_value = "memory")]
    ledger: Option<String>,
    /// How long an order is remembered after its last word, for duplicates of it, in seconds
    ///
    /// At least the maximum message age. A quarter of an hour is added for clocks that disagree.
    #[arg(
        long,
        env = "INTERSTELLA_LEDGER_RETENTION_S",
        hide_env_values = true,
        value_name = "S",
        default_value = "7200"
    )]
    ledger_retention_s: Option<String>,
    /// The most that a ledger in memory takes, in MiB
    ///
    /// When it is full, orders are told to come back. Each takes about 100 bytes when it is done, so 48 MiB are 64 orders a second
    /// for two hours.
    #[arg(long, env = "INTERSTELLA_LEDGER_MAX_MIB", hide_env_values = true, value_name = "MIB", default_value = "48")]
    ledger_max_mib: Option<String>,
    /// Whether to accept SHA-1 signatures: true or false
    ///
    /// A topic signs with version 1 unless its attribute SignatureVersion is 2: set that, or this.
    #[arg(
        long,
        env = "INTERSTELLA_SNS_SIGNATURE_V1",
        hide_env_values = true,
        value_name = "BOOL",
        default_value = "false"
    )]
    sns_signature_v1: Option<String>,
    /// Whether to confirm subscriptions so that nobody else can end them: true or false
    ///
    /// They are confirmed under the task's role, which needs sns:ConfirmSubscription; with the cargo feature
    /// `signed-confirmation`.
    #[arg(
        long,
        env = "INTERSTELLA_SNS_AUTHENTICATE_ON_UNSUBSCRIBE",
        hide_env_values = true,
        value_name = "BOOL",
        default_value = "false"
    )]
    sns_authenticate_on_unsubscribe: Option<String>,
    /// The oldest message that is taken, in seconds
    ///
    /// Raise it, and the ledger's retention with it, to redrive a dead-letter queue.
    #[arg(
        long,
        env = "INTERSTELLA_MAX_MESSAGE_AGE_S",
        hide_env_values = true,
        value_name = "S",
        default_value = "7200"
    )]
    max_message_age_s: Option<String>,
    /// How long to go on accepting after SIGTERM, in milliseconds, at most 3000
    #[arg(long, env = "INTERSTELLA_DRAIN_LAG_MS", hide_env_values = true, value_name = "MS", default_value = "1000")]
    drain_lag_ms: Option<String>,
    /// Orders in the worker at once; more are told to come back
    #[arg(long, env = "INTERSTELLA_MAX_IN_FLIGHT", hide_env_values = true, value_name = "N", default_value = "512")]
    max_in_flight: Option<String>,
    /// Of those, the orders worked on at once [default: all]
    ///
    /// With gathering, it is what a task manages. The others wait some seconds, and are then told to come back.
    #[arg(long, env = "INTERSTELLA_MAX_CONCURRENT_ORDERS", hide_env_values = true, value_name = "N")]
    max_concurrent_orders: Option<String>,
    /// Connections at once; fewer if the limit on open files is low
    #[arg(long, env = "INTERSTELLA_MAX_CONNECTIONS", hide_env_values = true, value_name = "N", default_value = "1024")]
    max_connections: Option<String>,
    /// Whether to serve POST /fulfill/, which asks for no proof of who sends: true or false
    #[arg(
        long,
        env = "INTERSTELLA_DIRECT_FULFIL",
        hide_env_values = true,
        value_name = "BOOL",
        default_value = "false"
    )]
    direct_fulfil: Option<String>,
    /// Names in the Host header, separated by commas, that are answered on a laptop [default: none]
    ///
    /// They are answered besides those of loopback and addresses while AWS_ENDPOINT_URL is on loopback; otherwise every name is.
    #[arg(long, env = "INTERSTELLA_HOSTS", hide_env_values = true, value_name = "NAMES")]
    hosts: Option<String>,
    /// An origin on loopback, which takes SNS's place [default: none]; any other value is ignored
    #[arg(long, env = "AWS_ENDPOINT_URL", hide_env_values = true, value_name = "URL")]
    endpoint_url: Option<String>,
    /// What is logged, such as debug or interstella_worker=trace
    #[arg(long, env = "RUST_LOG", hide_env_values = true, value_name = "FILTER", default_value = "info")]
    log: Option<String>,
}

/// What was typed: the command, and settings by the names of their variables.
pub(crate) type Typed = (Command, Vec<(String, String)>);

/// Reads the arguments after the program's name. Without any, nothing is built to read them with.
///
/// # Errors
/// For arguments that make no sense, and to show the help or the version.
pub(crate) fn read(arguments: Vec<String>) -> Result<Typed, clap::Error> {
    if arguments.is_empty() {
        return Ok((Command::Serve, Vec::new()));
    }
    let command = Cli::command();
    let variables: Vec<(String, String)> = variables(&command).collect();
    let arguments = std::iter::once("worker".to_owned()).chain(arguments);
    let matches = command.try_get_matches_from(arguments)?;
    let typed = variables.into_iter().filter(|(id, _)| matches.value_source(id) == Some(ValueSource::CommandLine));
    let typed = typed.filter_map(|(id, variable)| Some((variable, matches.get_one::<String>(&id)?.clone())));
    let typed = typed.collect();
    let command = match Cli::from_arg_matches(&matches)?.verb {
        None => Command::Serve,
        Some(Verb::Parked(Parked::List)) => Command::List,
        Some(Verb::Parked(Parked::Release { key, done: false })) => Command::Release(key),
        Some(Verb::Parked(Parked::Release { key, done: true })) => Command::Settle(key),
    };
    Ok((command, typed))
}

/// The ID of each setting and its variable.
fn variables(command: &clap::Command) -> impl Iterator<Item = (String, String)> + '_ {
    command.get_arguments().filter_map(|arg| Some((arg.get_id().to_string(), arg.get_env()?.to_str()?.to_owned())))
}

/// Whether an error is what was asked for rather than a mistake.
pub(crate) fn is_help(error: &clap::Error) -> bool {
    matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const KEY: &str = "165545c9-2a5c-472c-8df2-7ff2be2b3b1b";

    fn typed(arguments: &[&str]) -> Result<Typed, clap::Error> {
        read(arguments.iter().map(|argument| (*argument).to_owned()).collect())
    }

    #[test]
    fn arguments() {
        let id = Uuid::try_parse(KEY).unwrap();
        for (arguments, command) in [
            (&[][..], Command::Serve),
            (&["parked", "list"], Command::List),
            (&["parked", "release", KEY], Command::Release(id)),
            (&["parked", "release", KEY, "--done"], Command::Settle(id)),
        ] {
            assert_eq!(typed(arguments).unwrap(), (command, Vec::new()), "{arguments:?}");
        }
        let given =
            [("INTERSTELLA_LEDGER", "sqlite:a"), ("PORT", "1")].map(|(name, value)| (name.into(), value.into()));
        let (command, mut settings) = typed(&["--port", "1", "--ledger", "sqlite:a", "parked", "list"]).unwrap();
        settings.sort();
        assert_eq!((command, settings), (Command::List, given.into()));
        for arguments in [&["parked", "release", "x"][..], &["parked"], &["--api-key", "canary"], &["serve"]] {
            assert!(!is_help(&typed(arguments).unwrap_err()), "{arguments:?}");
        }
        assert!(is_help(&typed(&["--help"]).unwrap_err()));
    }

    /// What stands in quotes in `config` and is written like a variable.
    fn read_by_config() -> Vec<String> {
        let source = include_str!("config.rs").split("#[cfg(test)]\nmod tests").next().unwrap();
        let is_variable =
            |text: &&str| text.len() > 3 && text.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
        let mut names: Vec<String> = source.split('"').filter(is_variable).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        names
    }

    #[test]
    fn the_help_lists_every_setting_and_no_value_of_the_environment() {
        let help = typed(&["--help"]).unwrap_err().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let names = read_by_config();
        assert!(names.len() >= 21, "{names:?}");
        for name in &names {
            assert!(help.contains(&format!("[env: {name}]")) || SECRETS.contains(name.as_str()), "{name}: {help}");
        }
        let listed = variables(&Cli::command()).filter(|(_, name)| name != "RUST_LOG").count();
        assert_eq!(listed + 1, names.len(), "a setting that nothing reads: {names:?}");
        assert!(!help.contains("[env: HOST="), "{help}");
    }

    #[test]
    fn the_defaults_in_the_help_are_those_that_hold() {
        let needed = [
            ("INTERSTELLA_ORDER_TOPIC", "arn:aws:sns:us-west-2:123456789012:orderTopic"),
            ("INTERSTELLA_API_KEY", "canary-secret"),
            ("INTERSTELLA_API_ENDPOINT", "https://hq.example/receiving/"),
        ];
        let needed = || needed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let command = Cli::command();
        let shown = command.get_arguments().filter_map(|arg| {
            let default = arg.get_default_values().first()?.to_str()?;
            Some((arg.get_env()?.to_str()?.to_owned(), default.to_owned()))
        });
        let with = Config::from_env(needed().chain(shown)).unwrap();
        assert_eq!(format!("{with:?}"), format!("{:?}", Config::from_env(needed()).unwrap()));
    }
}
