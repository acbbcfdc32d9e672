//! Sync options and compare options: strings of the form `Key=value`.
//! It must not know where an option was written beyond the table it is looked up in.

use crate::dialect::refusal::Refusal;
use crate::dialect::verdict::{Row, Verdict::*, refuse};

const CLOSE_COMPARISON: &str = "objects are always compared by the API server's own rules";
const ALWAYS_SERVER_SIDE: &str = "objects are always applied by server-side apply";
const IS_THE_DEFAULT: &str = "it is what happens without it";

/// `spec.syncPolicy.syncOptions` and `operation.sync.syncOptions`.
pub const APPLICATION_SYNC_OPTIONS: &[Row] = &[
    ("CreateNamespace=true", Honoured),
    ("CreateNamespace=false", Honoured),
    ("Prune=true", Honoured),
    ("Prune=false", Honoured),
    ("Prune=confirm", Refused),
    ("Delete=true", Honoured),
    ("Delete=false", Honoured),
    ("Delete=confirm", Refused),
    ("PruneLast=true", Refused),
    ("PruneLast=false", Harmless(IS_THE_DEFAULT)),
    (
        "PrunePropagationPolicy=foreground",
        Harmless(IS_THE_DEFAULT),
    ),
    ("PrunePropagationPolicy=background", Refused),
    ("PrunePropagationPolicy=orphan", Refused),
    ("Validate=true", Harmless(IS_THE_DEFAULT)),
    ("Validate=false", Refused),
    ("ServerSideApply=true", Harmless(ALWAYS_SERVER_SIDE)),
    ("ServerSideApply=false", Harmless(ALWAYS_SERVER_SIDE)),
    (
        "ClientSideApplyMigration=true",
        Harmless("what kubectl or Argo CD applied is always taken over"),
    ),
    ("ClientSideApplyMigration=false", Refused),
    ("Replace=true", Refused),
    ("Replace=false", Harmless(IS_THE_DEFAULT)),
    ("Force=true", Refused),
    ("Force=false", Harmless(IS_THE_DEFAULT)),
    (
        "ApplyOutOfSyncOnly=true",
        Harmless("only objects that differ are ever applied"),
    ),
    (
        "ApplyOutOfSyncOnly=false",
        Harmless("applying an object that does not differ changes nothing"),
    ),
    (
        "RespectIgnoreDifferences=true",
        Harmless("spec.ignoreDifferences is refused, so there is nothing to respect"),
    ),
    ("RespectIgnoreDifferences=false", Harmless(IS_THE_DEFAULT)),
    ("FailOnSharedResource=true", Refused),
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
    ("Prune=confirm", Refused),
    ("Delete=true", Honoured),
    ("Delete=false", Honoured),
    ("Delete=confirm", Refused),
    ("PruneLast=true", Refused),
    ("PruneLast=false", Harmless(IS_THE_DEFAULT)),
    ("Validate=true", Harmless(IS_THE_DEFAULT)),
    ("Validate=false", Refused),
    ("ServerSideApply=true", Harmless(ALWAYS_SERVER_SIDE)),
    ("ServerSideApply=false", Harmless(ALWAYS_SERVER_SIDE)),
    (
        "ClientSideApplyMigration=true",
        Harmless("what kubectl or Argo CD applied is always taken over"),
    ),
    ("ClientSideApplyMigration=false", Refused),
    ("Replace=true", Refused),
    ("Replace=false", Harmless(IS_THE_DEFAULT)),
    ("Force=true", Refused),
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
    ("IncludeMutationWebhook=true", Refused),
    ("IncludeMutationWebhook=false", Harmless(IS_THE_DEFAULT)),
    ("IgnoreExtraneous", Refused),
    ("IgnoreExtraneous=true", Refused),
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
