//! How much one Application may bring along: what is read is held in memory while it is compared.

use serde_json::Value;

use super::RenderError;

/// All manifest files of a source together, as they are and with their aliases written out; Argo CD's default for a
/// directory, so that no source fits there only.
pub(super) const TOTAL_BYTES: usize = 10 * 1024 * 1024;

/// The limit as people write it.
pub(super) fn total() -> String {
    format!("{} MiB", TOTAL_BYTES / (1024 * 1024))
}

/// Refuses more than one source may have, with the file that was too much.
pub(super) fn hold(written: usize, file: &str) -> Result<(), RenderError> {
    if written <= TOTAL_BYTES {
        return Ok(());
    }
    Err(RenderError::Limit {
        what: format!("the size of the manifests up to {file}, with their aliases written out,"),
        limit: total(),
    })
}

/// The least text that a value can be written with: so no file is smaller than its values unless it has aliases.
pub(super) fn written(value: &Value) -> usize {
    1 + match value {
        Value::Null => 0,
        Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(written).sum(),
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| key.len() + 1 + written(value);
            fields.iter().map(field).sum()
        }
    }
}
