//! Application → cluster: what one Application wants, what the cluster has, and the steps between them.
//! It renders nothing and opens no SealedSecret itself: `render/` and `unseal/` do.

pub mod compare;
mod consumers;
pub mod desired;
pub mod digest;
mod exclusions;
pub mod health;
pub mod key;
pub mod kinds;
mod normalise;
pub mod operation;
mod order;
pub mod outcome;
pub mod ownership;
pub mod plan;
mod pods;
pub mod report;
pub mod world;
