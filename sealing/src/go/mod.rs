//! Small values as Go's standard library reads and writes them: flags, manifests and templates are in its spellings.
//! Knows no flag, no YAML and no template.

pub mod boolean;
pub mod duration;
pub mod float;
pub mod integer;
pub mod quote;
pub(crate) mod unicode;
