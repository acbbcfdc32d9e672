//! Which charts a chart is made of, and which of them are not beside it yet. It fetches none.

use serde_json::Value;

use super::place::Place;
use crate::render::{RenderError, files::join, value};

/// A chart that another chart needs and that its repository of charts must be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    pub name: String,
    /// Exact where the chart has a lock file, else as its author wrote it: perhaps a range.
    pub version: String,
    /// `https://…`, `oci://…`, or `@name` and `alias:name` of a configured repository.
    pub repository: String,
}

/// What a chart declares and does not bring along in `charts/`.
#[derive(Debug, Default)]
pub(super) struct Missing {
    pub(super) remote: Vec<Dependency>,
    /// Names, and directories of the same commit.
    pub(super) local: Vec<(String, String)>,
    /// Without a repository: nobody can fetch these.
    pub(super) nowhere: Vec<String>,
}

/// The files that declare dependencies, and those that pin them.
const DECLARATIONS: [(&str, &str); 2] = [
    ("Chart.yaml", "Chart.lock"),
    ("requirements.yaml", "requirements.lock"),
];

/// What the chart in the directory `chart` needs and `charts/` does not hold.
pub(super) fn missing(place: &mut Place, chart: &str) -> Result<Missing, RenderError> {
    let mut missing = Missing::default();
    let vendored = vendored(place, chart)?;
    for (file, lock) in DECLARATIONS {
        let locked = read(place, &join(chart, lock))?;
        for declared in dependencies(&read(place, &join(chart, file))?) {
            if !is_vendored(&vendored, &declared.name) {
                missing.add(chart, declared, &locked)?;
            }
        }
    }
    Ok(missing)
}

impl Missing {
    fn add(
        &mut self,
        chart: &str,
        declared: Dependency,
        locked: &Value,
    ) -> Result<(), RenderError> {
        if let Some(path) = declared.repository.strip_prefix("file://") {
            let directory = super::values::clean(chart, path).filter(|_| !path.starts_with('/'));
            let Some(directory) = directory else {
                return Err(RenderError::File {
                    file: join(chart, "Chart.yaml"),
                    problem: format!("the dependency {} leaves the repository", declared.name),
                });
            };
            self.local.push((declared.name, directory));
        } else if declared.repository.is_empty() {
            self.nowhere.push(declared.name);
        } else {
            let pinned = dependencies(locked).into_iter().find(|pinned| {
                pinned.name == declared.name && pinned.repository == declared.repository
            });
            self.remote.push(pinned.unwrap_or(declared));
        }
        Ok(())
    }
}

/// What can't be read declares nothing: `helm` says better what is wrong with it.
fn read(place: &mut Place, file: &str) -> Result<Value, RenderError> {
    let text = place.read(file)?;
    Ok(text
        .and_then(|text| value::yaml(&text).ok())
        .unwrap_or_default())
}

fn dependencies(chart: &Value) -> Vec<Dependency> {
    let listed = chart["dependencies"].as_array().into_iter().flatten();
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    listed
        .map(|listed| Dependency {
            name: text(&listed["name"]),
            version: text(&listed["version"]),
            repository: text(&listed["repository"]),
        })
        .collect()
}

/// Names of unpacked charts in `charts/`, and file names of packed ones.
fn vendored(place: &mut Place, chart: &str) -> Result<Vec<String>, RenderError> {
    let charts = join(chart, "charts");
    let mut found = Vec::new();
    for path in place.files_below(&charts)? {
        match path.split('/').collect::<Vec<_>>()[..] {
            [packed] if packed.ends_with(".tgz") => found.push(packed.to_owned()),
            [folder, "Chart.yaml"] => {
                let chart = read(place, &join(&charts, &path))?;
                found.push(chart["name"].as_str().unwrap_or(folder).to_owned());
            }
            _ => {}
        }
    }
    Ok(found)
}

fn is_vendored(vendored: &[String], name: &str) -> bool {
    let is_packed = |file: &String| {
        let version = file.strip_prefix(name)?.strip_prefix('-')?;
        let version = version.strip_prefix('v').unwrap_or(version);
        Some(file.ends_with(".tgz") && version.starts_with(|c: char| c.is_ascii_digit()))
    };
    vendored
        .iter()
        .any(|found| found == name || is_packed(found) == Some(true))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn missing_of(files: &[(&str, &str)]) -> Missing {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        missing(&mut Place::on_disk(folder.path().to_owned()), "web").unwrap()
    }

    fn names(missing: &Missing) -> Vec<&str> {
        missing.remote.iter().map(|one| one.name.as_str()).collect()
    }

    const CHART: &str = "name: web\ndependencies:\n\
        - {name: redis, version: ^18, repository: 'https://charts.example.org'}\n\
        - {name: common, version: 1.0.0, repository: 'file://../common'}\n\
        - {name: lost, version: 1.0.0}\n";

    #[test]
    fn what_charts_does_not_hold_is_missing() {
        let missing = missing_of(&[("web/Chart.yaml", CHART)]);
        assert_eq!(names(&missing), ["redis"]);
        assert_eq!(missing.remote[0].version, "^18");
        assert_eq!(missing.local, [("common".to_owned(), "common".to_owned())]);
        assert_eq!(missing.nowhere, ["lost"]);
        let missing = missing_of(&[
            ("web/Chart.yaml", CHART),
            ("web/charts/redis-18.1.0.tgz", ""),
            ("web/charts/any/Chart.yaml", "name: common"),
            ("web/charts/lost/Chart.yaml", "name: lost"),
        ]);
        assert!(
            missing.remote.is_empty() && missing.local.is_empty() && missing.nowhere.is_empty()
        );
        let missing = missing_of(&[
            ("web/Chart.yaml", CHART),
            ("web/charts/redis-cluster-9.0.0.tgz", ""),
        ]);
        assert_eq!(names(&missing), ["redis"]);
    }

    #[test]
    fn a_lock_file_pins_the_version() {
        let lock = "dependencies: [{name: redis, version: 18.4.0, repository: 'https://charts.example.org'}]";
        let missing = missing_of(&[("web/Chart.yaml", CHART), ("web/Chart.lock", lock)]);
        assert_eq!(missing.remote[0].version, "18.4.0");
        let lock = lock.replace("charts.", "other.");
        let missing = missing_of(&[("web/Chart.yaml", CHART), ("web/Chart.lock", &lock)]);
        assert_eq!(missing.remote[0].version, "^18");
    }

    #[test]
    fn charts_of_the_older_form_declare_in_a_file_of_their_own() {
        let requirements = "dependencies: [{name: redis, version: 1, repository: '@internal'}]";
        let missing = missing_of(&[
            ("web/Chart.yaml", "name: web"),
            ("web/requirements.yaml", requirements),
        ]);
        assert_eq!(missing.remote[0].repository, "@internal");
        assert_eq!(missing.remote[0].version, "1");
    }
}
