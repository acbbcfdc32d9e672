//! Our own annotations on Applications: what they say beyond Argo CD's fields.
//! It must not change what an Application without them does.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::object::field;
use super::refusal::Refusal;

/// On an Application: `empty` lets the template function `lookup` of its charts find nothing, as Argo CD does, instead of
/// failing the render.
pub const HELM_LOOKUP: &str = "signet.dev/helm-lookup";
const EMPTY: &str = "empty";

/// Whether `lookup` finds nothing.
pub(super) fn empty_lookup(metadata: &ObjectMeta) -> Result<bool, Refusal> {
    let annotations = metadata.annotations.as_ref();
    match annotations.and_then(|annotations| annotations.get(HELM_LOOKUP)) {
        None => Ok(false),
        Some(value) if value == EMPTY => Ok(true),
        Some(value) => Err(Refusal::invalid(
            field(HELM_LOOKUP),
            format!("found \"{value}\", expected {EMPTY}"),
        )),
    }
}
