//! The least that an HTTP server in Rust does with a body: read it and send it back. And the least with a call in between, as an
//! order needs one.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// Whom to call for each request, if anybody.
type Call = Option<(Client<HttpConnector, Full<Bytes>>, Uri)>;

/// Serves on `port` of loopback, and calls `upstream`, on one thread as the worker does on one core.
pub fn run(port: u16, upstream: Option<u16>) {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let call: Call = upstream.map(|port| {
            let client = Client::builder(TokioExecutor::new()).build_http();
            (client, format!("http://127.0.0.1:{port}/receiving/").parse().unwrap())
        });
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let call = call.clone();
            let service = service_fn(move |request| answer(request, call.clone()));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
}

async fn answer(request: Request<Incoming>, call: Call) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = read(request.into_body()).await;
    if let Some((client, uri)) = call {
        let order = Full::new(Bytes::from_static(b"{\"iridium\":1,\"magnesite\":1}"));
        read(client.request(Request::post(uri).body(order).unwrap()).await.unwrap().into_body()).await;
    }
    Ok(Response::new(Full::new(body)))
}

async fn read(body: impl Body<Data = Bytes>) -> Bytes {
    body.collect().await.map(Collected::to_bytes).unwrap_or_default()
}
