//! Small values as Go's libraries read and write them: flags, manifests, templates and charts are in their spellings.
//! Knows no flag, no YAML and no template.

pub mod boolean;
pub mod duration;
pub mod float;
pub mod integer;
pub mod quote;
pub mod semver;
pub(crate) mod unicode;
