//! The wire: bytes in, calls out. Decodes a request by AWS's own service models into an operation and a `Value`, has the
//! cloud answer it through `perform`, and encodes what came of it. No operation is described by hand here, and nothing here
//! knows what an operation means.
//!
//! ```text
//!   request ─ body ─ route ─▶ service, protocol, operation ─ conform, cbor or form ─▶ Value ─ validate ─▶ perform
//!   response ◀─ reply ─ JSON, cbor or xml ◀─ conform ─ Value ◀──────────── (faults, journal, Cloud::call) ──┘
//! ```
//!
//! A service may speak several protocols; the request says which, and is answered in the same.

mod body;
mod cbor;
pub mod conform;
pub mod errors;
mod form;
pub mod model;
mod path;
mod perform;
mod redact;
mod reply;
mod route;
mod serve;
mod service;
pub mod validate;
mod xml;

pub use serve::{Access, serve};
pub use service::{CloudService, service};
