//! A program's output on its way to CloudWatch Logs, line by line.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use crate::cloud::Cloud;
use crate::logs;

/// Bytes of a line; longer ones become several events, as with AWS.
const MAX_LINE_BYTES: usize = 256 * 1024;
/// Bytes that are read, and appended under one lock, at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Forwards everything that `output` gives until it ends. A program that writes faster than lines are stored waits.
pub(super) async fn forward(output: impl AsyncRead + Unpin, cloud: Arc<Cloud>, group: String, stream: String) {
    let mut reader = BufReader::with_capacity(CHUNK_BYTES, output);
    let mut lines = Lines::default();
    loop {
        let chunk = match reader.fill_buf().await {
            // An output that breaks has ended.
            Ok([]) | Err(_) => break,
            Ok(chunk) => chunk,
        };
        let complete = lines.push(chunk);
        let read = chunk.len();
        reader.consume(read);
        append(&cloud, &group, &stream, complete);
    }
    append(&cloud, &group, &stream, lines.finish());
}

fn append(cloud: &Arc<Cloud>, group: &str, stream: &str, lines: Vec<String>) {
    if !lines.is_empty() {
        cloud.with_world(|world, now| lines.into_iter().for_each(|line| logs::append(world, now, group, stream, line)));
    }
}

/// Cuts bytes into lines.
#[derive(Default)]
struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Takes more bytes and returns the lines that they complete.
    fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut complete = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(piece);
            while self.begun.len() > MAX_LINE_BYTES && !self.begun.ends_with(b"\n") {
                let rest = self.begun.split_off(MAX_LINE_BYTES);
                complete.push(text(&std::mem::replace(&mut self.begun, rest)));
            }
            if self.begun.ends_with(b"\n") {
                complete.push(text(&std::mem::take(&mut self.begun)));
            }
        }
        complete.retain(|line| !line.is_empty());
        complete
    }

    /// The last line, if it has no end.
    fn finish(self) -> Vec<String> {
        if self.begun.is_empty() { Vec::new() } else { vec![text(&self.begun)] }
    }
}

/// The line without its end; bytes that are not UTF-8 are replaced.
fn text(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Lines, MAX_LINE_BYTES};

    #[test]
    fn lines_are_whole_however_they_arrive() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"one\r\ntw"), ["one"]);
        assert_eq!(lines.push(b"o\n\nthr"), ["two"]);
        assert_eq!(lines.finish(), ["thr"]);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut lines = Lines::default();
        let long = vec![b'x'; MAX_LINE_BYTES + 1];
        assert_eq!(lines.push(&long).iter().map(String::len).collect::<Vec<_>>(), [MAX_LINE_BYTES]);
        assert_eq!(lines.push(b"\nnext\n"), ["x", "next"]);
    }

    #[test]
    fn bytes_that_are_not_text_do_not_stop_the_log() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"a\xffb\n"), ["a\u{fffd}b"]);
    }
}
