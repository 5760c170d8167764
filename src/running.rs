//! A controller in this process, with its HTTP interface and its mark.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use interstella_controller::controller::{Controller, Locking, Shared};
use interstella_controller::http;
use interstella_controller::lock::Holder;
use interstella_guard::{Token, private};
use tokio::net::TcpListener;

use crate::failure::Failure;
use crate::output;
use crate::session::Session;
use crate::shutdown::Shutdown;
use crate::telemetry::lookup;
use crate::verb::Context;
use crate::watching;

/// Longest wait of a changed manifest, in milliseconds.
const JITTER_MOST_MS: u64 = 75;

/// Opens the port of the HTTP interface.
pub fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    interstella_guard::listen(address).map_err(|error| {
        Failure::because(format!("cannot listen on {address}"), &error).remedy(
            "end the program that holds the port (is another controller running?), or choose another with --port",
        )
    })
}

/// A controller and its HTTP interface.
pub struct Running {
    /// What it shows.
    #[cfg(feature = "local")]
    pub shared: Arc<Shared>,
    /// URL of the HTTP interface.
    #[cfg(feature = "local")]
    pub url: String,
    controller: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Waits until the controller has ended, which it does after the signal.
    pub async fn ended(self) {
        if let Err(error) = self.controller.await {
            tracing::error!(%error, "the controller has broken off");
        }
    }
}

/// How a controller runs.
pub struct Settings {
    /// Where the manifests are.
    pub path: PathBuf,
    /// Wait between passes over a converged app.
    pub interval: Duration,
    /// Names by which the HTTP interface may be called, besides those of its address.
    pub names: Vec<String>,
    /// Whether the health of targets is read in every pass, as somebody looks at it.
    pub shows_health: bool,
}

/// Starts a controller.
pub async fn start(
    context: &Context,
    session: Session,
    listener: TcpListener,
    settings: Settings,
) -> Result<Running, Failure> {
    let Settings { path, interval, names, shows_health } = settings;
    let address = listener.local_addr().map_err(|error| Failure::because("cannot tell the port", &error))?;
    let url = format!("http://{address}");
    let source = watching::follow(context, path).await?;
    let holder = Holder { pid: std::process::id(), url: Some(url.clone()) };
    let folder = runtime_folder(&context.environment);
    let token = token(&folder)?;
    let locking = Locking { directory: folder, holder };
    let Session { aws, identity, manager } = session;
    let controller = Controller::new(aws, identity, manager, interval, source, Some(locking), jitter());
    let controller = if shows_health { controller.showing_health() } else { controller };
    let shared = controller.shared();
    tokio::spawn(serve(listener, Arc::clone(&shared), token, names, context.shutdown.clone()));
    let controller = tokio::spawn(controller.run(context.shutdown.clone().over()));
    output::note(format_args!("the controller shows itself at {url}/api/v1/apps"));
    Ok(Running {
        #[cfg(feature = "local")]
        shared,
        #[cfg(feature = "local")]
        url,
        controller,
    })
}

/// A time that is another one for each controller, and short beside what a person notices.
fn jitter() -> Duration {
    // The standard library's hash keys are random, which is enough to tell two controllers apart.
    let random = RandomState::new().hash_one(std::process::id());
    Duration::from_millis(random % JITTER_MOST_MS)
}

/// The token of this user. A controller that cannot have it runs all the same, and lets go of nothing.
fn token(folder: &Path) -> Result<Token, Failure> {
    let token = Token::of_user(folder).or_else(|error| {
        tracing::warn!(%error, "without the token of this user, `destroy --stop` cannot reach this controller");
        Token::generate()
    });
    token.map_err(|error| Failure::because("cannot make a token", &error))
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, token: Token, names: Vec<String>, shutdown: Shutdown) {
    if let Err(error) = http::serve(listener, shared, token, names, shutdown.over()).await {
        tracing::error!(%error, "the HTTP interface has stopped");
    }
}

/// Where programs of this user find each other: marks of what controllers manage, and the token.
pub fn runtime_folder(environment: &[(String, String)]) -> PathBuf {
    private::runtime_folder(lookup(environment, "XDG_RUNTIME_DIR"))
}
