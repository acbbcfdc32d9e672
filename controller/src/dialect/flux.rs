//! What objects say to Flux and we honour too, as labels or as annotations.
//! It must not read an object beyond them.

use serde_json::Value;

use super::object::field;
use super::refusal::Refusal;
use super::sync_options::ApplyMode;

/// Of an object: `disabled` leaves what looks like variables in it alone.
const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
/// Of an object: `disabled` keeps it when it leaves the repository, or its owner is deleted.
const PRUNE: &str = "kustomize.toolkit.fluxcd.io/prune";
/// Of an object: `enabled` makes it anew where it can't be changed in place.
const FORCE: &str = "kustomize.toolkit.fluxcd.io/force";
/// Of an object: how it is written.
const SSA: &str = "kustomize.toolkit.fluxcd.io/ssa";
/// Of an object: `disabled` leaves it out, as `ssa: Ignore` does.
const RECONCILE: &str = "kustomize.toolkit.fluxcd.io/reconcile";
const DISABLED: &str = "disabled";
const ENABLED: &str = "enabled";

/// Whether no variable is substituted in the object.
pub(crate) fn keeps_variables(object: &Value) -> bool {
    says(&object["metadata"], SUBSTITUTE, DISABLED)
}

/// Finds what is refused among them.
pub(super) fn check(metadata: &Value, refusals: &mut Vec<Refusal>) {
    if says(metadata, RECONCILE, DISABLED) {
        let field = format!("{}: {DISABLED}", field(RECONCILE));
        refusals.push(Refusal::not_supported(field));
    }
    refusals.extend(mode(metadata).err());
}

/// How the object is written, where it says so.
pub(super) fn mode(metadata: &Value) -> Result<Option<ApplyMode>, Refusal> {
    let Some(text) = written(metadata, SSA).next() else {
        return Ok(None);
    };
    match text.to_ascii_lowercase().as_str() {
        "override" => Ok(Some(ApplyMode::Apply)),
        "merge" => Ok(Some(ApplyMode::Merge)),
        "ifnotpresent" => Ok(Some(ApplyMode::IfNotPresent)),
        "ignore" => Err(Refusal::not_supported(format!("{}: {text}", field(SSA)))),
        _ => Err(Refusal::invalid(
            field(SSA),
            format!("found \"{text}\", expected Override, Merge or IfNotPresent"),
        )),
    }
}

/// Whether the object outlives its Application.
pub(super) fn keeps(metadata: &Value) -> bool {
    says(metadata, PRUNE, DISABLED)
}

/// Whether the object is made anew where it can't be changed in place.
pub(super) fn forces(metadata: &Value) -> bool {
    says(metadata, FORCE, ENABLED)
}

/// Flux reads these words in any case.
fn says(metadata: &Value, key: &str, word: &str) -> bool {
    written(metadata, key).any(|text| text.eq_ignore_ascii_case(word))
}

fn written<'a>(metadata: &'a Value, key: &'a str) -> impl Iterator<Item = &'a str> {
    let of = ["annotations", "labels"].into_iter();
    of.filter_map(move |of| metadata.get(of)?.get(key)?.as_str())
}
