//! In place of the signer, in a worker that is built without the feature `signed-confirmation`: nobody who could sign.

use http::Request;
use jiff::Timestamp;

/// There is none.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signer {}

impl Signer {
    pub(crate) async fn sign<B>(&self, _: &mut Request<B>, _: &str, _: &str, _: Timestamp) -> Result<(), &'static str> {
        match *self {}
    }
}
