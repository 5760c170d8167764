//! What a running program has said so far, line by line.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use super::wait::until;

/// Lines that a program's failure is explained with.
const TAIL: usize = 60;

/// Lines in the order in which they came. Clones see the same lines.
#[derive(Clone, Default)]
pub struct Output(Arc<Mutex<Vec<String>>>);

impl Output {
    /// Reads until the program closes its end.
    pub fn read(from: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let output = Self::default();
        let to = output.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(from).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                to.0.lock().unwrap().push(line);
            }
        });
        output
    }

    /// How many lines there are, to look only at later ones.
    pub fn mark(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// The lines from `mark` on, as one text.
    pub fn since(&self, mark: usize) -> String {
        self.0.lock().unwrap()[mark..].join("\n")
    }

    /// Waits until the lines from `mark` on hold `text`, which may span lines.
    pub async fn says(&self, text: &str, mark: usize, within: Duration) {
        until(&format!("says {text:?}"), within, async || {
            let said = self.since(mark);
            if said.contains(text) { Ok(()) } else { Err(said) }
        })
        .await;
    }

    /// The rest of the first line that begins with `begin`, once there is one.
    pub async fn after(&self, begin: &str, within: Duration) -> String {
        until(&format!("says {begin:?}"), within, async || {
            let lines = self.0.lock().unwrap();
            let rest = lines.iter().find_map(|line| line.strip_prefix(begin));
            rest.map(|rest| rest.trim().to_owned()).ok_or_else(|| lines.join("\n"))
        })
        .await
    }

    /// Shows the last lines if the test is failing.
    pub fn explain(&self, program: &str) {
        if std::thread::panicking() {
            let lines = self.0.lock().unwrap();
            eprintln!("--- the last lines of {program}:\n{}", lines[lines.len().saturating_sub(TAIL)..].join("\n"));
        }
    }
}
