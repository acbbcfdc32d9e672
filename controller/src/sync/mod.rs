//! Application → cluster: what one Application wants, what the cluster has, and the steps between them.
//! It renders nothing and opens no SealedSecret itself: `render/` and `unseal/` do.
//!
//! `observe/` reads what a pass looks at into a `world`; `desired/` is what Git wants, normalised; `compare/` holds it against
//! live objects, whose health the crate `health` judges and `aggregate` sums up; `plan/` decides; `apply/` executes; `report/` tells; `preview/` is all of it
//! for somebody who asks what would happen, and `redact/` takes values out of what
//! is repeated of an Application. Only `observe/`, `apply/`, `redaction_key`,
//! `status`, `tell`, `queue`, `pushes`, `preview/requests`, `engine` and `run` have effects: all else is pure and proved in `tests/plans`.

mod aggregate;
mod apply;
pub mod compare;
pub mod desired;
mod engine;
pub mod items;
pub mod key;
pub mod kinds;
mod metrics;
mod observe;
pub mod outcome;
pub mod plan;
mod preview;
mod pushes;
mod queue;
pub mod redact;
mod redaction_key;
pub mod report;
pub mod revisions;
mod run;
mod status;
mod tell;
pub mod world;

pub use run::run;
