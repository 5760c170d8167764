//! The command line of `hq` and `interstella hq`: serve, or ask a running hq for something.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::ExitCode;

use bytes::Bytes;
use clap::{Parser, Subcommand};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use interstella_guard::Token;
use interstella_guard::doors::raise_descriptor_limit;
use interstella_guard::private::runtime_folder;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::admin::{IssuedKey, Rate};
use crate::client::{Client, ClientError};
use crate::config::{Config, ConfigError, RUNTIME_FOLDER, listen_address};
use crate::endpoint::LoopbackUrl;
use crate::service;

/// `EX_CONFIG` of sysexits.h: starting again will not help.
const EXIT_CONFIG: u8 = 78;

type Vars = BTreeMap<String, String>;

#[derive(Parser)]
#[command(name = "hq", version, about = "Headquarters: publishes orders, takes fulfilments, counts")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Publish orders and serve the fulfilment API until SIGTERM (the default)
    ///
    /// Set by the environment: PORT (8889), HOST (127.0.0.1), HQ_DATABASE (a file; in memory without it),
    /// AWS_ENDPOINT_URL (the local cloud), HQ_ORDERS_PER_MINUTE (60), HQ_TOPIC_PREFIX, HQ_API_KEY,
    /// HQ_HOSTS (names it goes by), RUST_LOG. `rate` and `key` show the token of their user, in $XDG_RUNTIME_DIR/interstella.
    #[command(verbatim_doc_comment)]
    Serve,
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

/// Which hq to ask.
#[derive(clap::Args)]
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
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is the only way this fails, and nobody is left to tell.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match run(cli.command.unwrap_or(Command::Serve), vars) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hq: {error}");
            error.exit_code()
        }
    }
}

fn run(command: Command, vars: impl IntoIterator<Item = (OsString, OsString)>) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let vars = own_variables(vars)?;
    match command {
        Command::Serve => {
            raise_descriptor_limit();
            runtime.block_on(serve(&vars))
        }
        Command::Rate { topic, per_minute, at } => runtime.block_on(set_rate(&topic, per_minute, &at.url, &vars)),
        Command::Key { at } => runtime.block_on(issue_key(&at.url, &vars)),
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
