//! An Application's spec, annotations and finalizers: which are accepted, and what they ask for.
//! It must not look at the request in `.operation`, at a project or at a cluster.

use std::time::Duration;

use crds::{Application, ApplicationSource, ApplicationSpec, Retry, SyncPolicy};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::object::COMPARE_OPTIONS;
use super::revision::is_version_range;
use super::{
    BACKGROUND_FINALIZER, FINALIZER, FOREGROUND_FINALIZER, PREFIX, REFRESH, SKIP_RECONCILE, options,
};
use crate::dialect::duration;
use crate::dialect::intent::{
    Automated, Cascade, Destination, Intent, Marks, ObjectDefaults, Refresh, RetryPolicy,
    SourceIntent,
};
use crate::dialect::object::field;
use crate::dialect::refusal::Refusal;
use crate::dialect::verdict::{Row, Verdict::*, refuse, verdict, walk};
use crate::render::DirectoryOptions;

/// The cluster we run in, by URL.
const IN_CLUSTER_SERVER: &str = "https://kubernetes.default.svc";
/// The cluster we run in, by name.
const IN_CLUSTER_NAME: &str = "in-cluster";
/// Argo CD keeps as many finished syncs when the spec names no number.
const REVISION_HISTORY_LIMIT: usize = 10;

/// Every field of `spec`.
pub const SPEC: &[Row] = &[
    ("spec.project", Honoured),
    ("spec.source.repoURL", Honoured),
    ("spec.source.targetRevision", Honoured),
    ("spec.source.path", Honoured),
    (
        "spec.source.name",
        Harmless("it tells several sources apart, and there is one"),
    ),
    ("spec.source.chart", Refused),
    ("spec.source.ref", Refused),
    ("spec.source.tagPrefix", Refused),
    ("spec.source.helm", Refused),
    ("spec.source.kustomize", Refused),
    ("spec.source.plugin", Refused),
    ("spec.source.directory.recurse", Honoured),
    ("spec.source.directory.include", Honoured),
    ("spec.source.directory.exclude", Honoured),
    ("spec.source.directory.disableExtensionFilter", Refused),
    ("spec.source.directory.jsonnet", Refused),
    ("spec.sources", Refused),
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
    ("spec.syncPolicy.managedNamespaceMetadata", Refused),
    ("spec.ignoreDifferences", Refused),
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
    (
        "argocd.argoproj.io/deletion-approved",
        Harmless("it answers Prune=confirm and Delete=confirm, which are refused"),
    ),
    (
        "argocd.argoproj.io/client-side-apply-migration-manager",
        Refused,
    ),
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
    ("pre-delete-finalizer.argocd.argoproj.io", Refused),
    ("pre-delete-finalizer.argocd.argoproj.io/cleanup", Refused),
    ("post-delete-finalizer.argocd.argoproj.io", Refused),
    ("post-delete-finalizer.argocd.argoproj.io/cleanup", Refused),
];

/// What the Application asks for, or everything that is refused.
pub(in crate::dialect) fn intent(application: &Application) -> Result<Intent, Vec<Refusal>> {
    let spec = &application.spec;
    let mut refusals = Vec::new();
    check_spec(spec, &mut refusals);
    check_metadata(&application.metadata, &mut refusals);
    let source = collect(source(spec), &mut refusals);
    let destination = collect(destination(spec), &mut refusals);
    let policy = spec.sync_policy.clone().unwrap_or_default();
    let retry = collect(
        retry("spec.syncPolicy.retry", policy.retry.as_ref()),
        &mut refusals,
    );
    let limit = collect(revision_history_limit(spec), &mut refusals);
    let options = || policy.sync_options.iter().map(String::as_str);
    match (source, destination, retry, limit) {
        (Some(source), Some(destination), Some(retry), Some(revision_history_limit))
            if refusals.is_empty() =>
        {
            Ok(Intent {
                project: project(spec),
                source,
                destination,
                automated: automated(&policy),
                create_namespace: options::allows(options(), "CreateNamespace") == Some(true),
                defaults: defaults(options),
                retry,
                revision_history_limit,
                marks: marks(&application.metadata),
            })
        }
        _ => Err(refusals),
    }
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

fn project(spec: &ApplicationSpec) -> String {
    match spec.project.as_str() {
        "" => "default".to_owned(),
        name => name.to_owned(),
    }
}

fn source(spec: &ApplicationSpec) -> Result<SourceIntent, Refusal> {
    match &spec.source {
        Some(source) => source_intent("spec.source", source),
        None if !spec.sources.is_empty() || spec.source_hydrator.is_some() => {
            // Refused by name already; without this line the missing source would be named as well.
            source_intent(
                "spec.source",
                &ApplicationSource {
                    repo_url: "refused".into(),
                    ..Default::default()
                },
            )
        }
        None => Err(Refusal::invalid(
            "spec.source",
            "found none, expected repoURL and path",
        )),
    }
}

/// What a source at `field` asks for.
pub(super) fn source_intent(
    field: &str,
    source: &ApplicationSource,
) -> Result<SourceIntent, Refusal> {
    if source.repo_url.is_empty() {
        return Err(Refusal::invalid(
            format!("{field}.repoURL"),
            "found none, expected the URL of a repository",
        ));
    }
    let revision = revision(&format!("{field}.targetRevision"), &source.target_revision)?;
    let directory = source.directory.clone().unwrap_or_default();
    Ok(SourceIntent {
        repo_url: source.repo_url.clone(),
        revision,
        path: path(&format!("{field}.path"), &source.path)?,
        directory: DirectoryOptions {
            recurse: directory.recurse,
            include: directory.include,
            exclude: directory.exclude,
        },
    })
}

/// A branch, tag or commit; `HEAD` when `revision` is empty.
pub(super) fn revision(field: &str, revision: &str) -> Result<String, Refusal> {
    match revision {
        "" => Ok("HEAD".to_owned()),
        range if is_version_range(range) => Err(Refusal::not_supported(format!(
            "{field}: \"{range}\" as a range of versions"
        ))),
        name => Ok(name.to_owned()),
    }
}

fn path(field: &str, path: &str) -> Result<String, Refusal> {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    match parts.contains(&"..") || path.starts_with('/') {
        true => Err(Refusal::invalid(
            field,
            format!("found \"{path}\", expected a path inside the repository"),
        )),
        false => Ok(parts.join("/")),
    }
}

fn destination(spec: &ApplicationSpec) -> Result<Destination, Refusal> {
    let crds::Destination {
        server,
        name,
        namespace,
        ..
    } = &spec.destination;
    match (server.trim_end_matches('/'), name.as_str()) {
        ("", "") => Err(Refusal::invalid(
            "spec.destination",
            "found neither server nor name, expected one of them",
        )),
        (IN_CLUSTER_SERVER, "") | ("", IN_CLUSTER_NAME) => Ok(Destination {
            server: IN_CLUSTER_SERVER.to_owned(),
            name: IN_CLUSTER_NAME.to_owned(),
            namespace: namespace.clone(),
        }),
        (server, "") => Err(Refusal::not_supported(format!(
            "spec.destination.server: {server}, another cluster"
        ))),
        ("", name) => Err(Refusal::not_supported(format!(
            "spec.destination.name: {name}, another cluster"
        ))),
        _ => Err(Refusal::invalid(
            "spec.destination",
            "found both server and name, expected one of them",
        )),
    }
}

fn automated(policy: &SyncPolicy) -> Option<Automated> {
    let automated = policy
        .automated
        .as_ref()
        .filter(|automated| automated.enabled != Some(false))?;
    Some(Automated {
        prune: automated.prune.unwrap_or_default(),
        self_heal: automated.self_heal.unwrap_or_default(),
        allow_empty: automated.allow_empty.unwrap_or_default(),
    })
}

/// What `Prune=…` and `Delete=…` among `options` say of all objects.
pub(super) fn defaults<'a, I: Iterator<Item = &'a str>>(options: impl Fn() -> I) -> ObjectDefaults {
    ObjectDefaults {
        prune: options::allows(options(), "Prune").unwrap_or(true),
        delete: options::allows(options(), "Delete").unwrap_or(true),
    }
}

/// The retry policy at `field`. A policy without a limit never tries again, as with Argo CD.
pub(super) fn retry(field: &str, retry: Option<&Retry>) -> Result<Option<RetryPolicy>, Refusal> {
    let Some(retry) = retry else { return Ok(None) };
    let default = RetryPolicy::default();
    let backoff = retry.backoff.clone().unwrap_or_default();
    let time = |name: &str, text: &str, default: Duration| match text {
        "" => Ok(default),
        text => duration::parse(text).ok_or_else(|| {
            let message = format!("found \"{text}\", expected a duration such as 5s or 3m");
            Refusal::invalid(format!("{field}.backoff.{name}"), message)
        }),
    };
    let factor = match backoff.factor {
        None => default.factor,
        Some(factor) => u32::try_from(factor)
            .ok()
            .filter(|factor| *factor > 0)
            .ok_or_else(|| {
                Refusal::invalid(
                    format!("{field}.backoff.factor"),
                    format!("found {factor}, expected 1 or more"),
                )
            })?,
    };
    Ok(Some(RetryPolicy {
        limit: match retry.limit.unwrap_or_default() {
            limit if limit < 0 => None,
            limit => Some(u32::try_from(limit).unwrap_or(u32::MAX)),
        },
        duration: time("duration", &backoff.duration, default.duration)?,
        factor,
        max_duration: time("maxDuration", &backoff.max_duration, default.max_duration)?,
        refresh: retry.refresh.unwrap_or(default.refresh),
    }))
}

fn revision_history_limit(spec: &ApplicationSpec) -> Result<usize, Refusal> {
    let Some(limit) = spec.revision_history_limit else {
        return Ok(REVISION_HISTORY_LIMIT);
    };
    usize::try_from(limit).map_err(|_| {
        Refusal::invalid(
            "spec.revisionHistoryLimit",
            format!("found {limit}, expected 0 or more"),
        )
    })
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
