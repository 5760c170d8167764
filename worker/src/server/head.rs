//! Refuses heads that two parsers may read differently: bare line feeds, and more than one statement of the body's length.
//!
//! hyper settles such cases by the RFC's rules and goes on; a proxy in front of it may settle them the other way. The offending
//! byte is replaced by NUL, which no parser accepts, so that hyper answers 400 and closes.

/// The names that state a body's length, in lower case.
const LENGTH_NAMES: [&[u8]; 2] = [b"content-length", b"transfer-encoding"];

/// The state of the scan over one head.
#[derive(Debug, Default)]
pub(super) struct HeadScan {
    previous: u8,
    /// How many bytes of the current line were seen.
    line_length: usize,
    /// The start of the current line in lower case, as far as a name matters.
    name: [u8; 18],
    lengths: u8,
    is_request_line: bool,
    is_started: bool,
    is_over: bool,
}

impl HeadScan {
    /// Looks at the next bytes, which may come in any pieces.
    pub(super) fn check(&mut self, bytes: &mut [u8]) {
        if !self.is_started {
            self.is_started = true;
            self.is_request_line = true;
        }
        for byte in bytes {
            if self.is_over {
                return;
            }
            if self.is_offence(*byte) {
                *byte = 0;
                self.is_over = true;
            }
        }
    }

    fn is_offence(&mut self, byte: u8) -> bool {
        let offence = match byte {
            b'\n' if self.previous != b'\r' => true,
            b'\n' => {
                self.end_line();
                false
            }
            b':' if !self.is_request_line => self.is_second_length(),
            _ => {
                if let Some(place) = self.name.get_mut(self.line_length) {
                    *place = byte.to_ascii_lowercase();
                }
                false
            }
        };
        if byte != b'\n' {
            self.line_length += 1;
        }
        self.previous = byte;
        offence
    }

    /// An empty line, which is one CR before this LF, ends the head; those before the request line do not count.
    fn end_line(&mut self) {
        let is_empty = self.line_length <= 1;
        if is_empty && !self.is_request_line {
            self.is_over = true;
        }
        self.is_request_line = self.is_request_line && is_empty;
        self.line_length = 0;
    }

    fn is_second_length(&mut self) -> bool {
        let Some(name) = self.name.get(..self.line_length) else { return false };
        if LENGTH_NAMES.contains(&name) {
            self.lengths += 1;
        }
        self.lengths > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
