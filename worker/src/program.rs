//! The program around the library: logs, signals, listeners, exit codes.

use std::process::ExitCode;

use interstella_guard::listen;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli;
use crate::config::Config;
use crate::log;
use crate::parked::{self, Command};
use crate::worker;

/// The exit code for a configuration that cannot work, as sysexits has it.
const EX_CONFIG: u8 = 78;
const EX_USAGE: u8 = 64;

/// Runs the worker, or the command that `args` (without the program's name) asks for, under the environment `vars`.
///
/// Exits 78 for a bad configuration before anything listens, 0 after a drain, 1 for other failures, and 130 or 143 when a
/// second signal ends the drain.
pub fn main_with(args: impl Iterator<Item = String>, vars: impl Iterator<Item = (String, String)>) -> ExitCode {
    let (command, typed) = match cli::read(args.collect()) {
        Ok(typed) => typed,
        Err(error) => {
            // A closed pipe is the only way this fails, and nobody is left to tell.
            let _ = error.print();
            return if cli::is_help(&error) { ExitCode::SUCCESS } else { ExitCode::from(EX_USAGE) };
        }
    };
    // The first of a name counts: what was typed, before what the environment has.
    let vars: Vec<(String, String)> = typed.into_iter().chain(vars).collect();
    let filter = vars.iter().find(|(name, _)| name == "RUST_LOG").map_or("info", |(_, value)| value.as_str());
    let config = match Config::from_env(vars.iter().cloned()) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("worker: {error}");
            return ExitCode::from(EX_CONFIG);
        }
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("worker: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = match command {
        Command::Serve => {
            log::start(filter);
            runtime.block_on(serve(config))
        }
        _ => runtime.block_on(ask(command, &config)),
    };
    runtime.shutdown_background();
    log::flush();
    code
}

/// On one core, as a small task has it, threads would only get into each other's way.
fn runtime() -> std::io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    let mut builder = if cores == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.enable_all().on_thread_park(log::flush).build()
}

async fn ask(command: Command, config: &Config) -> ExitCode {
    match parked::run(command, config).await {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("worker: {text}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config) -> ExitCode {
    match start(config).await {
        Ok(code) => code,
        Err(error) => {
            tracing::error!(%error, "the worker ends");
            eprintln!("worker: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn start(config: Config) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut signals =
        Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? };
    let address = config.address();
    let listener = listen(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let admin = match config.admin_address() {
        Some(address) => Some(listen(address).map_err(|error| format!("cannot listen on {address}: {error}"))?),
        None => None,
    };
    tracing::info!(address = %listener.local_addr()?, "Taking orders");
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let shutdown = async {
        drop(stopped.await);
    };
    let running = worker::run(config, listener, admin, shutdown);
    let second = async {
        signals.next().await;
        let _ = stop.send(());
        signals.next().await
    };
    tokio::select! {
        result = running => result.map(|()| ExitCode::SUCCESS).map_err(Into::into),
        code = second => Ok(ExitCode::from(code)),
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Waits for a signal; returns the exit code that it stands for.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
    }
}
