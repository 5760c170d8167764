//! The wire: bytes in, calls out.
