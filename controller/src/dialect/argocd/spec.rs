//! What the fields of an Application's spec ask for, one by one.
//! It must not know which fields are accepted: the lists have been asked before.

use std::time::Duration;

use crds::{ApplicationSpec, Retry, SyncPolicy};

use crate::dialect::intent::{Automated, Destination, NamespaceMetadata, RetryPolicy};
use crate::dialect::refusal::Refusal;
use crate::repositories::redacted;

/// The cluster we run in, by URL.
const IN_CLUSTER_SERVER: &str = "https://kubernetes.default.svc";
/// The cluster we run in, by name.
const IN_CLUSTER_NAME: &str = "in-cluster";
/// Argo CD keeps as many finished syncs when the spec names no number.
pub const REVISION_HISTORY_LIMIT: usize = 10;

pub(super) fn project(spec: &ApplicationSpec) -> String {
    match spec.project.as_str() {
        "" => "default".to_owned(),
        name => name.to_owned(),
    }
}

pub(super) fn destination(spec: &ApplicationSpec) -> Result<Destination, Refusal> {
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
            "spec.destination.server: {}, another cluster",
            redacted(server)
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

pub(super) fn automated(policy: &SyncPolicy) -> Option<Automated> {
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

/// The retry policy at `field`; `refresh` is what holds where it does not say. A policy without a limit never tries
/// again, as with Argo CD.
pub(super) fn retry(
    field: &str,
    retry: Option<&Retry>,
    refresh: bool,
) -> Result<Option<RetryPolicy>, Refusal> {
    let Some(retry) = retry else { return Ok(None) };
    let default = RetryPolicy::default();
    let backoff = retry.backoff.clone().unwrap_or_default();
    let time = |name: &str, text: &str, default: Duration| match text {
        "" => Ok(default),
        text => duration(text).ok_or_else(|| {
            let message = format!("found \"{text}\", expected a duration such as 5s or 3m");
            Refusal::invalid(format!("{field}.backoff.{name}"), message)
        }),
    };
    Ok(Some(RetryPolicy {
        limit: match retry.limit.unwrap_or_default() {
            limit if limit < 0 => None,
            limit => Some(u32::try_from(limit).unwrap_or(u32::MAX)),
        },
        duration: time("duration", &backoff.duration, default.duration)?,
        factor: factor(field, backoff.factor)?,
        max_duration: time("maxDuration", &backoff.max_duration, default.max_duration)?,
        refresh: retry.refresh.unwrap_or(refresh),
    }))
}

/// Labels and annotations of the destination namespace.
pub(super) fn namespace_metadata(policy: &SyncPolicy) -> Option<NamespaceMetadata> {
    let metadata = policy.managed_namespace_metadata.clone()?;
    Some(NamespaceMetadata {
        labels: metadata.labels,
        annotations: metadata.annotations,
    })
}

/// Zero or more, in Go's spelling; a bare number is seconds.
fn duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let nanos = sealing::go::duration::parse(text)?;
    u64::try_from(nanos).ok().map(Duration::from_nanos)
}

fn factor(field: &str, factor: Option<i64>) -> Result<u32, Refusal> {
    let Some(factor) = factor else {
        return Ok(RetryPolicy::default().factor);
    };
    let positive = u32::try_from(factor).ok().filter(|factor| *factor > 0);
    positive.ok_or_else(|| {
        Refusal::invalid(
            format!("{field}.backoff.factor"),
            format!("found {factor}, expected 1 or more"),
        )
    })
}

pub(super) fn revision_history_limit(spec: &ApplicationSpec) -> Result<usize, Refusal> {
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
