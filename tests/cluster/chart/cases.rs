//! The cases of `tests/chart/`: a folder each, its values and what they render. A case begins with the release that it
//! is about: `# NAME in NAMESPACE`.

use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::harness::repository_root;
use crate::helm::{chart, helm_with_input};

/// A folder of `tests/chart/`.
pub(crate) struct Case {
    pub(crate) folder: PathBuf,
    pub(crate) values: Value,
    pub(crate) release: String,
    pub(crate) namespace: String,
}

/// The names that lead to a value.
pub(crate) type Path = Vec<String>;

impl Case {
    pub(crate) fn read(name: &str) -> Self {
        let folder = repository_root().join("tests/chart").join(name);
        let text = fs::read_to_string(folder.join("values.yaml")).expect("a case has values");
        let first = text.lines().next().unwrap_or_default();
        let words = first
            .strip_prefix("# ")
            .and_then(|line| line.split_once(" in "));
        let (release, namespace) = words.expect("a case begins with: # NAME in NAMESPACE");
        Self {
            values: yaml(&text),
            release: release.to_owned(),
            namespace: namespace.to_owned(),
            folder,
        }
    }

    pub(crate) fn all() -> Vec<Self> {
        let folder = repository_root().join("tests/chart");
        let entries = fs::read_dir(folder).expect("there are cases");
        let names = entries.map(|entry| entry.expect("a folder can be read").file_name());
        let mut names: Vec<_> = names.filter_map(|name| name.into_string().ok()).collect();
        names.sort();
        names.iter().map(|name| Self::read(name)).collect()
    }

    /// What the chart renders with other values than the case's.
    #[track_caller]
    pub(crate) fn render(&self, values: &Value) -> String {
        let chart = chart();
        let command = [
            "template",
            &self.release,
            &chart,
            "--namespace",
            &self.namespace,
        ];
        let args = [command.as_slice(), &["--values", "-"]].concat();
        helm_with_input(&args, &values.to_string()).success()
    }

    pub(crate) fn values_file(&self) -> String {
        self.folder.join("values.yaml").display().to_string()
    }
}

/// The chart's own values.
pub(crate) fn defaults() -> Value {
    let file = PathBuf::from(chart()).join("values.yaml");
    yaml(&fs::read_to_string(file).expect("the chart has values"))
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).expect("values are YAML")
}

/// Every value in `values` that is one to the chart: whatever is below an empty map there belongs to the user.
pub(crate) fn leaves(values: &Value, defaults: &Value) -> Vec<Path> {
    let none = Map::new();
    let mut found = Vec::new();
    for (name, value) in values.as_object().unwrap_or(&none) {
        let default = &defaults[name];
        let below = match default.as_object() {
            Some(map) if !map.is_empty() => leaves(value, default),
            _ => vec![Path::new()],
        };
        for mut path in below {
            path.insert(0, name.clone());
            found.push(path);
        }
    }
    found
}

/// The values without the one at `path`.
pub(crate) fn without(values: &Value, path: &[String]) -> Value {
    let mut values = values.clone();
    let (name, above) = path.split_last().expect("a path has a name");
    let mut place = &mut values;
    for step in above {
        place = &mut place[step];
    }
    if let Some(map) = place.as_object_mut() {
        map.remove(name);
    }
    values
}
