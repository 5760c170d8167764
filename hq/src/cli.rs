//! The command line of `hq` and `interstella hq`: serve, or ask a running hq for something.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::ExitCode;

use bytes::Bytes;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use interstella_guard::Token;
use interstella_guard::doors::raise_descriptor_limit;
use interstella_guard::private::runtime_folder;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::admin::{IssuedKey, Rate};
use crate::client::{Client, ClientError};
use crate::config::{Config, ConfigError, DEFAULT_TOPIC_PREFIX, RUNTIME_FOLDER, listen_address};
use crate::endpoint::LoopbackUrl;
use crate::service;

/// `EX_CONFIG` of sysexits.h: starting again will not help.
const EXIT_CONFIG: u8 = 78;

type Vars = BTreeMap<String, String>;

/// Headquarters: publishes orders, takes fulfilments, counts
#[derive(Parser)]
#[command(name = "hq", version, max_term_width = 120, args_conflicts_with_subcommands = true, after_help = ENVIRONMENT)]
struct Cli {
    #[command(flatten)]
    _settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What is no flag: everybody on a machine can read the command lines of its programs.
const ENVIRONMENT: &str = "In the environment only:
  HQ_API_KEY       a key that is accepted besides the issued ones, for as long as this process lives
  XDG_RUNTIME_DIR  the token of the user is in its folder `interstella`; `rate` and `key` show it";

#[derive(Subcommand)]
enum Command {
    /// Publish orders and serve the fulfilment API until SIGTERM (the default)
    #[command(after_help = ENVIRONMENT)]
    Serve(Settings),
    /// Set how many orders a minute a running hq publishes to a topic
    Rate {
        /// orderTopic, iridium or magnesite
        topic: String,
        /// Orders a minute; 0 pauses
        per_minute: f64,
        #[command(flatten)]
        at: At,
    },
    /// Have a running hq issue an API key, good for 30 days, and print it
    Key {
        #[command(flatten)]
        at: At,
    },
}

/// Every setting of `serve`, as a flag and as a variable of the environment, which the flag overrides. What they may be is checked
/// where they are used, in `config`.
#[derive(Args)]
#[command(next_help_heading = "Settings")]
struct Settings {
    /// Port to listen at
    #[arg(long, env = "PORT", hide_env_values = true, value_name = "PORT", default_value = "8889")]
    port: Option<String>,
    /// Address to listen at
    #[arg(long, env = "HOST", hide_env_values = true, value_name = "IP", default_value = "127.0.0.1")]
    host: Option<String>,
    /// The file in which everything is kept [default: in memory]
    ///
    /// Orders are kept for a week in a file, and for three hours in memory.
    #[arg(long, env = "HQ_DATABASE", hide_env_values = true, value_name = "FILE")]
    database: Option<String>,
    /// The local cloud, on loopback; without it nothing is published
    #[arg(long, env = "AWS_ENDPOINT_URL", hide_env_values = true, value_name = "URL")]
    endpoint_url: Option<String>,
    /// Orders a minute that are published; 0 starts paused
    #[arg(long, env = "HQ_ORDERS_PER_MINUTE", hide_env_values = true, value_name = "N", default_value = "60")]
    orders_per_minute: Option<String>,
    /// What the ARNs of the topics begin with
    #[arg(
        long,
        env = "HQ_TOPIC_PREFIX",
        hide_env_values = true,
        value_name = "ARN:",
        default_value = DEFAULT_TOPIC_PREFIX
    )]
    topic_prefix: Option<String>,
    /// Names by which hq may be called, separated by commas, besides those of loopback and addresses
    #[arg(long, env = "HQ_HOSTS", hide_env_values = true, value_name = "NAMES")]
    hosts: Option<String>,
    /// What is logged, such as debug or interstella_hq=trace
    #[arg(long, env = "RUST_LOG", hide_env_values = true, value_name = "FILTER", default_value = "info")]
    log: Option<String>,
}

/// Settings that were typed, by the names of their variables.
fn typed(command: &clap::Command, matches: &ArgMatches) -> Vec<(OsString, OsString)> {
    let of_verb = matches.subcommand().and_then(|(name, matches)| Some((command.find_subcommand(name)?, matches)));
    let (command, matches) = of_verb.unwrap_or((command, matches));
    let settings = command.get_arguments().filter_map(|arg| Some((arg.get_id().as_str(), arg.get_env()?)));
    let typed = settings.filter(|(id, _)| matches.value_source(id) == Some(ValueSource::CommandLine));
    typed.filter_map(|(id, variable)| Some((variable.into(), matches.get_one::<String>(id)?.into()))).collect()
}

/// Which hq to ask.
#[derive(Args)]
struct At {
    /// The running hq
    #[arg(long = "hq", value_name = "URL", default_value = "http://127.0.0.1:8889")]
    url: LoopbackUrl,
}

/// What ended the command early.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Service(#[from] service::Error),
    #[error("cannot listen on {0}: {1}; choose another PORT or HOST")]
    Listen(std::net::SocketAddr, std::io::Error),
    #[error("the operating system refused: {0}")]
    Os(#[from] std::io::Error),
    #[error("no hq answers at {0}: {1}; start one with `hq` or name it with --hq")]
    NoHq(LoopbackUrl, ClientError),
    #[error("hq refused: {0}")]
    Refused(String),
    #[error("hq gave an answer that is not understood: {0}")]
    Answer(#[from] serde_json::Error),
}

impl CommandError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::Service(service::Error::Config(_)) => ExitCode::from(EXIT_CONFIG),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Runs the command. `args` starts with the program's name; `vars` is the environment.
///
/// Exits 0 when done or stopped by SIGTERM or SIGINT, 1 on a failure, 2 on wrong usage, 78 on a setting that cannot be used.
pub fn main_with(
    args: impl IntoIterator<Item = OsString>,
    vars: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(args);
    let read = matches.and_then(|matches| Ok((typed(&command, &matches), Cli::from_arg_matches(&matches)?.command)));
    let (typed, command) = match read {
        Ok(read) => read,
        Err(error) => {
            // A closed pipe is the only way this fails, and nobody is left to tell.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    // The last of a name counts: what was typed, after what the environment has.
    match run(command, vars.into_iter().chain(typed)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hq: {error}");
            error.exit_code()
        }
    }
}

fn run(command: Option<Command>, vars: impl IntoIterator<Item = (OsString, OsString)>) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let vars = own_variables(vars)?;
    match command {
        None | Some(Command::Serve(_)) => {
            raise_descriptor_limit();
            runtime.block_on(serve(&vars))
        }
        Some(Command::Rate { topic, per_minute, at }) => runtime.block_on(set_rate(&topic, per_minute, &at.url, &vars)),
        Some(Command::Key { at }) => runtime.block_on(issue_key(&at.url, &vars)),
    }
}

/// The variables that hq reads; the rest of the environment may be anything, even no text.
fn own_variables(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Vars, ConfigError> {
    let ours = |name: &str| {
        name.starts_with("HQ_") || [RUNTIME_FOLDER, "PORT", "HOST", "AWS_ENDPOINT_URL", "RUST_LOG"].contains(&name)
    };
    vars.into_iter()
        .filter_map(|(name, value)| name.into_string().ok().filter(|name| ours(name)).map(|name| (name, value)))
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(ConfigError::NotText { variable: name }),
        })
        .collect()
}

async fn serve(vars: &Vars) -> Result<(), CommandError> {
    let config = Config::from_env(vars)?;
    let address = listen_address(vars)?;
    let filter = vars.get("RUST_LOG").map_or("info", String::as_str);
    // Fails only if the program that embeds hq logs already, and then that is the log.
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info")))
        .try_init();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let listener = interstella_guard::listen(address).map_err(|error| CommandError::Listen(address, error))?;
    tracing::info!("headquarters at http://{}", listener.local_addr()?);
    let shutdown = async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("finishing what is in flight");
    };
    Ok(service::run(config, listener, shutdown).await?)
}

async fn set_rate(topic: &str, per_minute: f64, hq: &LoopbackUrl, vars: &Vars) -> Result<(), CommandError> {
    // As one path segment, whatever the name holds; a form's `+` would be no space there. hq says which topics there are.
    let name = form_urlencoded::byte_serialize(topic.as_bytes()).collect::<String>().replace('+', "%20");
    let answer = ask(hq, &format!("/rates/{name}"), serde_json::to_vec(&Rate { per_minute })?, vars).await?;
    let rate: Rate = serde_json::from_slice(&answer)?;
    println!("{topic}: {} orders a minute", rate.per_minute);
    Ok(())
}

async fn issue_key(hq: &LoopbackUrl, vars: &Vars) -> Result<(), CommandError> {
    let issued: IssuedKey = serde_json::from_slice(&ask(hq, "/keys", Vec::new(), vars).await?)?;
    eprintln!("key {} is good until {}; it is not shown again", issued.id, issued.expires_at);
    println!("{}", issued.key);
    Ok(())
}

async fn ask(hq: &LoopbackUrl, path: &str, body: Vec<u8>, vars: &Vars) -> Result<Bytes, CommandError> {
    let folder = runtime_folder(vars.get(RUNTIME_FOLDER).map(String::as_str));
    let token = Token::of_user(&folder).and_then(|token| token.header().map_err(std::io::Error::other));
    let token = token.map_err(ConfigError::Token)?;
    let json = HeaderValue::from_static("application/json");
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, json), (AUTHORIZATION, token)]);
    let answer = Client::new().post(&hq.join(path), headers, body.into()).await;
    let answer = answer.map_err(|error| CommandError::NoHq(hq.clone(), error))?;
    if answer.status.is_success() {
        return Ok(answer.body);
    }
    let text = String::from_utf8_lossy(&answer.body);
    let json: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    let message = json.as_ref().and_then(|json| json.get("message")?.as_str()).unwrap_or(&text);
    Err(CommandError::Refused(format!("{} ({})", message, answer.status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in quotes in `config` and is written like a variable.
    fn read_by_config() -> Vec<&'static str> {
        let source = include_str!("config.rs").split("#[cfg(test)]").next().unwrap();
        let is_variable = |text: &&str| text.len() > 3 && text.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'_'));
        source.split('"').filter(is_variable).collect()
    }

    #[test]
    fn the_help_lists_every_setting_and_no_value_of_the_environment() {
        for mut command in [Cli::command(), Cli::command().find_subcommand("serve").unwrap().clone()] {
            let help = command.render_long_help().to_string();
            let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
            for name in read_by_config() {
                assert!(help.contains(&format!("[env: {name}]")) || ENVIRONMENT.contains(name), "{name}: {help}");
            }
        }
    }

    #[test]
    fn the_defaults_in_the_help_are_those_that_hold() {
        let command = Cli::command();
        let shown = command.get_arguments().filter_map(|arg| {
            let default = arg.get_default_values().first()?.to_str()?;
            Some((arg.get_env()?.to_str()?.to_owned(), default.to_owned()))
        });
        let (shown, none): (Vars, Vars) = (shown.collect(), Vars::new());
        assert!(shown.len() >= 4, "{shown:?}");
        assert_eq!(Config::from_env(&shown).unwrap().topics, Config::from_env(&none).unwrap().topics);
        assert_eq!(listen_address(&shown).unwrap(), listen_address(&none).unwrap());
    }

    #[test]
    fn a_flag_comes_before_its_variable() {
        let mut command = Cli::command();
        for arguments in [&["hq", "--port", "1"][..], &["hq", "serve", "--port", "1"]] {
            let matches = command.try_get_matches_from_mut(arguments).unwrap();
            assert_eq!(typed(&command, &matches), [("PORT".into(), "1".into())], "{arguments:?}");
        }
        assert!(command.try_get_matches_from_mut(["hq", "--port", "1", "key"]).is_err());
        assert!(command.try_get_matches_from_mut(["hq", "--api-key", "canary"]).is_err());
    }
}
