//! Application → cluster: what one Application wants, what the cluster has, and the steps between them.
//! It renders nothing and opens no SealedSecret itself: `render/` and `unseal/` do.

mod adoption;
mod applications;
mod apply;
pub mod compare;
mod consumers;
mod definitions;
pub mod desired;
pub mod digest;
mod discovery;
mod engine;
mod exclusions;
mod follow;
pub mod health;
pub mod key;
pub mod kinds;
mod live;
mod memory;
mod metrics;
mod neighbours;
mod normalise;
mod observe;
pub mod operation;
mod order;
pub mod outcome;
pub mod ownership;
pub mod plan;
mod pods;
mod projects;
mod queue;
pub mod report;
mod run;
mod sources;
mod status;
pub mod world;

pub use run::run;
