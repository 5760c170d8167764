//! The least that a server made with axum does with a body: read it and send it back. And the least with a call in between, as
//! an order needs one.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use axum::serve::ListenerExt;
use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpSocket;
use tokio::runtime::Builder;

/// Whom to call for each request, if anybody.
type Call = Option<(Client<HttpConnector, Full<Bytes>>, Uri)>;

/// Serves on `port` of loopback, and calls `upstream`, on one thread as the worker does on one core.
pub fn run(port: u16, upstream: Option<u16>) {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(([127, 0, 0, 1], port).into()).unwrap();
        // As long a queue as the worker's.
        let listener = socket.listen(4096).unwrap().tap_io(|stream| stream.set_nodelay(true).unwrap());
        let call: Call = upstream.map(|port| {
            let client = Client::builder(TokioExecutor::new()).build_http();
            (client, format!("http://127.0.0.1:{port}/receiving/").parse().unwrap())
        });
        let is_up = || async { "Welcome" };
        let routes =
            Router::new().route("/", axum::routing::get(is_up)).route("/order/", post(answer)).with_state(call);
        axum::serve(listener, routes).await.unwrap();
    });
}

async fn answer(State(call): State<Call>, body: Bytes) -> Bytes {
    if let Some((client, uri)) = call {
        let order = Full::new(Bytes::from_static(b"{\"iridium\":1,\"magnesite\":1}"));
        let answer = client.request(Request::post(uri).body(order).unwrap()).await.unwrap();
        answer.into_body().collect().await.unwrap();
    }
    body
}
