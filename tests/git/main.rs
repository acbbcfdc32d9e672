//! Mirrors against the real git: over `file://`, over HTTP from `git http-backend`, and over ssh from the real `sshd`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod addresses;
mod bench;
#[path = "../testbed/harness/eventually.rs"]
mod eventually;
mod faults;
#[path = "../testbed/harness/forward_proxy.rs"]
mod forward_proxy;
mod github_app;
mod history;
#[path = "../testbed/harness/http_server.rs"]
mod http_server;
mod keys;
mod logins;
#[path = "../testbed/harness/openpgp.rs"]
mod openpgp;
#[path = "../testbed/harness/relay.rs"]
mod relay;
mod repository;
mod revisions;
mod server;
mod sharing;
mod ssh;
mod sshd;
mod submodules;
mod tls;
