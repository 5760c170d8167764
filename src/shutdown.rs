//! Signals: the first asks a long-running verb to stop in order, the second stops it at once.

use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::failure::Failure;

/// Which signal came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// SIGINT, as by Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Received {
    /// 128 plus the signal's number, as shells have it.
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(self.status())
    }

    fn status(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Tells all parts of the program when to stop. Clones see the same signal.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<Option<Received>>);

impl Shutdown {
    /// Starts to listen. A second signal ends the process at once, with its status.
    pub fn listen() -> Result<Self, Failure> {
        let failed = |error| Failure::because("cannot listen for signals", &error);
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            let first = next(&mut interrupt, &mut terminate).await;
            sender.send_replace(Some(first));
            let second = next(&mut interrupt, &mut terminate).await;
            std::process::exit(i32::from(second.status()));
        });
        Ok(Self(receiver))
    }

    /// As [`Self::received`], for parts that only need to know when.
    pub async fn over(self) {
        self.received().await;
    }

    /// Resolves when a signal has come.
    pub async fn received(&self) -> Received {
        let mut receiver = self.0.clone();
        match receiver.wait_for(Option::is_some).await.map(|received| *received) {
            Ok(Some(received)) => received,
            // The listening task never ends before the process does.
            _ => std::future::pending().await,
        }
    }
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) -> Received {
    tokio::select! {
        _ = interrupt.recv() => Received::Interrupt,
        _ = terminate.recv() => Received::Terminate,
    }
}
