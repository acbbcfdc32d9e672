//! The request in an Application's `.operation`: which fields are accepted, and what it asks for.
//! It must not start anything.

use crds::{ApplicationSource, ApplicationSpec, Operation, SyncOperation, SyncResource};
use serde_json::Value;

use super::{application::SPEC, ignore, options, source, spec};
use crate::dialect::operation::{OperationRequest, RequestedObject, applies_without_hooks};
use crate::dialect::refusal::Refusal;
use crate::dialect::sync_options::SyncOptions;
use crate::dialect::verdict::{Row, Verdict::*, walk};

/// Every field of `operation`.
pub const OPERATION: &[Row] = &[
    ("operation.initiatedBy.username", Honoured),
    ("operation.initiatedBy.automated", Honoured),
    (
        "operation.info",
        Harmless("it is for people, and no status repeats it"),
    ),
    ("operation.retry.limit", Honoured),
    ("operation.retry.backoff.duration", Honoured),
    ("operation.retry.backoff.factor", Honoured),
    ("operation.retry.backoff.maxDuration", Honoured),
    ("operation.retry.refresh", Honoured),
    ("operation.sync.revision", Honoured),
    ("operation.sync.prune", Honoured),
    ("operation.sync.syncOptions", Honoured),
    ("operation.sync.syncStrategy.hook.force", Honoured),
    ("operation.sync.syncStrategy.apply.force", Honoured),
    (
        "operation.sync.autoHealAttemptsCount",
        Harmless("it is Argo CD's own memory of how often it healed"),
    ),
    ("operation.sync.dryRun", Honoured),
    ("operation.sync.resources[].group", Honoured),
    ("operation.sync.resources[].kind", Honoured),
    ("operation.sync.resources[].name", Honoured),
    ("operation.sync.resources[].namespace", Honoured),
    ("operation.sync.revisions", Honoured),
    // The sources of the spec alone, which change nothing. A rollback names those that it is about.
    ("operation.sync.source", Like("spec.source")),
    ("operation.sync.sources[]", Like("spec.source")),
    (
        "operation.sync.manifests",
        Never("objects come from Git alone"),
    ),
];

/// What the request asks for, or everything in it that is refused. Request and spec are redacted; what is `written` is not.
pub(in crate::dialect) fn request(
    operation: &Operation,
    written: &Operation,
    of: &ApplicationSpec,
) -> Result<OperationRequest, Vec<Refusal>> {
    let mut refusals = Vec::new();
    check_fields(written, &mut refusals);
    check(operation, of, &mut refusals);
    let Some(sync) = &operation.sync else {
        refusals.push(Refusal::invalid(
            "operation",
            "found no request, expected sync",
        ));
        return Err(refusals);
    };
    // A request stays at the commit it began with, unless it says otherwise.
    let retry = spec::retry("operation.retry", operation.retry.as_ref(), false);
    match (revisions(sync, of), retry) {
        (Ok(revisions), Ok(retry)) if refusals.is_empty() => Ok(OperationRequest {
            revisions,
            only: sync.resources.iter().map(object).collect(),
            prune: sync.prune,
            dry_run: sync.dry_run,
            runs_hooks: !applies_without_hooks(sync),
            options: options(operation),
            retry,
            initiated_by: operation.initiated_by.clone().unwrap_or_default(),
        }),
        (revisions, retry) => {
            refusals.extend(revisions.err());
            refusals.extend(retry.err());
            Err(refusals)
        }
    }
}

fn object(object: &SyncResource) -> RequestedObject {
    RequestedObject {
        group: object.group.clone(),
        kind: object.kind.clone(),
        name: object.name.clone(),
        namespace: Some(object.namespace.clone()).filter(|namespace| !namespace.is_empty()),
    }
}

/// What its options ask for, and `force` of its strategy, which is one of them spelled otherwise.
pub(in crate::dialect) fn options(operation: &Operation) -> SyncOptions {
    let sync = operation.sync.iter();
    let list = sync.flat_map(|sync| &sync.sync_options).map(String::as_str);
    let mut options = options::ask(|| list.clone());
    let strategy = operation
        .sync
        .as_ref()
        .and_then(|sync| sync.sync_strategy.as_ref());
    let strategies = strategy
        .into_iter()
        .flat_map(|strategy| [&strategy.apply, &strategy.hook]);
    options.defaults.apply.force |= strategies.flatten().any(|strategy| strategy.force);
    options
}

/// `revision` is for one source, `revisions` for several: one for each of them.
fn revisions(sync: &SyncOperation, of: &ApplicationSpec) -> Result<Option<Vec<String>>, Refusal> {
    let several = of.sources.len();
    match (sync.revision.as_str(), sync.revisions.len()) {
        ("", 0) => Ok(None),
        (revision, 0) if several == 0 => {
            let revision = source::revision("operation.sync.revision", revision)?;
            Ok(Some(vec![revision]))
        }
        (revision, 0) => Err(Refusal::invalid(
            "operation.sync.revision",
            format!("found \"{revision}\", expected revisions, one for each of {several} sources"),
        )),
        (_, given) if several == 0 => Err(Refusal::invalid(
            "operation.sync.revisions",
            format!("found {given}, expected revision, since there is one source"),
        )),
        (_, given) if given != several => Err(Refusal::invalid(
            "operation.sync.revisions",
            format!("found {given}, expected one for each of {several} sources"),
        )),
        _ => (0..)
            .zip(&sync.revisions)
            .map(|(index, revision): (usize, _)| {
                source::revision(&format!("operation.sync.revisions[{index}]"), revision)
            })
            .collect::<Result<_, _>>()
            .map(Some),
    }
}

fn check_fields(written: &Operation, refusals: &mut Vec<Refusal>) {
    let value = serde_json::to_value(written).unwrap_or(Value::Null);
    walk(&[OPERATION, SPEC].concat(), "operation", &value, refusals);
}

fn check(operation: &Operation, of: &ApplicationSpec, refusals: &mut Vec<Refusal>) {
    let Some(sync) = &operation.sync else {
        return;
    };
    let list = sync.sync_options.iter().map(String::as_str);
    options::check(
        options::APPLICATION_SYNC_OPTIONS,
        "operation.sync.syncOptions",
        list,
        refusals,
    );
    refusals.extend(ignore::respects_otherwise(sync, of));
    let none = ApplicationSource::default();
    if let Some(asked) = &sync.source {
        let own = of.source.as_ref().unwrap_or(&none);
        refusals.extend(another("operation.sync.source", sync, asked, own));
    }
    if !sync.sources.is_empty() && sync.sources.len() != of.sources.len() {
        refusals.push(elsewhere("operation.sync.sources"));
        return;
    }
    for (index, (asked, own)) in sync.sources.iter().zip(&of.sources).enumerate() {
        let field = format!("operation.sync.sources[{index}]");
        refusals.extend(another(&field, sync, asked, own));
    }
}

/// A source that is not the spec's. Which revision it follows does not matter where the request names revisions itself.
fn another(
    field: &str,
    sync: &SyncOperation,
    asked: &ApplicationSource,
    own: &ApplicationSource,
) -> Option<Refusal> {
    let [asked, own] = [asked, own].map(|source| {
        let mut source = source.clone();
        if !sync.revision.is_empty() || !sync.revisions.is_empty() {
            source.target_revision.clear();
        }
        serde_json::to_value(source).unwrap_or(Value::Null)
    });
    let place = differing("spec.source", &asked, &own)?;
    Some(elsewhere(&format!("{field}{place}")))
}

fn elsewhere(field: &str) -> Refusal {
    let message =
        "it is not as in the spec, and a sync is of the spec's sources alone: change the spec";
    Refusal::invalid(field, message)
}

/// The first of the fields in the list of all that differs, as the end of a path; `row` is where the values stand there.
fn differing(row: &str, asked: &Value, own: &Value) -> Option<String> {
    let is_a_field = SPEC.iter().any(|(name, _)| *name == row);
    match (asked, own) {
        (asked, own) if asked == own => None,
        (Value::Object(fields), Value::Object(others)) if !is_a_field => {
            let mut names = fields.keys().chain(others.keys());
            names.find_map(|name| {
                let place = differing(&format!("{row}.{name}"), &asked[name], &own[name])?;
                Some(format!(".{name}{place}"))
            })
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            let mut pairs = (0..).zip(items.iter().zip(others));
            pairs.find_map(|(index, (asked, own)): (usize, _)| {
                let place = differing(&format!("{row}[]"), asked, own)?;
                Some(format!("[{index}]{place}"))
            })
        }
        _ => Some(String::new()),
    }
}
