//! Charts from servers written for it: Helm repositories over HTTP and OCI registries, with all that such servers do wrong.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "charts/bench.rs"]
mod bench;
#[path = "testbed/harness/http_server.rs"]
mod http_server;
#[path = "charts/memory.rs"]
mod memory;
#[path = "charts/packed.rs"]
mod packed;
#[path = "charts/registries.rs"]
mod registries;
#[path = "charts/registry_faults.rs"]
mod registry_faults;
#[path = "charts/repositories.rs"]
mod repositories;
#[path = "charts/repository_faults.rs"]
mod repository_faults;
