//! An Application's fields, annotations and finalizers: which are accepted, and what they ask for together.
//! It must not look at the request in `.operation`, at a project or at a cluster.

use std::sync::Arc;

use crds::{Application, ApplicationSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::object::COMPARE_OPTIONS;
use super::{
    BACKGROUND_FINALIZER, DELETION_APPROVED, FINALIZER, FOREGROUND_FINALIZER,
    POST_DELETE_CLEANUP_FINALIZER, POST_DELETE_FINALIZER, PRE_DELETE_CLEANUP_FINALIZER,
    PRE_DELETE_FINALIZER, PREFIX, REFRESH, SKIP_RECONCILE, ignore, options, source, spec,
};
use crate::dialect::intent::{Cascade, Intent, Marks, Refresh};
use crate::dialect::object::field;
use crate::dialect::refusal::Refusal;
use crate::dialect::signet;
use crate::dialect::verdict::{Row, Verdict::*, refuse, verdict, walk};
use crate::ignore::Rules;

/// Names a manager of fields that is out of use, whose fields become ours.
const MIGRATION_MANAGER: &str = "argocd.argoproj.io/client-side-apply-migration-manager";

/// Every field of `spec`.
pub const SPEC: &[Row] = &[
    ("spec.project", Honoured),
    ("spec.source.repoURL", Honoured),
    ("spec.source.targetRevision", Honoured),
    ("spec.source.path", Honoured),
    (
        "spec.source.name",
        Harmless("it is for people; sources are told apart by their order"),
    ),
    ("spec.source.chart", Honoured),
    ("spec.source.ref", Honoured),
    ("spec.source.tagPrefix", Honoured),
    ("spec.source.helm.valueFiles", Honoured),
    ("spec.source.helm.ignoreMissingValueFiles", Honoured),
    ("spec.source.helm.values", Honoured),
    ("spec.source.helm.valuesObject", Honoured),
    ("spec.source.helm.parameters[].name", Honoured),
    ("spec.source.helm.parameters[].value", Honoured),
    ("spec.source.helm.parameters[].forceString", Honoured),
    ("spec.source.helm.fileParameters[].name", Honoured),
    ("spec.source.helm.fileParameters[].path", Honoured),
    ("spec.source.helm.releaseName", Honoured),
    ("spec.source.helm.namespace", Honoured),
    ("spec.source.helm.version", Honoured),
    ("spec.source.helm.passCredentials", Honoured),
    ("spec.source.helm.skipCrds", Honoured),
    ("spec.source.helm.skipTests", Honoured),
    ("spec.source.helm.skipSchemaValidation", Honoured),
    ("spec.source.helm.kubeVersion", Honoured),
    ("spec.source.helm.apiVersions", Honoured),
    ("spec.source.kustomize.namePrefix", Honoured),
    ("spec.source.kustomize.nameSuffix", Honoured),
    ("spec.source.kustomize.images", Honoured),
    ("spec.source.kustomize.replicas[].name", Honoured),
    ("spec.source.kustomize.replicas[].count", Honoured),
    ("spec.source.kustomize.commonLabels", Honoured),
    ("spec.source.kustomize.forceCommonLabels", Honoured),
    ("spec.source.kustomize.labelWithoutSelector", Honoured),
    ("spec.source.kustomize.labelIncludeTemplates", Honoured),
    ("spec.source.kustomize.commonAnnotations", Honoured),
    ("spec.source.kustomize.forceCommonAnnotations", Honoured),
    ("spec.source.kustomize.commonAnnotationsEnvsubst", Honoured),
    ("spec.source.kustomize.namespace", Honoured),
    ("spec.source.kustomize.patches[].path", Honoured),
    ("spec.source.kustomize.patches[].patch", Honoured),
    ("spec.source.kustomize.patches[].target", Honoured),
    ("spec.source.kustomize.patches[].options", Honoured),
    ("spec.source.kustomize.components", Honoured),
    ("spec.source.kustomize.ignoreMissingComponents", Honoured),
    ("spec.source.kustomize.version", Honoured),
    ("spec.source.kustomize.kubeVersion", Honoured),
    ("spec.source.kustomize.apiVersions", Honoured),
    ("spec.source.plugin", Refused),
    ("spec.source.directory.recurse", Honoured),
    ("spec.source.directory.include", Honoured),
    ("spec.source.directory.exclude", Honoured),
    ("spec.source.directory.disableExtensionFilter", Refused),
    ("spec.source.directory.jsonnet", Refused),
    ("spec.sources[]", Like("spec.source")),
    ("spec.sourceHydrator", Refused),
    ("spec.destination.server", Honoured),
    ("spec.destination.name", Honoured),
    ("spec.destination.namespace", Honoured),
    ("spec.syncPolicy.automated.enabled", Honoured),
    ("spec.syncPolicy.automated.prune", Honoured),
    ("spec.syncPolicy.automated.selfHeal", Honoured),
    ("spec.syncPolicy.automated.allowEmpty", Honoured),
    ("spec.syncPolicy.syncOptions", Honoured),
    ("spec.syncPolicy.retry.limit", Honoured),
    ("spec.syncPolicy.retry.backoff.duration", Honoured),
    ("spec.syncPolicy.retry.backoff.factor", Honoured),
    ("spec.syncPolicy.retry.backoff.maxDuration", Honoured),
    ("spec.syncPolicy.retry.refresh", Honoured),
    ("spec.syncPolicy.managedNamespaceMetadata.labels", Honoured),
    (
        "spec.syncPolicy.managedNamespaceMetadata.annotations",
        Honoured,
    ),
    ("spec.ignoreDifferences[].group", Honoured),
    ("spec.ignoreDifferences[].kind", Honoured),
    ("spec.ignoreDifferences[].name", Honoured),
    ("spec.ignoreDifferences[].namespace", Honoured),
    ("spec.ignoreDifferences[].jsonPointers", Honoured),
    ("spec.ignoreDifferences[].jqPathExpressions", Honoured),
    ("spec.ignoreDifferences[].managedFieldsManagers", Honoured),
    ("spec.info", Harmless("it is for people")),
    ("spec.revisionHistoryLimit", Honoured),
];

/// Argo CD's annotations on an Application; a name that ends in `/` or `.` is a prefix.
pub const ANNOTATIONS: &[Row] = &[
    (REFRESH, Honoured),
    (
        "argocd.argoproj.io/refresh-timestamp",
        Harmless("a refresh asked for while one runs is never lost"),
    ),
    (SKIP_RECONCILE, Honoured),
    (COMPARE_OPTIONS, Honoured),
    (
        "argocd.argoproj.io/hydrate",
        Harmless("it asks for what spec.sourceHydrator does, which is refused by itself"),
    ),
    (
        "argocd.argoproj.io/manifest-generate-paths",
        Harmless("only what changed below the source's path is rendered again"),
    ),
    (DELETION_APPROVED, Honoured),
    (MIGRATION_MANAGER, Honoured),
    (
        "argocd.argoproj.io/managed-by-url",
        Harmless("it is a link in Argo CD's pages"),
    ),
    (
        "argocd.argoproj.io/application-set-refresh",
        Harmless("it speaks to the ApplicationSet controller"),
    ),
    (
        "notifications.argoproj.io/",
        Harmless("it changes nothing in the cluster; no notification is sent yet"),
    ),
    (
        "notified.notifications.argoproj.io",
        Harmless("it is Argo CD's memory of what it has sent"),
    ),
    (
        "notice.argocd.argoproj.io/",
        Harmless("it is a notice in Argo CD's pages"),
    ),
    (
        "pref.argocd.argoproj.io/",
        Harmless("it is about Argo CD's pages"),
    ),
    (
        "link.argocd.argoproj.io/",
        Harmless("it is a link in Argo CD's pages"),
    ),
];

/// Finalizers of Argo CD on an Application. Those of others are theirs to act on.
pub const FINALIZERS: &[Row] = &[
    (FINALIZER, Honoured),
    (FOREGROUND_FINALIZER, Honoured),
    (BACKGROUND_FINALIZER, Honoured),
    (PRE_DELETE_FINALIZER, Honoured),
    (PRE_DELETE_CLEANUP_FINALIZER, Honoured),
    (POST_DELETE_FINALIZER, Honoured),
    (POST_DELETE_CLEANUP_FINALIZER, Honoured),
];

/// What the Application asks for, or everything that is refused.
pub(in crate::dialect) fn intent(application: &Application) -> Result<Intent, Vec<Refusal>> {
    let spec = &application.spec;
    let mut refusals = Vec::new();
    check_spec(spec, &mut refusals);
    check_metadata(&application.metadata, &mut refusals);
    let mut sources = match source::sources(spec) {
        Ok(sources) => Some(sources),
        Err(more) => {
            refusals.extend(more);
            None
        }
    };
    let empty_lookup = collect(signet::empty_lookup(&application.metadata), &mut refusals);
    if let (Some(sources), Some(empty)) = (&mut sources, empty_lookup) {
        sources
            .iter_mut()
            .for_each(|source| source.options.empty_lookup = empty);
    }
    let substitution = collect(signet::substitution(&application.metadata), &mut refusals);
    let sync_timeout = collect(signet::sync_timeout(&application.metadata), &mut refusals);
    let depends_on = collect(signet::depends_on(&application.metadata), &mut refusals);
    let prune_limit = collect(signet::prune_limit(&application.metadata), &mut refusals);
    let hold = collect(signet::hold(&application.metadata), &mut refusals);
    let destination = collect(spec::destination(spec), &mut refusals);
    let policy = spec.sync_policy.clone().unwrap_or_default();
    // A newer commit takes over, unless it says otherwise.
    let retry = collect(
        spec::retry("spec.syncPolicy.retry", policy.retry.as_ref(), true),
        &mut refusals,
    );
    let limit = collect(spec::revision_history_limit(spec), &mut refusals);
    let ignored = ignore::rules(spec).unwrap_or_else(|more| {
        refusals.extend(more);
        Rules::default()
    });
    let (
        Some(sources),
        Some(substitution),
        Some(depends_on),
        Some(hold),
        Some(prune_limit),
        Some(sync_timeout),
        Some(destination),
        Some(retry),
        Some(revision_history_limit),
        true,
    ) = (
        sources,
        substitution,
        depends_on,
        hold,
        prune_limit,
        sync_timeout,
        destination,
        retry,
        limit,
        refusals.is_empty(),
    )
    else {
        return Err(refusals);
    };
    let mut options = options::ask(|| policy.sync_options.iter().map(String::as_str));
    options.defaults.include_webhooks = includes_webhooks(&application.metadata);
    Ok(Intent {
        project: spec::project(spec),
        sources,
        substitution,
        destination,
        automated: spec::automated(&policy),
        options,
        namespace_metadata: spec::namespace_metadata(&policy),
        depends_on,
        hold,
        prune_limit,
        ignored,
        sync_timeout,
        retry,
        revision_history_limit,
        predecessor: predecessor(&application.metadata),
        marks: marks(&application.metadata),
    })
}

fn predecessor(metadata: &ObjectMeta) -> Option<Arc<str>> {
    let name = metadata.annotations.as_ref()?.get(MIGRATION_MANAGER)?;
    (!name.is_empty()).then(|| name.as_str().into())
}

/// Its compare options hold for all its objects.
fn includes_webhooks(metadata: &ObjectMeta) -> bool {
    let annotations = metadata.annotations.as_ref();
    let list = annotations.and_then(|annotations| annotations.get(COMPARE_OPTIONS));
    list.and_then(|list| options::asks(options::split(list), "IncludeMutationWebhook"))
        .unwrap_or_default()
}

fn collect<T>(result: Result<T, Refusal>, refusals: &mut Vec<Refusal>) -> Option<T> {
    result.map_err(|refusal| refusals.push(refusal)).ok()
}

fn check_spec(spec: &ApplicationSpec, refusals: &mut Vec<Refusal>) {
    // What is empty is left out when written, so that an empty list counts as absent, as it does for Argo CD.
    let value = serde_json::to_value(spec).unwrap_or(Value::Null);
    walk(SPEC, "spec", &value, refusals);
    let list = spec
        .sync_policy
        .iter()
        .flat_map(|policy| &policy.sync_options)
        .map(String::as_str);
    options::check(
        options::APPLICATION_SYNC_OPTIONS,
        "spec.syncPolicy.syncOptions",
        list,
        refusals,
    );
}

fn check_metadata(metadata: &ObjectMeta, refusals: &mut Vec<Refusal>) {
    for (key, value) in metadata.annotations.iter().flatten() {
        match key.as_str() {
            COMPARE_OPTIONS => {
                options::check(
                    options::COMPARE_OPTIONS,
                    &field(key),
                    options::split(value),
                    refusals,
                );
            }
            // Its other annotations speak to the Application that applies this one.
            key if key.starts_with(PREFIX)
                && verdict(super::object::ANNOTATIONS, key).is_none() =>
            {
                refusals.extend(refuse(ANNOTATIONS, key, field(key)));
            }
            _ => {}
        }
    }
    let finalizers = metadata
        .finalizers
        .iter()
        .flatten()
        .filter(|name| name.contains("argocd.argoproj.io"));
    refusals.extend(
        finalizers.filter_map(|name| refuse(FINALIZERS, name, format!("finalizer {name}"))),
    );
}

/// What the metadata asks for. What can't be read asks for nothing; [`intent`] refuses it.
pub(in crate::dialect) fn marks(metadata: &ObjectMeta) -> Marks {
    let annotation = |key| {
        metadata
            .annotations
            .as_ref()
            .and_then(|annotations| annotations.get(key))
    };
    let has = |finalizer| {
        metadata
            .finalizers
            .iter()
            .flatten()
            .any(|name| name == finalizer)
    };
    let cascade = match (
        has(BACKGROUND_FINALIZER),
        has(FINALIZER) || has(FOREGROUND_FINALIZER),
    ) {
        (_, true) => Some(Cascade::Foreground),
        (true, false) => Some(Cascade::Background),
        (false, false) => None,
    };
    Marks {
        skip_reconcile: annotation(SKIP_RECONCILE).is_some_and(|value| is_true(value)),
        refresh: annotation(REFRESH).map(|value| refresh(value)),
        deletion_approved: annotation(DELETION_APPROVED).and_then(|value| value.parse().ok()),
        cascade,
    }
}

/// Whatever is written, it asks to look again, as with Argo CD.
fn refresh(value: &str) -> Refresh {
    match value {
        "hard" => Refresh::Hard,
        _ => Refresh::Normal,
    }
}

/// A boolean as Go reads it.
fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True")
}
