//! A request's body: read within bounds of size and time, and decompressed.

use std::io::Read;
use std::time::Duration;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;

/// Bytes of a request's body, before and after decompression.
const MAX_BODY: usize = 4 << 20;
/// Wall time in which a body has to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

const TOO_LARGE: (StatusCode, &str) = (StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 4 MiB\n");

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body that came with `parts`, decompressed if they say `Content-Encoding: gzip`; otherwise status and text of the refusal.
pub(super) async fn read<B>(parts: &Parts, body: B) -> Result<Bytes, (StatusCode, &'static str)>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let body = match tokio::time::timeout(BODY_DEADLINE, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(TOO_LARGE),
        Ok(Err(_)) => return Err((StatusCode::BAD_REQUEST, "the body broke off\n")),
        Err(_) => return Err((StatusCode::REQUEST_TIMEOUT, "the body did not arrive within 10 s\n")),
    };
    match parts.headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Ok(body),
        Some(b"gzip") => gunzip(&body),
        Some(_) => Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "bodies may be compressed with gzip only\n")),
    }
}

fn gunzip(body: &[u8]) -> Result<Bytes, (StatusCode, &'static str)> {
    let mut plain = Vec::new();
    let most = u64::try_from(MAX_BODY).unwrap_or(u64::MAX).saturating_add(1);
    match MultiGzDecoder::new(body).take(most).read_to_end(&mut plain) {
        Ok(read) if read > MAX_BODY => Err(TOO_LARGE),
        Ok(_) => Ok(Bytes::from(plain)),
        Err(_) => Err((StatusCode::BAD_REQUEST, "the body is not valid gzip\n")),
    }
}
