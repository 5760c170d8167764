//! The URLs that certificates are fetched from: the signing one's beside its topic, and the issuer's in a certificate.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| interstella_worker::fuzzing::certificate_url(bytes));
