//! What `sealing/` promises: vectors, whole Secrets, keys, templates, and the rules that keep secrets secret.
//! Needs no cluster.

mod data;
#[path = "../dice.rs"]
mod dice;
mod errors;
#[path = "../errors/golden.rs"]
mod golden_errors;
mod hygiene;
mod keys;
mod secrets;
mod templates;
mod vectors;
