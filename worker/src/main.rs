//! The worker's program: see the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// An order makes and frees some seventy pieces of memory, some of them larger than what the C library has at hand: with this
/// allocator it costs a tenth less.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[expect(clippy::disallowed_methods, reason = "the edge that reads the environment")]
fn main() -> ExitCode {
    interstella_worker::main_with(std::env::args().skip(1), std::env::vars())
}
