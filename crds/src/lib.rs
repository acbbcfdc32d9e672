//! The vocabulary of Signet: its custom resources as Rust types, decoded leniently and one by one.
//! It must not know a client, do I/O, or spell another tool's annotations.

#![allow(
    rustdoc::bare_urls,
    reason = "what documents a field is what `kubectl explain` shows"
)]

mod app_project;
mod application;
mod decode;
pub mod names;
mod resource;
mod sealed_secret;

pub use app_project::*;
pub use application::*;
pub use decode::{DecodeError, decode, decode_fields, decode_part};
pub use sealed_secret::*;

/// True for a value that Go's `omitempty` would leave out.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
