//! Our own annotations on Applications and on objects: what they say beyond Argo CD's.
//! It must not change what an Application or object without them does.

use std::collections::BTreeMap;
use std::time::Duration;

use crds::{Hold, names::HOLD};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::intent::{ApplicationName, Substitution, VariablesFrom, VariablesKind};
use super::object::{self, field};
use super::refusal::Refusal;
use super::sync_options::ApplyMode;

/// On an Application: `empty` lets the template function `lookup` of its charts find nothing, as Argo CD does, instead of
/// failing the render.
pub const HELM_LOOKUP: &str = "signet.dev/helm-lookup";
const EMPTY: &str = "empty";
/// On an Application: variables and their values, as in `postBuild.substitute` of a Kustomization of Flux.
pub const SUBSTITUTE: &str = "signet.dev/substitute";
/// On an Application: ConfigMaps and Secrets with more of them, as in `postBuild.substituteFrom` there.
pub const SUBSTITUTE_FROM: &str = "signet.dev/substitute-from";
/// On an Application: others that have to work before it is synced, by name or as `namespace/name`, with commas between them.
pub const DEPENDS_ON: &str = "signet.dev/depends-on";
/// On an Application: after how long a sync that has not ended has failed.
pub const SYNC_TIMEOUT: &str = "signet.dev/sync-timeout";
/// On an Application: how many of its objects may be deleted unasked where they left the repository, in percent.
pub const PRUNE_LIMIT: &str = "signet.dev/prune-limit";
/// More than this is rather a mistake in the repository.
const USUAL_PRUNE_LIMIT: u8 = 50;
/// On an object: how it is written, `Merge` or `IfNotPresent`.
pub const APPLY: &str = "signet.dev/apply";

/// Keeps an Application while something that its hooks made is not let go.
pub const HOOKS_FINALIZER: &str = "signet.dev/hooks";

/// On a workload: whether its Pods are started anew when a Secret changes that they use. In an Application they are unless it says
/// `false`, outside only if it says `true`.
pub const RESTART: &str = "signet.dev/restart";
/// On a workload: the changes of Secrets that its Pods were started with, of each item that they use.
pub const STARTED_WITH: &str = "signet.dev/started-with";
/// On a template of Pods: a digest of these changes, so that another one starts them anew.
pub const SECRETS: &str = "signet.dev/secrets";

/// On what a hook has made: for which Application, in which operation, which try and which phase.
pub const HOOK_RUN: &str = "signet.dev/hook-run";

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

/// How long a sync may take; `None` when nothing is said.
pub(super) fn sync_timeout(metadata: &ObjectMeta) -> Result<Option<Duration>, Refusal> {
    let annotations = metadata.annotations.as_ref();
    let Some(text) = annotations.and_then(|annotations| annotations.get(SYNC_TIMEOUT)) else {
        return Ok(None);
    };
    let nanos = sealing::go::duration::parse(text).and_then(|nanos| u64::try_from(nanos).ok());
    let nanos = nanos.filter(|nanos| *nanos > 0);
    nanos.map(Duration::from_nanos).map(Some).ok_or_else(|| {
        let message = format!("found \"{text}\", expected a duration such as 90s or 10m");
        Refusal::invalid(field(SYNC_TIMEOUT), message)
    })
}

/// The largest part of the objects, in percent, that is pruned unasked.
pub(super) fn prune_limit(metadata: &ObjectMeta) -> Result<u8, Refusal> {
    let annotations = metadata.annotations.as_ref();
    let Some(text) = annotations.and_then(|annotations| annotations.get(PRUNE_LIMIT)) else {
        return Ok(USUAL_PRUNE_LIMIT);
    };
    let percent = text
        .strip_suffix('%')
        .and_then(|number| number.parse().ok());
    let percent = percent.filter(|percent| *percent <= 100);
    percent.ok_or_else(|| {
        let message = format!("found \"{text}\", expected a percentage such as 30%");
        Refusal::invalid(field(PRUNE_LIMIT), message)
    })
}

/// Where a rollback keeps the Application; `None` when none does.
pub(super) fn hold(metadata: &ObjectMeta) -> Result<Option<Hold>, Refusal> {
    let expected =
        "revisions such as `{at: [4f0c2a1…], past: [9d8e7f6…]}`, one in each list for each source";
    let hold = annotation::<Hold>(metadata, HOLD, expected)?;
    let is_complete = |Hold { at, past }: &Hold| {
        !at.is_empty() && at.len() == past.len() && !at.iter().chain(past).any(String::is_empty)
    };
    match hold.as_ref().is_none_or(is_complete) {
        true => Ok(hold),
        false => Err(Refusal::invalid(
            field(HOLD),
            format!("expected {expected}"),
        )),
    }
}

/// The Applications that one depends on.
pub(super) fn depends_on(metadata: &ObjectMeta) -> Result<Vec<ApplicationName>, Refusal> {
    let annotations = metadata.annotations.as_ref();
    let list = annotations.and_then(|annotations| annotations.get(DEPENDS_ON));
    let own = metadata.namespace.as_deref().unwrap_or_default();
    list.map_or(Ok(Vec::new()), |list| application_names(own, list))
}

/// The Applications of such a list. Those without a namespace are in `own`.
///
/// # Errors
/// What in it is no name.
pub(crate) fn application_names(own: &str, list: &str) -> Result<Vec<ApplicationName>, Refusal> {
    let is_name = |text: &str| {
        let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
        !text.is_empty() && text.bytes().all(fits)
    };
    let name = |text: &str| {
        let text = text.trim();
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, text),
        };
        if !is_name(name) || !namespace.is_none_or(is_name) {
            let message = format!(
                "found \"{text}\", expected names of Applications with commas between them, such as \"db, infra/cache\""
            );
            return Err(Refusal::invalid(field(DEPENDS_ON), message));
        }
        Ok(ApplicationName {
            namespace: namespace.unwrap_or(own).to_owned(),
            name: name.to_owned(),
        })
    };
    list.split(',').map(name).collect()
}

/// Whether a workload is restarted when a Secret changes that its Pods use.
pub(super) fn restarts(metadata: &Value) -> Result<bool, Refusal> {
    match object::annotation(metadata, RESTART) {
        None | Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(text) => Err(Refusal::invalid(
            field(RESTART),
            format!("found \"{text}\", expected true or false"),
        )),
    }
}

/// How an object is written, where it says so.
pub(super) fn mode(metadata: &Value) -> Result<Option<ApplyMode>, Refusal> {
    match object::annotation(metadata, APPLY) {
        None => Ok(None),
        Some("Merge") => Ok(Some(ApplyMode::Merge)),
        Some("IfNotPresent") => Ok(Some(ApplyMode::IfNotPresent)),
        Some(text) => Err(Refusal::invalid(
            field(APPLY),
            format!("found \"{text}\", expected Merge or IfNotPresent"),
        )),
    }
}

/// Variables to substitute in what is rendered; `None` when no annotation names any.
pub(super) fn substitution(metadata: &ObjectMeta) -> Result<Option<Substitution>, Refusal> {
    let expected = "a map of names and texts, such as `region: eu`";
    let values = annotation::<BTreeMap<String, Text>>(metadata, SUBSTITUTE, expected)?;
    let expected = "a list such as `[{kind: ConfigMap, name: cluster}]`, each with kind ConfigMap or Secret, name, and optional: true or false";
    let from = annotation::<Vec<From>>(metadata, SUBSTITUTE_FROM, expected)?;
    if values.is_none() && from.is_none() {
        return Ok(None);
    }
    let values = values.unwrap_or_default().into_iter();
    let from = from.unwrap_or_default().into_iter();
    Ok(Some(Substitution {
        values: values.map(|(name, Text(value))| (name, value)).collect(),
        from: from
            .map(|from| VariablesFrom {
                kind: match from.kind {
                    Kind::ConfigMap => VariablesKind::ConfigMap,
                    Kind::Secret => VariablesKind::Secret,
                },
                name: from.name,
                optional: from.optional,
            })
            .collect(),
    }))
}

fn annotation<T: DeserializeOwned>(
    metadata: &ObjectMeta,
    key: &str,
    expected: &str,
) -> Result<Option<T>, Refusal> {
    let annotations = metadata.annotations.as_ref();
    let Some(text) = annotations.and_then(|annotations| annotations.get(key)) else {
        return Ok(None);
    };
    let invalid = |_| Refusal::invalid(field(key), format!("expected {expected}, in YAML"));
    serde_saphyr::from_str(text).map(Some).map_err(invalid)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    kind: Kind,
    name: String,
    #[serde(default)]
    optional: bool,
}

#[derive(Deserialize)]
enum Kind {
    ConfigMap,
    Secret,
}

/// A scalar, read as text.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Scalar {
            Text(String),
            Number(serde_json::Number),
            Bool(bool),
        }
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => text,
            Scalar::Number(number) => number.to_string(),
            Scalar::Bool(truth) => truth.to_string(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(annotations: &[(&str, &str)]) -> Result<Option<Substitution>, String> {
        let annotations = annotations.iter();
        let owned = annotations.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let metadata = ObjectMeta {
            annotations: Some(owned.collect()),
            ..ObjectMeta::default()
        };
        substitution(&metadata).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn variables_are_read_as_flux_writes_them() {
        assert_eq!(read(&[]), Ok(None));
        let found = read(&[
            (SUBSTITUTE, "region: eu\nreplicas: 3\n"),
            (
                SUBSTITUTE_FROM,
                "- kind: ConfigMap\n  name: cluster\n- {kind: Secret, name: db, optional: true}",
            ),
        ]);
        let from = |kind, name: &str, optional| VariablesFrom {
            kind,
            name: name.to_owned(),
            optional,
        };
        let expected = Substitution {
            values: [("region", "eu"), ("replicas", "3")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            from: vec![
                from(VariablesKind::ConfigMap, "cluster", false),
                from(VariablesKind::Secret, "db", true),
            ],
        };
        assert_eq!(found, Ok(Some(expected)));
    }

    #[test]
    fn what_is_no_such_list_is_refused_with_an_example() {
        for text in [
            "ConfigMap/cluster",
            "[{kind: Pod, name: a}]",
            "[{kind: Secret}]",
            "[{kind: Secret, name: a, namespace: b}]",
        ] {
            let refusal = read(&[(SUBSTITUTE_FROM, text)]).unwrap_err();
            assert!(
                refusal
                    .starts_with("annotation signet.dev/substitute-from: expected a list such as"),
                "{refusal}"
            );
        }
        let refusal = read(&[(SUBSTITUTE, "region: [eu]")]).unwrap_err();
        assert!(
            refusal.contains("expected a map of names and texts"),
            "{refusal}"
        );
    }
}
