//! Application → cluster: what one Application wants, what the cluster has, and the steps between them.
//! It renders nothing and opens no SealedSecret itself: `render/` and `unseal/` do.

pub mod desired;
pub mod key;
pub mod kinds;
pub mod outcome;
pub mod plan;
pub mod report;
pub mod world;
