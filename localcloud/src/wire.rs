//! The wire: bytes in, calls out. Decodes a request by AWS's own service models into an operation and a `Value`, has the
//! cloud answer it through `perform`, and encodes what came of it. No operation is described by hand here, and nothing here
//! knows what an operation means.
//!
//! ```text
//!   request ─ route ─▶ service, operation ─ conform or form ─▶ Value ─ validate ─▶ perform (faults, journal, Cloud::call)
//!   response ◀─ reply ─ JSON or xml ◀─ conform ─ Value ◀────────────────────────────────────┘
//! ```

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

pub use serve::serve;
pub use service::{CloudService, service};
