//! Refuses heads that two parsers may read differently: bare line feeds, and more than one statement of the body's length.
//!
//! hyper settles such cases by the RFC's rules and goes on; a proxy in front of it may settle them the other way. The offending
//! line is replaced by NULs, which no parser accepts, so that hyper answers 400 and closes.

/// The names that state a body's length, in lower case.
const LENGTH_NAMES: [&[u8]; 2] = [b"content-length", b"transfer-encoding"];

/// The bytes of a line that may matter: the longest of these names and its colon.
const NAME_BYTES: usize = 18;

/// The state of the scan over one head.
#[derive(Debug, Default)]
pub(super) struct HeadScan {
    /// The last byte of the current line so far.
    previous: u8,
    line_length: usize,
    /// The start of the current line, as far as it came.
    start: [u8; NAME_BYTES],
    lengths: u8,
    has_request_line: bool,
    is_over: bool,
}

impl HeadScan {
    /// Looks at the next bytes, which may come in any pieces.
    pub(super) fn check(&mut self, bytes: &mut [u8]) {
        for part in bytes.split_inclusive_mut(|byte| *byte == b'\n') {
            if self.is_over {
                return;
            }
            let Some((b'\n', line)) = part.split_last() else {
                self.extend(part);
                return;
            };
            self.extend(line);
            if self.is_offence() {
                part.fill(0);
                self.is_over = true;
            }
            self.end_line();
        }
    }

    /// The current line goes on, without its end.
    fn extend(&mut self, part: &[u8]) {
        let start = self.start.get_mut(self.line_length..).unwrap_or_default();
        start.iter_mut().zip(part).for_each(|(place, byte)| *place = *byte);
        self.line_length += part.len();
        self.previous = part.last().copied().unwrap_or(self.previous);
    }

    /// Whether the line that ends here has a bare line feed or states the body's length once more.
    fn is_offence(&mut self) -> bool {
        let start = self.start.get(..self.line_length).unwrap_or(&self.start);
        let name = start.split(|byte| *byte == b':').next().unwrap_or_default();
        if self.has_request_line && LENGTH_NAMES.iter().any(|length| length.eq_ignore_ascii_case(name)) {
            self.lengths += 1;
        }
        self.previous != b'\r' || self.lengths > 1
    }

    /// An empty line, which is one CR before this LF, ends the head; those before the request line do not count.
    fn end_line(&mut self) {
        let is_empty = self.line_length <= 1;
        self.is_over |= is_empty && self.has_request_line;
        self.has_request_line |= !is_empty;
        self.line_length = 0;
        self.previous = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn is_clean(head: &str, piece: usize) -> bool {
        let mut scan = HeadScan::default();
        let mut bytes = head.as_bytes().to_vec();
        for piece in bytes.chunks_mut(piece) {
            scan.check(piece);
        }
        !bytes.contains(&0)
    }

    #[test]
    fn w36_heads_with_two_readings_are_spoiled() {
        for (head, clean) in [
            ("POST /order/ HTTP/1.1\r\nHost: a:1\r\nContent-Length: 2\r\n\r\n\n\n", true),
            ("\r\nGET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", true),
            ("GET /content-length: HTTP/1.1\r\nX: content-length: 1\r\nContent-Length: 0\r\n\r\n", true),
            ("POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", false),
            ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n", false),
            ("POST / HTTP/1.1\nHost: a\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nHost: a\n\r\n", false),
        ] {
            for piece in [1, 7, 4096] {
                assert_eq!(is_clean(head, piece), clean, "{head:?} in pieces of {piece}");
            }
        }
    }

    /// The rule in other words: up to the line that ends the head, no line feed is bare and one line at most states a length.
    fn has_one_reading(head: &str) -> bool {
        let lines: Vec<&str> = head.split_inclusive('\n').filter(|line| line.ends_with('\n')).collect();
        let begin = lines.iter().position(|line| line.len() > 2).unwrap_or(lines.len());
        let (blank, lines) = lines.split_at(begin);
        let end = lines.iter().position(|line| line.len() <= 2).map_or(lines.len(), |end| end + 1);
        let lines = &lines[..end];
        let is_length = |line: &&&str| {
            let name = line.split(':').next().unwrap().to_ascii_lowercase();
            line.contains(':') && LENGTH_NAMES.contains(&name.as_bytes())
        };
        blank.iter().chain(lines).all(|line| line.ends_with("\r\n"))
            && lines.iter().skip(1).filter(is_length).count() <= 1
    }

    /// Mostly what a head is made of, now and then something else.
    fn line() -> impl Strategy<Value = String> {
        let start = prop_oneof![
            2 => Just("Content-Length: 2".to_owned()),
            2 => Just("transfer-encoding:".to_owned()),
            1 => Just("GET / HTTP/1.1".to_owned()),
            3 => "[a-z:-]{0,20}",
        ];
        let end = prop_oneof![12 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\r"), 1 => Just("")];
        (start, end).prop_map(|(start, end)| start + end)
    }

    proptest! {
        #[test]
        fn w36_pieces_do_not_matter(lines in vec(line(), 0..12), piece in 1_usize..40) {
            let head = lines.concat();
            prop_assert_eq!(is_clean(&head, piece), has_one_reading(&head), "{:?}", head);
        }
    }
}
