//! What stands between a listener of ours and whoever else is on the machine or the network. Every listener of the product
//! accepts through this crate, so that a mend here is one for all of them.
//!
//! ```text
//! accept ─▶ doors (caps, who is sent away) ─▶ socket (a time for each phase) ─▶ framing (one reading of the bytes)
//!        ─▶ hyper ─▶ gate (Host, Origin, Sec-Fetch-Site) ─▶ the service; what changes something asks for the token
//! ```
//!
//! | module | keeps out |
//! |---|---|
//! | [`doors`] | so many connections that nothing is left for health checks or for our own calls |
//! | `socket` | connections that send nothing, or slowly, or do not read |
//! | `framing` | heads and chunks that two parsers read differently |
//! | [`gate`] | pages in a browser on this machine, under any name |
//! | [`token`] | other users of this machine |
//! | [`private`] | links and folders that other users have put where we write |
//! | [`partition`] | texts that are no region in the names of hosts that we call |
//!
//! Decisions are pure functions on values; sockets, files and time stand in `serve`, `socket`, `token` and `private`.

pub mod doors;
mod framing;
pub mod gate;
pub mod partition;
pub mod private;
mod serve;
mod socket;
pub mod token;

pub use doors::Doors;
pub use gate::Gate;
pub use serve::{Arrival, Bounds, Busy, Stage, Watched, listen, serve, serve_until, watched};
pub use socket::{Phase, SharedPhase, Socket};
pub use token::Token;
