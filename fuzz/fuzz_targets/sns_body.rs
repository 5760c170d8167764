//! A request's body, as a stranger may send it to the worker.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| interstella_worker::fuzzing::sns_body(bytes));
