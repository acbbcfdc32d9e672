//! The vocabulary of Signet: its custom resources as Rust types. No client, no I/O.
