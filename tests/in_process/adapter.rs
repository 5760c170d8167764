//! The real SDK against the local cloud without a socket: the cloud's service stands where the HTTP client would.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, Full};
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::wire::{self, CloudService};
use tokio::sync::Semaphore;
use tower::ServiceExt;

/// An HTTP client that reaches nothing but `cloud`.
pub fn http_client(cloud: &Arc<Cloud>) -> SharedHttpClient {
    SharedHttpClient::new(InProcess { service: wire::service(Arc::clone(cloud)), gate: None })
}

/// As [`http_client`], with a permit of `gate` for each call, which is then gone.
pub fn gated_client(cloud: &Arc<Cloud>, gate: &Arc<Semaphore>) -> SharedHttpClient {
    SharedHttpClient::new(InProcess { service: wire::service(Arc::clone(cloud)), gate: Some(Arc::clone(gate)) })
}

#[derive(Clone)]
struct InProcess {
    service: CloudService,
    gate: Option<Arc<Semaphore>>,
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { service, gate } = self.clone();
        HttpConnectorFuture::new(async move {
            if let Some(gate) = gate {
                gate.acquire().await.map_err(|error| ConnectorError::other(error.into(), None))?.forget();
            }
            answer(service, request).await
        })
    }
}

async fn answer(service: CloudService, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
    // A dropped call or reply looks to the SDK as it would on the wire: the connection broke.
    let response = service
        .oneshot(http::Request::from_parts(parts, Full::new(body)))
        .await
        .map_err(|error| ConnectorError::io(error.into()))?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| ConnectorError::io(error.into()))?.to_bytes();
    let response = http::Response::from_parts(parts, SdkBody::from(body));
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}
