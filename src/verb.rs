//! One file per verb. Each takes its arguments, calls the library that does the work, and prints the result.

pub mod apply;
#[cfg(feature = "local")]
pub mod cloud;
pub mod destroy;
pub mod env;
pub mod list;
pub mod load;
#[cfg(feature = "local")]
pub mod parts;
pub mod plan;
pub mod restart;
pub mod run;
pub mod schema;
pub mod shell;
pub mod simulate;
pub mod status;
pub mod top;
#[cfg(feature = "local")]
pub mod up;
pub mod validate;

use std::process::ExitCode;

use crate::cli::{Cli, Common, Verb};
use crate::failure::Failure;
use crate::shutdown::Shutdown;
use crate::telemetry::Purpose;
use crate::{output, telemetry};

/// What every verb gets besides its own arguments.
#[derive(Debug, Clone)]
pub struct Context {
    /// The common flags.
    pub common: Common,
    /// The process's environment.
    pub environment: Vec<(String, String)>,
    /// When to stop.
    pub shutdown: Shutdown,
}

/// Runs the verb to its end.
pub fn run(cli: Cli, environment: &[(String, String)]) -> ExitCode {
    let Cli { common, verb } = cli;
    match verb {
        // These start a runtime of their own, as the binaries of the same name do.
        #[cfg(feature = "local")]
        Verb::Worker(arguments) => return parts::worker(&arguments, environment),
        #[cfg(feature = "local")]
        Verb::Hq(arguments) => return parts::hq(&arguments, environment),
        #[cfg(feature = "local")]
        Verb::Reaper => return parts::reaper(),
        _ => telemetry::start(&common, environment, purpose(&verb)),
    }
    interstella_guard::doors::raise_descriptor_limit();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(&Failure::because("cannot start the runtime", &error)),
    };
    let outcome = runtime.block_on(async {
        let context = Context { common, environment: environment.to_vec(), shutdown: Shutdown::listen()? };
        dispatch(context, verb).await
    });
    // Blocking reads of a terminal or file must not hold the exit.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|failure| report(&failure))
}

/// What the log of a verb is for.
fn purpose(verb: &Verb) -> Purpose {
    match verb {
        Verb::Apply(_) | Verb::Destroy(_) => Purpose::Beside,
        Verb::Run(_) => Purpose::Kept,
        #[cfg(feature = "local")]
        Verb::Cloud(_) => Purpose::Kept,
        _ => Purpose::Watched,
    }
}

async fn dispatch(context: Context, verb: Verb) -> Result<ExitCode, Failure> {
    match verb {
        #[cfg(feature = "local")]
        Verb::Up(arguments) => up::run(context, arguments).await,
        #[cfg(feature = "local")]
        Verb::Cloud(arguments) => cloud::run(context, arguments).await,
        Verb::Run(arguments) => run::run(context, arguments).await,
        Verb::Env(arguments) => env::run(&context.common, &arguments),
        Verb::Schema => schema::run(),
        Verb::Completions(arguments) => shell::completions(&arguments),
        Verb::Man(arguments) => shell::man(&arguments),
        Verb::Validate(arguments) => validate::run(&context, &arguments),
        Verb::Plan(arguments) => interruptible(&context, plan::run(&context, &arguments)).await,
        Verb::Apply(arguments) => interruptible(&context, apply::run(&context, &arguments)).await,
        Verb::Status(arguments) => interruptible(&context, status::run(&context, &arguments)).await,
        Verb::Top(arguments) => interruptible(&context, top::run(&context, &arguments)).await,
        Verb::List(arguments) => interruptible(&context, list::run(&context, &arguments)).await,
        Verb::Load(arguments) => load::run(context, arguments).await,
        Verb::Restart(arguments) => {
            interruptible(&context, restart::run(&context, &arguments, restart::Why::Asked)).await
        }
        Verb::Retry(arguments) => {
            interruptible(&context, restart::run(&context, &arguments, restart::Why::Stalled)).await
        }
        Verb::Simulate(arguments) => interruptible(&context, simulate::run(&context, &arguments)).await,
        Verb::Destroy(arguments) => interruptible(&context, destroy::run(&context, &arguments)).await,
        #[cfg(feature = "local")]
        Verb::Worker(_) | Verb::Hq(_) | Verb::Reaper => Ok(ExitCode::SUCCESS),
    }
}

/// Ends a verb at the first signal. That is safe anywhere: the cloud is the state, and the next pass goes on from it.
async fn interruptible(
    context: &Context,
    verb: impl Future<Output = Result<ExitCode, Failure>>,
) -> Result<ExitCode, Failure> {
    tokio::select! {
        outcome = verb => outcome,
        received = context.shutdown.received() => Ok(received.exit_code()),
    }
}

fn report(failure: &Failure) -> ExitCode {
    output::note(failure);
    ExitCode::FAILURE
}
