//! `POST /receiving/`: a fulfilled order is reported here, and takes effect exactly once per `Idempotency-Key`.
//!
//! The key is the order's identity, whichever API key reports it. A report without one is an order of its own. After the
//! IETF's draft on the Idempotency-Key header: same key and same body get the first answer, another body gets 422, a
//! key in flight gets 409.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api_key::{KeyId, sha256};
use crate::clock;
use crate::refusal::Refusal;
use crate::server::MAX_BODY_BYTES;
use crate::service::Shared;
use crate::store::{Fulfilment, Recorded};

const API_KEY: &str = "x-api-key";
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const REPLAYED: &str = "idempotency-replayed";
const MAX_KEY_LENGTH: usize = 255;

/// What was fulfilled: at least one unit of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resources {
    #[serde(default, skip_serializing_if = "is_zero")]
    iridium: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    magnesite: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// What the first report of an order is answered, and every repetition of it.
#[derive(Serialize)]
struct Answer<'a> {
    status: &'static str,
    order: &'a str,
    fulfilled: &'a Resources,
}

/// The handler. Whose key it is comes first: a stranger's body is not read.
pub(crate) async fn receive(State(hq): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Some(api_key) = authenticate(&hq, &head.headers) else {
        return refuse(&hq, None, Refusal::Forbidden);
    };
    match report(&hq, &api_key, &head.headers, body).await {
        Ok(answer) => answer,
        Err(refusal) => refuse(&hq, Some(&api_key), refusal),
    }
}

fn authenticate(hq: &Shared, headers: &HeaderMap) -> Option<KeyId> {
    hq.keys.identify(headers.get(API_KEY)?.to_str().ok()?, clock::now())
}

fn refuse(hq: &Shared, api_key: Option<&KeyId>, refusal: Refusal) -> Response {
    if refusal.is_final() {
        hq.rejections.add(api_key);
    }
    refusal.into_response()
}

async fn report(hq: &Shared, api_key: &KeyId, headers: &HeaderMap, body: Body) -> Result<Response, Refusal> {
    let key = idempotency_key(headers)?;
    let body = to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| Refusal::TooLarge)?;
    let resources = parse(&body)?;
    let _claim = key.map(|key| hq.in_flight.claim(key).ok_or(Refusal::InFlight)).transpose()?;
    #[cfg(feature = "faults")]
    if let Some(answer) = hq.faults.strike(crate::faults::When::Before).await {
        return Ok(answer);
    }
    let recorded = hq.store.fulfil(fulfilment(key, &resources, api_key)).await?;
    #[cfg(feature = "faults")]
    if let Some(answer) = hq.faults.strike(crate::faults::When::After).await {
        return Ok(answer);
    }
    match recorded {
        Recorded::First(answer) => Ok(json(answer)),
        Recorded::Repeated(answer) => {
            let mut response = json(answer);
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            Ok(response)
        }
        Recorded::KeyReused => Err(Refusal::KeyReused),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    let good = (1..=MAX_KEY_LENGTH).contains(&key.len()) && values.next().is_none();
    let refusal =
        || Refusal::BadRequest(format!("give one Idempotency-Key of 1 to {MAX_KEY_LENGTH} visible characters"));
    if good { Ok(Some(key)) } else { Err(refusal()) }
}

fn parse(body: &Bytes) -> Result<Resources, Refusal> {
    const EXPECTED: &str = "send what was fulfilled, such as {\"iridium\": 1, \"magnesite\": 1}";
    let resources: Resources =
        serde_json::from_slice(body).map_err(|error| Refusal::BadRequest(format!("{error}; {EXPECTED}")))?;
    let nothing = resources.iridium == 0 && resources.magnesite == 0;
    if nothing { Err(Refusal::BadRequest(format!("nothing was fulfilled; {EXPECTED}"))) } else { Ok(resources) }
}

/// The fingerprint is that of the parsed body, so that the order of its fields and white space make no other body.
fn fulfilment(key: Option<&str>, resources: &Resources, api_key: &KeyId) -> Fulfilment {
    let order_id = key.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
    let body = format!("{{\"iridium\":{},\"magnesite\":{}}}", resources.iridium, resources.magnesite);
    let answer = Answer { status: "fulfilled", order: &order_id, fulfilled: resources };
    Fulfilment {
        fingerprint: key.map(|_| sha256(body.as_bytes())),
        api_key_id: api_key.clone(),
        body,
        received_at: clock::now(),
        answer: serde_json::json!(answer).to_string(),
        order_id,
    }
}

fn json(text: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_was_fulfilled() {
        let good = parse(&Bytes::from_static(b"{\"magnesite\": 2, \"iridium\": 1}")).unwrap();
        assert_eq!(good, Resources { iridium: 1, magnesite: 2 });
        for bad in
            ["", "[]", "{}", "{\"iridium\": 0}", "{\"iridium\": -1}", "{\"gold\": 1}", "{\"iridium\": 1} trailing"]
        {
            assert!(parse(&Bytes::copy_from_slice(bad.as_bytes())).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn the_fingerprint_is_that_of_the_content() {
        let fingerprint = |text: &'static str| {
            let resources = parse(&Bytes::from_static(text.as_bytes())).unwrap();
            fulfilment(Some("key"), &resources, &KeyId(String::new())).fingerprint
        };
        assert_eq!(fingerprint("{\"iridium\":1,\"magnesite\":1}"), fingerprint("{ \"magnesite\": 1, \"iridium\": 1 }"));
        assert_ne!(fingerprint("{\"iridium\":1}"), fingerprint("{\"magnesite\":1}"));
    }

    #[test]
    fn an_idempotency_key_is_one_short_visible_text() {
        let with = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value).unwrap());
            }
            idempotency_key(&headers).map(|key| key.map(str::to_owned)).map_err(|refusal| refusal.to_string())
        };
        assert_eq!(with(&[]), Ok(None));
        assert_eq!(with(&[b"order-1"]), Ok(Some("order-1".to_owned())));
        for bad in [&[b"".as_slice()] as &[&[u8]], &[&[b'x'; 256]], &[b"a", b"a"], &[b"\xff"]] {
            assert!(with(bad).is_err());
        }
    }
}
