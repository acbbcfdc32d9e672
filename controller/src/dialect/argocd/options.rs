//! Sync options and compare options: strings of the form `Key=value`.
//! It must not know where an option was written beyond the table it is looked up in.

use crate::dialect::intent::Cascade;
use crate::dialect::refusal::Refusal;
use crate::dialect::sync_options::{ApplyMode, ApplyPolicy, Consent, ObjectDefaults, SyncOptions};
use crate::dialect::verdict::{Row, Verdict::*, refuse};

const CLOSE_COMPARISON: &str = "objects are always compared by the API server's own rules";
const ALWAYS_SERVER_SIDE: &str = "objects are always applied by server-side apply";
const SERVER_VALIDATES: &str = "only the API server checks objects, and it always does";
const IS_THE_DEFAULT: &str = "it is what happens without it";

/// `spec.syncPolicy.syncOptions` and `operation.sync.syncOptions`.
pub const APPLICATION_SYNC_OPTIONS: &[Row] = &[
    ("CreateNamespace=true", Honoured),
    ("CreateNamespace=false", Honoured),
    ("Prune=true", Honoured),
    ("Prune=false", Honoured),
    ("Prune=confirm", Honoured),
    ("Delete=true", Honoured),
    ("Delete=false", Honoured),
    ("Delete=confirm", Honoured),
    ("PruneLast=true", Honoured),
    ("PruneLast=false", Harmless(IS_THE_DEFAULT)),
    ("PrunePropagationPolicy=foreground", Honoured),
    ("PrunePropagationPolicy=background", Honoured),
    ("PrunePropagationPolicy=orphan", Honoured),
    ("Validate=true", Harmless(SERVER_VALIDATES)),
    ("Validate=false", Harmless(SERVER_VALIDATES)),
    ("ServerSideApply=true", Harmless(ALWAYS_SERVER_SIDE)),
    ("ServerSideApply=false", Harmless(ALWAYS_SERVER_SIDE)),
    ("ClientSideApplyMigration=true", Harmless(IS_THE_DEFAULT)),
    ("ClientSideApplyMigration=false", Honoured),
    ("Replace=true", Honoured),
    ("Replace=false", Harmless(IS_THE_DEFAULT)),
    ("Force=true", Honoured),
    ("Force=false", Harmless(IS_THE_DEFAULT)),
    (
        "ApplyOutOfSyncOnly=true",
        Harmless("only objects that differ are ever applied"),
    ),
    (
        "ApplyOutOfSyncOnly=false",
        Harmless("applying an object that does not differ changes nothing"),
    ),
    ("RespectIgnoreDifferences=true", Harmless(IS_THE_DEFAULT)),
    ("RespectIgnoreDifferences=false", Honoured),
    ("FailOnSharedResource=true", Honoured),
    ("FailOnSharedResource=false", Harmless(IS_THE_DEFAULT)),
    (
        "SkipDryRunOnMissingResource=true",
        Harmless("objects of a kind that is not there yet never stop the others"),
    ),
    (
        "SkipDryRunOnMissingResource=false",
        Harmless("objects of a kind that is not there yet never stop the others"),
    ),
];

/// The annotation `argocd.argoproj.io/sync-options` of an object.
pub const OBJECT_SYNC_OPTIONS: &[Row] = &[
    ("Prune=true", Honoured),
    ("Prune=false", Honoured),
    ("Prune=confirm", Honoured),
    ("Delete=true", Honoured),
    ("Delete=false", Honoured),
    ("Delete=confirm", Honoured),
    ("PruneLast=true", Honoured),
    ("PruneLast=false", Harmless(IS_THE_DEFAULT)),
    ("Validate=true", Harmless(SERVER_VALIDATES)),
    ("Validate=false", Harmless(SERVER_VALIDATES)),
    ("ServerSideApply=true", Harmless(ALWAYS_SERVER_SIDE)),
    ("ServerSideApply=false", Harmless(ALWAYS_SERVER_SIDE)),
    ("ClientSideApplyMigration=true", Harmless(IS_THE_DEFAULT)),
    ("ClientSideApplyMigration=false", Honoured),
    ("Replace=true", Honoured),
    ("Replace=false", Harmless(IS_THE_DEFAULT)),
    ("Force=true", Honoured),
    ("Force=false", Harmless(IS_THE_DEFAULT)),
    (
        "SkipDryRunOnMissingResource=true",
        Harmless("objects of a kind that is not there yet never stop the others"),
    ),
    (
        "SkipDryRunOnMissingResource=false",
        Harmless("objects of a kind that is not there yet never stop the others"),
    ),
];

/// The annotation `argocd.argoproj.io/compare-options`, on Applications and on objects.
pub const COMPARE_OPTIONS: &[Row] = &[
    ("ServerSideDiff=true", Harmless(CLOSE_COMPARISON)),
    ("ServerSideDiff=false", Harmless(CLOSE_COMPARISON)),
    ("IncludeMutationWebhook=true", Honoured),
    ("IncludeMutationWebhook=false", Harmless(IS_THE_DEFAULT)),
    ("IgnoreExtraneous", Honoured),
    ("IgnoreExtraneous=true", Honoured),
    ("IgnoreExtraneous=false", Harmless(IS_THE_DEFAULT)),
];

/// Splits an annotation's list of options at its commas.
pub(super) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|option| !option.is_empty())
}

/// Finds what is refused among `options`, which stand in `field`.
pub(super) fn check<'a>(
    table: &[Row],
    field: &str,
    options: impl IntoIterator<Item = &'a str>,
    refusals: &mut Vec<Refusal>,
) {
    for option in options {
        let option = option.trim();
        refusals.extend(refuse(table, option, format!("{field}: {option}")));
    }
}

/// Whether every option `key` among `options` allows what it speaks of; `None` without such an option.
/// A value that is not understood does not allow it.
pub(super) fn allows<'a>(options: impl IntoIterator<Item = &'a str>, key: &str) -> Option<bool> {
    let value = |option: &'a str| option.trim().strip_prefix(key)?.strip_prefix('=');
    let allows = options
        .into_iter()
        .filter_map(value)
        .map(|value| value == "true");
    allows.reduce(|all, one| all && one)
}

/// What every option `key` among `options` consents to together; `None` without such an option. A value that is not understood
/// consents to nothing.
pub(super) fn consents<'a>(
    options: impl IntoIterator<Item = &'a str>,
    key: &str,
) -> Option<Consent> {
    let value = |option: &'a str| option.trim().strip_prefix(key)?.strip_prefix('=');
    let consents = options.into_iter().filter_map(value);
    let consents = consents.map(|value| match value {
        "true" => Consent::Yes,
        "confirm" => Consent::Ask,
        _ => Consent::No,
    });
    consents.max()
}

/// Whether the last option `key` among `options` asks for what it speaks of, which its bare name does too; `None` without
/// such an option.
pub(super) fn asks<'a>(options: impl IntoIterator<Item = &'a str>, key: &str) -> Option<bool> {
    let asks = |option: &'a str| match option.trim().strip_prefix(key)? {
        "" | "=true" => Some(true),
        rest => rest.starts_with('=').then_some(false),
    };
    options.into_iter().filter_map(asks).last()
}

/// What sync options ask for together.
pub(super) fn ask<'a, I: Iterator<Item = &'a str>>(options: impl Fn() -> I) -> SyncOptions {
    let is = |key: &str| allows(options(), key) == Some(true);
    let replaces = is("Replace").then_some(ApplyMode::Replace);
    let takes_over = allows(options(), "ClientSideApplyMigration").unwrap_or(true);
    let keeps = (!takes_over).then_some(ApplyMode::Merge);
    SyncOptions {
        create_namespace: is("CreateNamespace"),
        fail_on_shared_resource: is("FailOnSharedResource"),
        propagation: options().filter_map(propagation).last(),
        defaults: ObjectDefaults {
            prune: consents(options(), "Prune"),
            delete: consents(options(), "Delete"),
            prune_last: is("PruneLast"),
            apply: ApplyPolicy {
                mode: keeps.or(replaces).unwrap_or_default(),
                force: is("Force"),
            },
            ..ObjectDefaults::default()
        },
    }
}

fn propagation(option: &str) -> Option<Cascade> {
    match option.trim().strip_prefix("PrunePropagationPolicy=")? {
        "foreground" => Some(Cascade::Foreground),
        "background" => Some(Cascade::Background),
        "orphan" => Some(Cascade::Orphan),
        _ => None,
    }
}
