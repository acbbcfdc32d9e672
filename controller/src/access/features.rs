//! What of an AppProject is understood: every field is in one of the lists, and none is skipped.
//! It must not judge what a field says.

use crds::AppProject;
use serde_json::Value;

use super::denied::{Denied, Reason};
use crate::dialect::verdict::{Row, Verdict::*, walk};

/// Every field of an AppProject's `spec`.
pub const FEATURES: &[Row] = &[
    ("spec.description", Harmless("it is for people")),
    ("spec.sourceRepos", Honoured),
    ("spec.destinations[].server", Honoured),
    ("spec.destinations[].name", Honoured),
    ("spec.destinations[].namespace", Honoured),
    ("spec.clusterResourceWhitelist[].group", Honoured),
    ("spec.clusterResourceWhitelist[].kind", Honoured),
    ("spec.clusterResourceWhitelist[].name", Honoured),
    ("spec.clusterResourceBlacklist[].group", Honoured),
    ("spec.clusterResourceBlacklist[].kind", Honoured),
    ("spec.clusterResourceBlacklist[].name", Honoured),
    ("spec.namespaceResourceWhitelist[].group", Honoured),
    ("spec.namespaceResourceWhitelist[].kind", Honoured),
    ("spec.namespaceResourceBlacklist[].group", Honoured),
    ("spec.namespaceResourceBlacklist[].kind", Honoured),
    ("spec.sourceNamespaces", Honoured),
    ("spec.signatureKeys[].keyID", Honoured),
    ("spec.sourceIntegrity.git.policies[].repos[].url", Honoured),
    ("spec.sourceIntegrity.git.policies[].gpg.mode", Honoured),
    ("spec.sourceIntegrity.git.policies[].gpg.keys", Honoured),
    ("spec.sourceIntegrity.helm", Refused),
    (
        "spec.roles",
        Harmless("they are for people who sign in to Argo CD's server, which is not there"),
    ),
    (
        "spec.orphanedResources",
        Harmless("it reports objects and touches none; nothing is reported yet"),
    ),
    ("spec.syncWindows[].kind", Honoured),
    ("spec.syncWindows[].schedule", Honoured),
    ("spec.syncWindows[].duration", Honoured),
    ("spec.syncWindows[].applications", Honoured),
    ("spec.syncWindows[].namespaces", Honoured),
    ("spec.syncWindows[].clusters", Honoured),
    ("spec.syncWindows[].manualSync", Honoured),
    ("spec.syncWindows[].timeZone", Honoured),
    ("spec.syncWindows[].andOperator", Honoured),
    ("spec.syncWindows[].syncOverrun", Honoured),
    (
        "spec.syncWindows[].description",
        Harmless("it is for people"),
    ),
    ("spec.permitOnlyProjectScopedClusters", Refused),
    ("spec.destinationServiceAccounts", Refused),
];

/// Everything in a project that is not supported.
pub(super) fn refused(name: &str, project: &AppProject) -> Vec<Denied> {
    let mut refusals = Vec::new();
    walk(
        FEATURES,
        "spec",
        &serde_json::to_value(&project.spec).unwrap_or(Value::Null),
        &mut refusals,
    );
    let denied = |refusal| {
        Denied::new(
            Reason::ProjectFeatureUnsupported,
            format!("AppProject {name}: {refusal}"),
        )
    };
    refusals.into_iter().map(denied).collect()
}
