//! The controller as a library, so that suites can call its pure parts; `main.rs` only starts it.
//! A room that reconciles has the same four verbs: observe, plan, apply, report.

pub mod access;
pub mod charts;
pub mod context;
pub mod dialect;
mod documents;
pub mod events;
mod field_set;
#[cfg(test)]
#[path = "../../tests/fuzzing/replay.rs"]
mod fuzz_replay;
pub mod git;
mod http_server;
pub mod ignore;
mod in_use;
pub mod keys;
pub mod leadership;
pub mod metrics;
pub mod rate;
mod refusal;
pub mod render;
pub mod repositories;
pub mod restart;
pub mod run;
pub mod sealing_api;
pub mod settings;
pub mod sync;
pub mod unseal;
mod watch_backoff;
mod watch_rest;
pub mod web;
