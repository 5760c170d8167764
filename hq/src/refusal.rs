//! Every way in which hq says no, with its status and its words; `{"message": …}` as the workshop's API Gateway did.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::store::StoreError;

/// A refused request. No refusal had an effect, except perhaps [`Refusal::Unavailable`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Forbidden: send a valid API key as x-api-key; `hq key` issues one")]
    Forbidden,
    #[error("administration is for programs on this machine: not for other hosts or proxies")]
    NotLocal,
    #[error(
        "changing hq takes the token of the user who runs it, as Authorization: Bearer; `hq rate` and `hq key` read it"
    )]
    NoToken,
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    NotFound(String),
    #[error("the body is larger than {} KiB", crate::server::MAX_BODY_BYTES / 1024)]
    TooLarge,
    #[error("a request with this Idempotency-Key is in flight; repeat it later")]
    InFlight,
    #[error("this Idempotency-Key was used with another body; an order keeps its body")]
    KeyReused,
    #[error("the fulfilment cannot be recorded now; repeat it with the same Idempotency-Key")]
    Unavailable(#[from] StoreError),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden | Self::NotLocal => StatusCode::FORBIDDEN,
            Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::InFlight => StatusCode::CONFLICT,
            Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Whether the request was refused for good. What may be repeated later counts as no rejection.
    pub(crate) fn is_final(&self) -> bool {
        !matches!(self, Self::InFlight | Self::Unavailable(_))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Self::Unavailable(cause) = &self {
            tracing::error!("{cause}");
        }
        let message = serde_json::json!({ "message": self.to_string() });
        (self.status(), Json(message)).into_response()
    }
}
