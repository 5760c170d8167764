//! A controller in this process, with its HTTP interface and its mark.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use interstella_controller::controller::{Controller, Locking, Shared};
use interstella_controller::http::router;
use interstella_controller::lock::Holder;
use tokio::net::TcpListener;

use crate::failure::Failure;
use crate::output;
use crate::session::Session;
use crate::shutdown::Shutdown;
use crate::telemetry::lookup;
use crate::verb::Context;
use crate::watching::{self, Adapt};

/// Opens the port of the HTTP interface.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
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

/// Starts a controller for the manifests at `path`.
pub async fn start(
    context: &Context,
    session: Session,
    path: PathBuf,
    adapt: Adapt,
    interval: Duration,
    listener: TcpListener,
) -> Result<Running, Failure> {
    let address = listener.local_addr().map_err(|error| Failure::because("cannot tell the port", &error))?;
    let url = format!("http://{address}");
    let source = watching::follow(context, path, adapt).await?;
    let holder = Holder { pid: std::process::id(), url: Some(url.clone()) };
    let locking = Locking { directory: lock_directory(&context.environment), holder };
    let Session { aws, identity, manager } = session;
    let controller = Controller::new(aws, identity, manager, interval, source, Some(locking));
    let shared = controller.shared();
    tokio::spawn(serve(listener, Arc::clone(&shared), context.shutdown.clone()));
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

async fn serve(listener: TcpListener, shared: Arc<Shared>, shutdown: Shutdown) {
    if let Err(error) = axum::serve(listener, router(shared)).with_graceful_shutdown(shutdown.over()).await {
        tracing::error!(%error, "the HTTP interface has stopped");
    }
}

/// Where controllers of this user mark what they manage.
pub fn lock_directory(environment: &[(String, String)]) -> PathBuf {
    match lookup(environment, "XDG_RUNTIME_DIR") {
        Some(directory) => Path::new(directory).join("interstella"),
        None => {
            let user = lookup(environment, "USER").unwrap_or("anybody");
            std::env::temp_dir().join(format!("interstella-{user}"))
        }
    }
}
