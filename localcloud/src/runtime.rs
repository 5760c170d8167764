//! Runtimes carry out effects: `process` for real, `model` only in the books.
