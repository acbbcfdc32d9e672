//! Metrics that people rely on: what dashboard, alerts and pages name is exposed, and what is exposed stands on a page.
//! It must not judge values.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::harness::{Controller, Port, equal, eventually, get, repository_root};
use crate::scene::{Scene, config_map};

/// How names of metrics begin. Those of the first three kinds stand on a page, each in full.
const KINDS: [&str; 5] = [
    "sealed_secrets_controller_",
    "signet_",
    "argocd_app_",
    "process_",
    "promhttp_",
];

/// The labels of each metric.
type Exposed = BTreeMap<String, BTreeSet<String>>;

#[test]
fn what_dashboard_alerts_and_pages_name_is_exposed_and_what_is_exposed_is_on_a_page() {
    let scene = Scene::new("metrics");
    let controller = scene.controller();
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application("{automated: {}}");
    scene.testbed.apply(&format!(
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: broken, namespace: {}}}\n\
         spec: {{encryptedData: {{a: AAAA}}}}\n",
        scene.own
    ));
    scene.operation("Succeeded", &commit);
    let verify = format!("{}/v1/verify", controller.url(Port::Sealing));
    assert_eq!(get(&verify).map(|(status, _)| status), Ok(500));
    let webhook = format!("{}/api/webhook", controller.url(Port::Web));
    assert_eq!(get(&webhook).map(|(status, _)| status), Ok(405));

    let (pages, expressions) = (pages(), expressions());
    let named: BTreeSet<&str> = names(&pages)
        .chain(expressions.iter().flat_map(|text| names(text)))
        .collect();
    let exposed = eventually("each metric that is named is exposed", || {
        let exposed = exposed(&controller)?;
        let is_missing = |name: &&&str| !exposed.contains_key(**name);
        let missing: Vec<_> = named.iter().filter(is_missing).collect();
        equal(&missing, &Vec::new()).map(|()| exposed.clone())
    });
    for expression in &expressions {
        for name in names(expression) {
            let lacking: Vec<_> = labels(expression)
                .filter(|label| !exposed[name].contains(*label))
                .collect();
            assert!(
                lacking.is_empty(),
                "{name} has no {lacking:?}: {expression}"
            );
        }
    }
    let on_a_page: BTreeSet<&str> = names(&pages).collect();
    for name in exposed.keys() {
        let family = family(name);
        let is_ours = KINDS[..3].iter().any(|kind| name.starts_with(kind));
        assert!(
            !is_ours || on_a_page.contains(family),
            "{family} is on no page"
        );
    }
}

fn exposed(controller: &Controller) -> Result<Exposed, String> {
    let (_, text) = get(&format!("{}/metrics", controller.url(Port::Metrics)))?;
    let mut exposed = Exposed::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap_or(line.len()));
        let labels = rest
            .split(['{', ','])
            .filter_map(|part| part.split_once("=\""));
        let labels: Vec<_> = labels.map(|(label, _)| label.to_owned()).collect();
        for name in [name, family(name)] {
            let known = exposed.entry(name.to_owned()).or_default();
            known.extend(labels.iter().cloned());
        }
    }
    Ok(exposed)
}

/// What the parts of a histogram are called together.
fn family(name: &str) -> &str {
    let parts = ["_bucket", "_sum", "_count"];
    let family = parts.iter().find_map(|part| name.strip_suffix(part));
    family.unwrap_or(name)
}

/// Every text that people read.
fn pages() -> String {
    let root = repository_root();
    let mut text = String::new();
    for place in [
        "README.md",
        "docs",
        "docs/decisions",
        "deploy/helm/signet/README.md",
    ] {
        text += &read(&root.join(place));
    }
    text
}

/// A file, or the pages of a folder.
fn read(path: &Path) -> String {
    if path.is_file() {
        return std::fs::read_to_string(path).expect("a page is text");
    }
    let entries = std::fs::read_dir(path).expect("a folder of the checkout");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| read(&path))
        .collect()
}

/// What the dashboard shows and the alerts ask.
fn expressions() -> Vec<String> {
    let chart = repository_root().join("deploy/helm/signet");
    let dashboard = read(&chart.join("dashboards/signet.json"));
    let values = read(&chart.join("values.yaml"));
    let dashboard = serde_json::from_str(&dashboard).expect("the dashboard is JSON");
    let values = serde_saphyr::from_str(&values).expect("the values are YAML");
    let mut found = Vec::new();
    for value in [dashboard, values] {
        expressions_in(&value, &mut found);
    }
    assert!(found.len() > 10, "{found:?}");
    found
}

fn expressions_in(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| expressions_in(value, found)),
        Value::Object(fields) => {
            found.extend(
                fields
                    .get("expr")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            fields
                .values()
                .for_each(|value| expressions_in(value, found));
        }
        _ => {}
    }
}

/// The names of metrics in a text.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| {
        let is_kind = |kind: &&str| word.starts_with(kind) && word != kind;
        KINDS.iter().any(is_kind) && !word.ends_with('_')
    })
}

/// The labels that an expression groups by or selects with; `job` is given by Prometheus.
fn labels(expression: &str) -> impl Iterator<Item = &str> {
    let groups = expression.split(" by (").skip(1);
    let groups = groups.flat_map(|rest| rest.split(')').next().unwrap_or_default().split(", "));
    let selectors = expression.split('{').skip(1);
    let selectors = selectors.map(|rest| rest.split('=').next().unwrap_or_default());
    groups.chain(selectors).filter(|label| *label != "job")
}
