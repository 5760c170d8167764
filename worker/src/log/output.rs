//! Where lines go: standard output, all that a busy stretch of the runtime brought in one write.
//!
//! A write for each line is a system call, and wakes whoever reads at the other end of the pipe. So lines wait until their thread
//! has nothing to do, which under load is after an order or a few. What a person must see is never held back, and neither are the
//! lines of threads that do not rest with [`flush`]. A SIGKILL loses what waits; it loses the orders of that moment too, and they
//! come again.

use std::cell::Cell;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// However busy the thread is, no more than this waits.
const MAX_BYTES: usize = 16 * 1024;

static WAITING: Mutex<Vec<u8>> = Mutex::new(Vec::new());

thread_local! {
    /// Whether this thread flushes before it rests.
    static RESTS: Cell<bool> = const { Cell::new(false) };
}

/// Writes what waits. The runtime's threads call it before they rest, and the program before it ends.
pub(crate) fn flush() {
    RESTS.set(true);
    write(&mut waiting());
}

fn waiting() -> MutexGuard<'static, Vec<u8>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A log that cannot be written must not stop the orders.
fn write(lines: &mut Vec<u8>) {
    if !lines.is_empty() {
        let _ = io::stdout().write_all(lines);
        lines.clear();
    }
}

/// See the module's text.
pub(super) struct Output;

impl<'a> MakeWriter<'a> for Output {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { may_wait: false }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line {
        Line { may_wait: *metadata.level() > Level::WARN && RESTS.get() }
    }
}

/// Takes one line.
pub(super) struct Line {
    may_wait: bool,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut lines = waiting();
        lines.extend_from_slice(bytes);
        if !self.may_wait || lines.len() >= MAX_BYTES {
            write(&mut lines);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::Builder;
    use tracing_subscriber::layer::SubscriberExt;

    #[test]
    fn lines_wait_until_the_thread_rests_and_warnings_do_not() {
        let subscriber = tracing_subscriber::registry().with(tracing_subscriber::fmt::layer().with_writer(Output));
        let is_waiting = || !waiting().is_empty();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("this thread has never rested");
            assert!(!is_waiting());
            let runtime = Builder::new_current_thread().enable_time().on_thread_park(flush).build().unwrap();
            runtime.block_on(async {
                let mut ticks = tokio::time::interval(std::time::Duration::from_millis(1));
                while !RESTS.get() {
                    ticks.tick().await;
                }
                tracing::info!("it waits");
                assert!(is_waiting());
                tracing::warn!("it takes what waits along");
                assert!(!is_waiting());
                tracing::info!("it waits for the rest");
                assert!(is_waiting());
                let flushed = async {
                    while is_waiting() {
                        ticks.tick().await;
                    }
                };
                tokio::time::timeout(std::time::Duration::from_secs(5), flushed).await.unwrap();
                for _ in 0..1000 {
                    tracing::info!("more lines than may wait");
                    assert!(waiting().len() < MAX_BYTES);
                }
            });
        });
        flush();
    }
}
