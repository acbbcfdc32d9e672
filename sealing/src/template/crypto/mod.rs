//! Template functions that need cryptography.
//! The only folder of the templates that touches a cryptographic library.

mod aes;
mod certificates;
mod der;
mod dsa;
mod keys;
mod passwords;
mod rendering;
mod sums;

pub use rendering::Rendering;

use super::functions::{CallError, Function, failed};

pub(super) const FUNCTIONS: &[&[Function]] = &[
    aes::FUNCTIONS,
    certificates::FUNCTIONS,
    keys::FUNCTIONS,
    passwords::FUNCTIONS,
    sums::FUNCTIONS,
];

/// What a slow function costs of a rendering's budget: some sixty calls in all.
const SLOW_WORK: usize = 1 << 20;

/// What making an RSA key costs: some eight in all.
const KEY_WORK: usize = 8 << 20;

/// What a library refuses for reasons of its own.
const REFUSED: CallError = failed("the cryptographic library refuses");
