//! The wire layer by its bytes: protocols, routing, faults and the journal, without a client that was written for it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "wire/cloudwatch.rs"]
mod cloudwatch;
#[path = "wire/faults.rs"]
mod faults;
#[path = "wire/protocols.rs"]
mod protocols;
#[path = "wire/socket.rs"]
mod socket;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use interstella_localcloud::clock::{Clock, CloudTime};
use interstella_localcloud::cloud::{Cloud, Runtime};
use interstella_localcloud::effect::{Effect, Report};
use interstella_localcloud::images::Images;
use interstella_localcloud::wire;
use interstella_localcloud::world::World;
use tower::ServiceExt;

/// Carries out nothing.
struct Nothing;

impl Runtime for Nothing {
    fn apply(&self, _: &Arc<Cloud>, _: Effect) -> Vec<(Duration, Report)> {
        Vec::new()
    }
}

fn cloud() -> Arc<Cloud> {
    let world = World::new("us-west-2", 1, Images::default());
    Cloud::new(world, Clock::stepped(CloudTime::from_millis(1_800_000_000_000)), Box::new(Nothing))
}

fn authorization(region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=any/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=00"
    )
}

/// A signed awsQuery request.
fn query(service: &str, form: &str) -> Request<Full<Bytes>> {
    Request::post("http://localhost/")
        .header("authorization", authorization("us-west-2", service))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from(form.to_owned()))
        .unwrap()
}

/// A signed awsJson request.
fn json(service: &str, target: &str, body: &str) -> Request<Full<Bytes>> {
    Request::post("http://localhost/")
        .header("authorization", authorization("us-west-2", service))
        .header("x-amz-target", target)
        .body(Full::from(body.to_owned()))
        .unwrap()
}

/// Status and body of the answer, or the error as which a broken connection shows.
async fn send(cloud: &Arc<Cloud>, request: Request<Full<Bytes>>) -> std::io::Result<(u16, String)> {
    let response = wire::service(Arc::clone(cloud)).oneshot(request).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Ok((status, String::from_utf8(body.to_vec()).unwrap()))
}

async fn answer(cloud: &Arc<Cloud>, request: Request<Full<Bytes>>) -> String {
    let (status, body) = send(cloud, request).await.unwrap();
    format!("{status} {body}")
}
