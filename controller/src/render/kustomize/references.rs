//! What a kustomization refers to: files, directories and charts, field by field. It looks up none of them.

use serde_json::Value;

/// Something outside of a kustomization's own file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// A file, or a directory with a kustomization, which may be in another repository.
    Base(String),
    /// A file of the same repository.
    Path(String),
    /// A file of variables.
    Variables(String),
    /// A chart, in one of these folders.
    Chart { name: String, folders: Vec<String> },
    /// A plugin's configuration, which may refer to anything.
    Unknown,
}

/// Lists of files and directories.
pub(super) const BASES: [&str; 3] = ["resources", "bases", "components"];
/// Lists of files.
const LISTS: [&str; 3] = ["crds", "configurations", "patchesStrategicMerge"];
/// Lists of objects that hold a path.
const OBJECTS: [&str; 3] = ["patches", "patchesJson6902", "replacements"];
/// Lists of objects that hold lists of files.
const GENERATORS: [&str; 2] = ["configMapGenerator", "secretGenerator"];
/// Lists of configurations of builtin plugins; others never run.
const PLUGINS: [&str; 3] = ["generators", "transformers", "validators"];
/// Where kustomize looks for charts.
const CHART_HOME: &str = "charts";

/// All that a kustomization refers to.
pub(super) fn references(kustomization: &Value) -> Vec<Reference> {
    let bases = BASES.iter().flat_map(|field| items(&kustomization[*field]));
    let bases = bases
        .filter_map(Value::as_str)
        .filter(|base| !base.is_empty());
    let mut found: Vec<_> = bases.map(|base| Reference::Base(base.to_owned())).collect();
    let mut path = |value: &Value| {
        let path = value.as_str().filter(|path| !path.is_empty());
        found.extend(path.map(|path| Reference::Path(path.to_owned())));
    };
    for field in LISTS {
        items(&kustomization[field]).for_each(&mut path);
    }
    for field in OBJECTS {
        items(&kustomization[field]).for_each(|item| path(&item["path"]));
    }
    path(&kustomization["openapi"]["path"]);
    for generator in GENERATORS
        .iter()
        .flat_map(|field| items(&kustomization[*field]))
    {
        for file in items(&generator["files"]).filter_map(Value::as_str) {
            let file = file.split_once('=').map_or(file, |(_, file)| file);
            path(&file.into());
        }
    }
    for generator in GENERATORS
        .iter()
        .flat_map(|field| items(&kustomization[*field]))
    {
        let files = items(&generator["envs"]).chain([&generator["env"]]);
        let files = files.filter_map(Value::as_str);
        found.extend(files.map(|file| Reference::Variables(file.to_owned())));
    }
    let plugins = PLUGINS
        .iter()
        .flat_map(|field| items(&kustomization[*field]));
    let plugins = plugins.map(|_| Reference::Unknown).next();
    found.extend(plugins);
    found.extend(charts(kustomization));
    found
}

fn charts(kustomization: &Value) -> Vec<Reference> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let home = kustomization["helmGlobals"]["chartHome"].as_str();
    let mut found = Vec::new();
    for chart in items(&kustomization["helmCharts"]) {
        let (name, version, repo) = (
            text(&chart["name"]),
            text(&chart["version"]),
            text(&chart["repo"]),
        );
        let home = home.unwrap_or(CHART_HOME);
        let mut folders = vec![format!("{home}/{name}")];
        if !version.is_empty() && !repo.is_empty() {
            folders.push(format!("{home}/{name}-{version}/{name}"));
        }
        found.push(Reference::Chart { name, folders });
        let more = items(&chart["additionalValuesFiles"]);
        let files = more.chain([&chart["valuesFile"]]).map(text);
        let files = files.filter(|file| !file.is_empty());
        found.extend(files.map(Reference::Path));
    }
    // The older spelling of the same.
    for chart in items(&kustomization["helmChartInflationGenerator"]) {
        let name = text(&chart["chartName"]);
        let home = chart["chartHome"].as_str().unwrap_or(CHART_HOME);
        let folders = vec![format!("{home}/{name}")];
        found.push(Reference::Chart { name, folders });
        found.extend(
            chart["values"]
                .as_str()
                .map(|file| Reference::Path(file.to_owned())),
        );
    }
    found
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_field_that_refers_to_a_file_is_followed() {
        let kustomization = json!({
            "resources": ["a.yaml", "../base"],
            "bases": ["../old"],
            "components": ["../tls"],
            "crds": ["crd.json"],
            "configurations": ["names.yaml"],
            "patchesStrategicMerge": ["merge.yaml"],
            "patches": [{"path": "p.yaml"}, {"patch": "- op: remove"}],
            "patchesJson6902": [{"path": "j.json", "target": {}}],
            "replacements": [{"path": "r.yaml"}],
            "openapi": {"path": "schema.json"},
            "configMapGenerator": [{"name": "c", "files": ["f.txt", "key=g.txt"], "envs": ["e.env"]}],
            "secretGenerator": [{"name": "s", "env": "old.env", "literals": ["a=b"]}],
        });
        let paths: Vec<_> = references(&kustomization)
            .into_iter()
            .map(|reference| match reference {
                Reference::Path(path) | Reference::Base(path) => path,
                Reference::Variables(path) => format!("variables of {path}"),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(
            paths,
            [
                "a.yaml",
                "../base",
                "../old",
                "../tls",
                "crd.json",
                "names.yaml",
                "merge.yaml",
                "p.yaml",
                "j.json",
                "r.yaml",
                "schema.json",
                "f.txt",
                "g.txt",
                "variables of e.env",
                "variables of old.env"
            ]
        );
    }

    #[test]
    fn configurations_of_plugins_may_refer_to_anything() {
        for field in PLUGINS {
            let kustomization = json!({field: ["x.yaml"]});
            assert_eq!(references(&kustomization), [Reference::Unknown], "{field}");
        }
    }

    #[test]
    fn charts_and_their_value_files_are_followed() {
        let kustomization = json!({
            "helmGlobals": {"chartHome": "../charts"},
            "helmCharts": [{"name": "web", "version": "1.2.0", "repo": "https://a", "valuesFile": "v.yaml", "additionalValuesFiles": ["w.yaml"]}],
        });
        let folders = ["../charts/web", "../charts/web-1.2.0/web"].map(str::to_owned);
        assert_eq!(
            references(&kustomization),
            [
                Reference::Chart {
                    name: "web".to_owned(),
                    folders: folders.to_vec()
                },
                Reference::Path("w.yaml".to_owned()),
                Reference::Path("v.yaml".to_owned()),
            ]
        );
    }
}
