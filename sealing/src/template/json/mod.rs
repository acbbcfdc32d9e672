//! JSON as Go's encoding/json writes and reads it.
//! Quotes nothing in errors but types and offsets.

mod read;
mod write;

pub(super) use read::read;
pub(super) use write::{Style, write};
