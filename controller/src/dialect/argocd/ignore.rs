//! Rules for differences that don't count: `spec.ignoreDifferences`, and the keys of `argocd-cm` that speak of them.
//! It must not apply them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crds::{ApplicationSpec, IgnoreDifferences, SyncOperation};
use health::SETTINGS_CONFIG_MAP;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::options;
use crate::dialect::refusal::Refusal;
use crate::ignore::{Problem, Rule, Rules};

/// Leaves fields that don't count alone also when an object is applied.
const RESPECTS: &str = "RespectIgnoreDifferences";

/// The setting with customizations of all kinds in one YAML map.
const CUSTOMIZATIONS: &str = "resource.customizations";
/// What in one of its entries is about differences.
const IGNORE_DIFFERENCES: &str = "ignoreDifferences";
/// A setting for one kind: this, then `<group>_<Kind>`, `<Kind>` or [`ALL`].
const OF_A_KIND: &str = "resource.customizations.ignoreDifferences.";
const ALL: &str = "all";

/// What a setting says of the objects that its key names.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Setting {
    json_pointers: Vec<String>,
    jq_path_expressions: Vec<String>,
    managed_fields_managers: Vec<String>,
}

/// The rules of an Application, and whether they are respected.
pub(super) fn rules(spec: &ApplicationSpec) -> Result<Rules, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let mut rules = Vec::new();
    for (index, written) in spec.ignore_differences.iter().enumerate() {
        let origin = format!("spec.ignoreDifferences[{index}]");
        match Rule::new(origin, written.clone()) {
            Ok(rule) => {
                refusals.extend(rule.problem().map(refusal));
                rules.push(Arc::new(rule));
            }
            Err(problem) => refusals.push(refusal(&problem)),
        }
    }
    match refusals.is_empty() {
        true => Ok(Rules {
            rules,
            respected: respected(spec),
        }),
        false => Err(refusals),
    }
}

/// What does not count is left alone, unless the Application says otherwise.
fn respected(spec: &ApplicationSpec) -> bool {
    let policy = spec.sync_policy.iter();
    let options = policy.flat_map(|policy| &policy.sync_options);
    respects(options.map(String::as_str)).unwrap_or(true)
}

/// What is left alone is one thing for every sync of an Application: its comparison stands on it.
pub(super) fn respects_otherwise(sync: &SyncOperation, of: &ApplicationSpec) -> Option<Refusal> {
    let asked = respects(sync.sync_options.iter().map(String::as_str))?;
    (asked != respected(of)).then(|| {
        Refusal::not_supported(format!(
            "operation.sync.syncOptions: {RESPECTS}={asked}, other than in spec.syncPolicy.syncOptions"
        ))
    })
}

/// What is wrong with a rule, by the name of its field.
fn refusal(problem: &Problem) -> Refusal {
    Refusal::invalid(&*problem.field, &*problem.message)
}

fn respects<'a>(options: impl IntoIterator<Item = &'a str>) -> Option<bool> {
    options::allows(options, RESPECTS)
}

/// The rules in the `data` of the ConfigMap `argocd-cm`, and what is wrong with those that name no objects. One that says
/// something odd of some objects is a rule too: it is the problem of those, and of no others.
pub fn ignored_everywhere(data: &BTreeMap<String, String>) -> (Vec<Arc<Rule>>, Vec<Problem>) {
    let mut found = Vec::new();
    for (key, text) in data {
        if let Some(kind) = key.strip_prefix(OF_A_KIND) {
            let objects = match kind {
                ALL => "*/*".to_owned(),
                kind => kind.replacen('_', "/", 1),
            };
            found.push(setting(
                format!("{SETTINGS_CONFIG_MAP} {key}"),
                &objects,
                text,
            ));
        }
    }
    // What is wrong with the map itself is said where health is read.
    let combined = data.get(CUSTOMIZATIONS).map(|text| yaml::<Value>(text));
    let entries = match combined {
        Some(Ok(Value::Object(entries))) => entries,
        _ => serde_json::Map::new(),
    };
    for (objects, entry) in &entries {
        if let Some(text) = entry.get(IGNORE_DIFFERENCES).and_then(Value::as_str) {
            let origin =
                format!("{SETTINGS_CONFIG_MAP} {CUSTOMIZATIONS} {objects} {IGNORE_DIFFERENCES}");
            found.push(setting(origin, objects, text));
        }
    }
    let (mut rules, mut problems) = (Vec::new(), Vec::new());
    for rule in found {
        match rule {
            Ok(rule) => rules.push(Arc::new(rule)),
            Err(problem) => problems.push(problem),
        }
    }
    (rules, problems)
}

/// A setting for the objects of `group/Kind`, in the core group `Kind`.
fn setting(origin: String, objects: &str, text: &str) -> Result<Rule, Problem> {
    let (group, kind) = objects.split_once('/').unwrap_or(("", objects));
    if kind.is_empty() || kind.contains(['_', '/']) {
        return Err(Problem {
            field: origin,
            message: "it names no kind, expected <group>_<Kind>, <Kind> or all".to_owned(),
        });
    }
    let about = IgnoreDifferences {
        group: group.to_owned(),
        kind: kind.to_owned(),
        ..IgnoreDifferences::default()
    };
    match yaml::<Option<Setting>>(text) {
        Ok(setting) => {
            let setting = setting.unwrap_or_default();
            Rule::new(
                origin,
                IgnoreDifferences {
                    json_pointers: setting.json_pointers,
                    jq_path_expressions: setting.jq_path_expressions,
                    managed_fields_managers: setting.managed_fields_managers,
                    ..about
                },
            )
        }
        Err(message) => Rule::unreadable(origin, about, message),
    }
}

fn yaml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(&str, &str)]) -> (Vec<Arc<Rule>>, Vec<Problem>) {
        let owned = settings
            .iter()
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
        ignored_everywhere(&owned.collect())
    }

    /// Which of some objects the only rule of a key is about.
    fn about(kind: &str) -> Vec<&'static str> {
        let key = format!("{OF_A_KIND}{kind}");
        let (rules, problems) = read(&[(&key, "jsonPointers: [/spec/x]")]);
        assert_eq!(problems, []);
        let objects = [
            ("", "Service"),
            ("apps", "Deployment"),
            ("apps", "StatefulSet"),
            ("serving.knative.dev", "Service"),
        ];
        let rule = &rules[0];
        let about = objects
            .into_iter()
            .filter(|(group, kind)| rule.is_about(group, kind, "demo", "a"));
        about.map(|(group, _)| group).collect()
    }

    #[test]
    fn a_setting_is_for_a_kind_of_a_group_of_the_core_group_or_for_all() {
        assert_eq!(about("apps_Deployment"), ["apps"]);
        assert_eq!(about("Service"), [""]);
        assert_eq!(about("*_Service"), ["", "serving.knative.dev"]);
        assert_eq!(about("apps_*"), ["apps", "apps"]);
        assert_eq!(about("all").len(), 4);
    }

    #[test]
    fn the_combined_setting_has_rules_of_many_kinds() {
        let text = "apps/Deployment:\n  health.lua: x\n  ignoreDifferences: |\n    jqPathExpressions: ['.spec.x']\n\
                    Service:\n  ignoreDifferences: |\n    managedFieldsManagers: [istio]\n";
        let (rules, problems) = read(&[(CUSTOMIZATIONS, text)]);
        assert_eq!(problems, []);
        let origins: Vec<&str> = rules.iter().map(|rule| rule.origin.as_str()).collect();
        assert_eq!(
            origins,
            [
                "argocd-cm resource.customizations apps/Deployment ignoreDifferences",
                "argocd-cm resource.customizations Service ignoreDifferences"
            ]
        );
    }

    #[test]
    fn a_setting_that_can_not_be_used_is_named() {
        let key = |kind: &str| format!("{OF_A_KIND}{kind}");
        for (kind, text, expected) in [
            (
                "apps_Deployment",
                "jsonPointers: [spec]",
                ".jsonPointers[0]: found \"spec\"",
            ),
            (
                "apps_Deployment",
                "jsonPointer: [/spec]",
                ": unknown field `jsonPointer`",
            ),
            ("apps_Deployment", "- a", ": "),
        ] {
            let (rules, problems) = read(&[(&key(kind), text)]);
            assert_eq!(problems, []);
            let problem = rules[0].problem().unwrap().to_string();
            let expected = format!("argocd-cm {}{expected}", key(kind));
            assert!(problem.starts_with(&expected), "{problem}");
        }
        for kind in ["", "a_b_c", "apps_"] {
            let (rules, problems) = read(&[(&key(kind), "jsonPointers: [/spec/x]")]);
            assert_eq!(rules, []);
            assert!(
                problems[0].to_string().contains("names no kind"),
                "{}",
                problems[0]
            );
        }
    }
}
