//! Refuses bytes that two parsers may read differently: bare line feeds, more than one statement of a body's length or of the host,
//! lengths that are no plain numbers (RFC 9112 §2.2, §3.2, §6.3, §7.1).
//!
//! hyper settles such cases by the RFC's rules and goes on; a proxy in front of it may settle them the other way. The offending
//! line is replaced by NULs, which no parser accepts, so that hyper answers 400 and closes. Bodies are followed too, because
//! the next request's head may come in the same piece as the end of this one.

/// Longest line that is looked at: a name with a colon and a value of one number. What states a length is not longer.
const LINE_BYTES: usize = 64;
/// Hexadecimal digits of a chunk's size; no chunk of 4 GiB or more is honest, and none may overflow a counter.
const CHUNK_DIGITS: usize = 8;
/// Bytes of a chunk's line with its extensions, which nobody uses.
const CHUNK_LINE_BYTES: usize = 1024;

/// Where in a connection's requests the scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Empty lines may come before a request.
    RequestLine,
    Fields,
    /// So many bytes of a body to come.
    Body(u64),
    ChunkSize,
    /// So many bytes of a chunk to come.
    Chunk(u64),
    /// The line end after a chunk's bytes.
    ChunkEnd,
    Trailers,
    /// A line was spoilt; hyper closes.
    Over,
}

/// The state of the scan over one connection.
#[derive(Debug)]
pub(crate) struct Framing {
    at: At,
    line: Line,
    hosts: u8,
    length: Option<Length>,
}

/// How long a body says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Bytes(u64),
    Chunked,
}

/// A line that may come in pieces.
#[derive(Debug)]
struct Line {
    start: [u8; LINE_BYTES],
    length: usize,
    /// The last byte so far.
    last: u8,
    /// Whether a carriage return was followed by something else than the line's end.
    has_bare_return: bool,
}

/// A line with two readings.
#[derive(Debug)]
struct Offence;

impl Default for Framing {
    fn default() -> Self {
        Framing { at: At::RequestLine, line: Line::default(), hosts: 0, length: None }
    }
}

impl Default for Line {
    fn default() -> Self {
        Line { start: [0; LINE_BYTES], length: 0, last: 0, has_bare_return: false }
    }
}

impl Framing {
    /// Whether a head has begun and not ended.
    pub(crate) fn is_within_head(&self) -> bool {
        self.at == At::Fields || (self.at == At::RequestLine && self.line.length > 0)
    }

    /// Looks at the next bytes, which may come in any pieces, and spoils the line in which an offence is.
    pub(crate) fn check(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let taken = match &mut self.at {
                At::Over => return,
                At::Body(left) | At::Chunk(left) => {
                    let taken = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    *left -= taken as u64;
                    taken
                }
                _ => self.read_line(bytes),
            };
            self.at = match self.at {
                At::Body(0) => At::RequestLine,
                At::Chunk(0) => At::ChunkEnd,
                at => at,
            };
            bytes = bytes.get_mut(taken..).unwrap_or_default();
        }
    }

    /// Reads up to the line's end, or all there is.
    fn read_line(&mut self, bytes: &mut [u8]) -> usize {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(bytes.len(), |end| end + 1);
        let part = bytes.get_mut(..taken).unwrap_or_default();
        self.line.extend(part.strip_suffix(b"\n").unwrap_or(part));
        let outcome = if end.is_some() { self.end_line() } else { self.within_bounds() };
        if outcome.is_err() {
            part.fill(0);
            self.at = At::Over;
        }
        taken
    }

    /// A chunk's line is bounded here, because hyper waits for its end as long as it comes.
    fn within_bounds(&self) -> Result<(), Offence> {
        let is_chunk = matches!(self.at, At::ChunkSize | At::ChunkEnd);
        if is_chunk && self.line.length > CHUNK_LINE_BYTES { Err(Offence) } else { Ok(()) }
    }

    fn end_line(&mut self) -> Result<(), Offence> {
        let line = std::mem::take(&mut self.line);
        if line.last != b'\r' {
            return Err(Offence);
        }
        let is_empty = line.length == 1;
        self.at = match self.at {
            At::RequestLine if is_empty => At::RequestLine,
            At::RequestLine => {
                (self.hosts, self.length) = (0, None);
                At::Fields
            }
            At::Fields if is_empty => self.body(),
            At::Fields => {
                self.field(&line)?;
                At::Fields
            }
            At::ChunkSize => match chunk_size(&line)? {
                0 => At::Trailers,
                size => At::Chunk(size),
            },
            At::ChunkEnd if is_empty => At::ChunkSize,
            At::ChunkEnd => return Err(Offence),
            At::Trailers if is_empty => At::RequestLine,
            at => at,
        };
        Ok(())
    }

    /// What follows the head.
    fn body(&self) -> At {
        match self.length {
            None | Some(Length::Bytes(0)) => At::RequestLine,
            Some(Length::Bytes(bytes)) => At::Body(bytes),
            Some(Length::Chunked) => At::ChunkSize,
        }
    }

    fn field(&mut self, line: &Line) -> Result<(), Offence> {
        if matches!(line.start.first(), Some(b' ' | b'\t')) {
            // A folded line, which some join to the one before and some do not (RFC 9112 §5.2).
            return Err(Offence);
        }
        let Some((name, value)) = line.field() else { return Ok(()) };
        if name.eq_ignore_ascii_case(b"host") {
            self.hosts += 1;
            return if self.hosts > 1 { Err(Offence) } else { Ok(()) };
        }
        let is = |known: &[u8]| name.trim_ascii_end().eq_ignore_ascii_case(known);
        let length = if is(b"content-length") {
            Length::Bytes(decimal(value.ok_or(Offence)?)?)
        } else if is(b"transfer-encoding") {
            let is_chunked = value.ok_or(Offence)?.eq_ignore_ascii_case(b"chunked");
            if !is_chunked {
                return Err(Offence);
            }
            Length::Chunked
        } else {
            return Ok(());
        };
        if self.length.replace(length).is_some() { Err(Offence) } else { Ok(()) }
    }
}

impl Line {
    fn extend(&mut self, part: &[u8]) {
        let start = self.start.get_mut(self.length..).unwrap_or_default();
        start.iter_mut().zip(part).for_each(|(place, byte)| *place = *byte);
        let (inner, last) = part.split_last().map_or((part, None), |(last, inner)| (inner, Some(*last)));
        self.has_bare_return |= (self.last == b'\r' && last.is_some()) || inner.contains(&b'\r');
        self.length += part.len();
        self.last = last.unwrap_or(self.last);
    }

    /// Name and value, trimmed; the value is missing if the line is longer than what is kept.
    fn field(&self) -> Option<(&[u8], Option<&[u8]>)> {
        let start = self.start.get(..self.length).unwrap_or(&self.start);
        let colon = start.iter().position(|byte| *byte == b':')?;
        let (name, value) = start.split_at(colon);
        let is_whole = self.length <= LINE_BYTES;
        Some((name, is_whole.then(|| value.get(1..).unwrap_or_default().trim_ascii())))
    }
}

/// A length is digits and nothing else; twenty of them may overflow.
fn decimal(value: &[u8]) -> Result<u64, Offence> {
    let is_plain = (1..20).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| is_plain);
    text.and_then(|text| text.parse().ok()).ok_or(Offence)
}

fn chunk_size(line: &Line) -> Result<u64, Offence> {
    let start = line.start.get(..line.length).unwrap_or(&line.start);
    let digits = start.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, rest) = start.split_at(digits);
    let is_plain = (1..=CHUNK_DIGITS).contains(&digits.len())
        && matches!(rest.first(), Some(b'\r' | b';'))
        && !line.has_bare_return
        && line.length <= CHUNK_LINE_BYTES;
    let text = std::str::from_utf8(digits).ok().filter(|_| is_plain);
    text.and_then(|text| u64::from_str_radix(text, 16).ok()).ok_or(Offence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn is_clean(bytes: &str, piece: usize) -> bool {
        let mut framing = Framing::default();
        let mut bytes = bytes.as_bytes().to_vec();
        for piece in bytes.chunks_mut(piece) {
            framing.check(piece);
        }
        !bytes.contains(&0)
    }

    const FIRST: &str = "POST /order/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\n:\n";
    const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[test]
    fn w36_heads_with_two_readings_are_spoiled() {
        for (head, clean) in [
            ("POST /order/ HTTP/1.1\r\nHost: a:1\r\nContent-Length: 2\r\n\r\n\n\n", true),
            ("\r\nGET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", true),
            ("GET /content-length: HTTP/1.1\r\nX: content-length: 1\r\nContent-Length: 0\r\n\r\n", true),
            ("POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", false),
            ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nContent-Length: +2\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nContent-Length: 2, 2\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\nContent-Length: 1\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", false),
            ("POST / HTTP/1.1\nHost: a\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nHost: a\n\r\n", false),
            ("POST / HTTP/1.1\r\nHost: a\r\n\n", false),
        ] {
            for piece in [1, 7, 4096] {
                assert_eq!(is_clean(head, piece), clean, "{head:?} in pieces of {piece}");
                let second = format!("{FIRST}{head}");
                assert_eq!(is_clean(&second, piece), clean, "{second:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn w36_chunks_have_plain_sizes_and_what_follows_them_is_looked_at_too() {
        let two_lengths = "GET / HTTP/1.1\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (body, clean) in [
            ("3\r\n\n\n\n\r\n0\r\n\r\n", true),
            ("00000003;name=value\r\nabc\r\n0\r\nX: y\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
            ("FFFFFFFFFFFFFFFF\r\n", false),
            ("FFFFFFFFF\r\n", false),
            ("+3\r\nabc\r\n0\r\n\r\n", false),
            ("0x3\r\nabc\r\n0\r\n\r\n", false),
            (" 3\r\nabc\r\n0\r\n\r\n", false),
            ("3\nabc\r\n0\r\n\r\n", false),
            ("3;a\rb\r\nabc\r\n0\r\n\r\n", false),
            ("3\r\nabcd\r\n0\r\n\r\n", false),
            ("3\r\nabc\n0\r\n\r\n", false),
            ("0\r\nX: y\n\r\n", false),
            (&format!("3\r\nabc\r\n0\r\n\r\n{two_lengths}"), false),
            (&format!("3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(2000)), false),
        ] {
            let bytes = format!("{CHUNKED}{body}");
            for piece in [1, 7, 4096] {
                assert_eq!(is_clean(&bytes, piece), clean, "{bytes:?} in pieces of {piece}");
            }
        }
    }

    /// Mostly what requests are made of, now and then something else.
    fn line() -> impl Strategy<Value = String> {
        let start = prop_oneof![
            2 => Just("Content-Length: 2".to_owned()),
            2 => Just("transfer-encoding: chunked".to_owned()),
            2 => Just("Host: a".to_owned()),
            2 => Just(String::new()),
            1 => Just("GET / HTTP/1.1".to_owned()),
            1 => "[0-3]",
            3 => "[a-z:-]{0,20}",
        ];
        let end = prop_oneof![12 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\r"), 1 => Just("")];
        (start, end).prop_map(|(start, end)| start + end)
    }

    proptest! {
        #[test]
        fn w36_pieces_do_not_matter(lines in vec(line(), 0..16), piece in 1_usize..40) {
            let bytes = lines.concat();
            prop_assert_eq!(is_clean(&bytes, piece), is_clean(&bytes, usize::MAX), "{:?}", bytes);
        }
    }
}
