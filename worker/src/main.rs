//! The worker's program: see the library.

use std::process::ExitCode;

#[expect(clippy::disallowed_methods, reason = "the edge that reads the environment")]
fn main() -> ExitCode {
    interstella_worker::main_with(std::env::args().skip(1), std::env::vars())
}
