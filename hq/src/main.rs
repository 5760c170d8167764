//! The binary `hq`. Everything it does is in the library, so that `interstella hq` does the same.

fn main() -> std::process::ExitCode {
    interstella_hq::main_with(std::env::args_os(), std::env::vars_os())
}
