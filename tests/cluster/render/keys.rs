//! Golden cases of the render key: each file of tests/render/keys holds two requests and whether the second one may take the render
//! of the first. The key must tell the same, however it comes about.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use controller::render::{ClusterFacts, Origin, RemoteBase, RenderKey, Variables, substitute};
use serde_json::Value;

use super::sources::{Programs, Sources, application, cases, name, request};
use super::{program, settings};

/// One file. What `after` does not say is as before.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    expect: String,
    before: Side,
    after: Side,
}

#[derive(Clone, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Side {
    /// `spec.source` of the Application.
    source: Option<Value>,
    /// Files that are written, each over what was there.
    files: BTreeMap<String, String>,
    /// Files of another source, by the `ref` `values`, and of the repository at `https://git.example.org/values.git`.
    values: BTreeMap<String, String>,
    /// Name of the Application.
    app: Option<String>,
    /// Of the cluster.
    kube_version: Option<String>,
    api_versions: Option<Vec<String>>,
    /// Variables that are substituted after rendering, by their names.
    variables: Option<BTreeMap<String, String>>,
    /// Data of `argocd-cm`, where `KUSTOMIZE` is the path of the program, also of one that says another version.
    settings: Option<BTreeMap<String, String>>,
    /// The programs say another version.
    other_programs: bool,
}

#[tokio::test]
async fn the_key_changes_with_everything_that_a_render_reads_and_with_nothing_else() {
    for path in cases("keys") {
        let case: Case = serde_saphyr::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let mut suite = Suite::new();
        let before = suite.key(&case.before).await;
        let after = suite.key(&case.after).await;
        let found = if before == after { "same" } else { "different" };
        assert_eq!(found, case.expect, "{}", path.display());
    }
}

struct Suite {
    sources: Sources,
    origin: super::repository::Origin,
    values: super::repository::Origin,
    now: Side,
}

impl Suite {
    fn new() -> Self {
        let sources = Sources::new();
        Self {
            origin: sources.origin("source"),
            values: sources.origin("values"),
            sources,
            now: Side::default(),
        }
    }

    async fn key(&mut self, side: &Side) -> RenderKey {
        let now = &mut self.now;
        now.source = side.source.clone().or(now.source.take());
        now.app = side.app.clone().or(now.app.take());
        now.kube_version = side.kube_version.clone().or(now.kube_version.take());
        now.api_versions = side.api_versions.clone().or(now.api_versions.take());
        now.settings = side.settings.clone().or(now.settings.take());
        let commit = self.origin.commit(&files(&side.files));
        let values = self.values.commit(&files(&side.values));
        let source = self
            .now
            .source
            .clone()
            .unwrap_or_else(|| serde_json::json!({}));
        let path = source["path"].as_str().unwrap_or_default().to_owned();
        let tree = self.sources.tree(&self.origin, &commit, &path).await;
        let app = self.now.app.as_deref().unwrap_or("shop");
        let mut request = request(&application(app, &source), tree);
        let values = self.sources.tree(&self.values, &values, "").await;
        let base = RemoteBase {
            url: "https://git.example.org/values.git".to_owned(),
            revision: String::new(),
        };
        request.bases.insert(base, values.clone());
        request.references.insert("values".to_owned(), values);
        request.cluster = Arc::new(ClusterFacts {
            kube_version: self.now.kube_version.clone().unwrap_or_default(),
            api_versions: self.now.api_versions.clone().unwrap_or_default(),
        });
        let folder = tempfile::tempdir().unwrap();
        let programs = match side.other_programs {
            true => other_programs(folder.path()),
            false => Programs {
                remote_bases: true,
                ..Programs::default()
            },
        };
        let kustomize = match side.other_programs {
            true => programs.kustomize.clone(),
            false => program("kustomize"),
        };
        let set = self.now.settings.clone().unwrap_or_default();
        request.kustomize = settings(&set, &kustomize);
        let renderer = self.sources.renderer(&programs);
        let key = match &side.variables {
            None => renderer.key(&request),
            Some(values) => renderer.render(&request).and_then(|rendered| {
                let mut variables = Variables::default();
                for (name, value) in values {
                    variables.set(name, value, Origin::Plain);
                }
                substitute(&rendered, &variables, "shop").map(|rendered| rendered.key.clone())
            }),
        };
        key.unwrap_or_else(|error| unreachable!("{error}"))
    }
}

fn files(files: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect()
}

/// Copies of the programs that say another version, in a folder.
fn other_programs(folder: &Path) -> Programs {
    let copy = |name: &str, version: &[u8], other: &[u8]| -> PathBuf {
        let found = program(name);
        let mut bytes = fs::read(&found).unwrap();
        let places: Vec<_> = bytes
            .windows(version.len())
            .enumerate()
            .filter_map(|(at, window)| (window == version).then_some(at))
            .collect();
        for at in places {
            bytes[at..at + other.len()].copy_from_slice(other);
        }
        let copy = folder.join(name);
        fs::write(&copy, bytes).unwrap();
        fs::set_permissions(&copy, fs::metadata(&found).unwrap().permissions()).unwrap();
        copy
    };
    Programs {
        kustomize: copy("kustomize", b"v5.8.2", b"v5.8.9"),
        helm: copy("helm", b"v3.22", b"v3.99"),
        ..Programs::default()
    }
}

#[test]
fn every_thing_that_matters_has_a_case() {
    let names: Vec<_> = cases("keys")
        .iter()
        .map(|path| name(path).to_owned())
        .collect();
    for thing in [
        "a-base-outside-the-path",
        "a-remote-base",
        "a-value-file-of-another-source",
        "the-build-environment-where-it-is-used",
        "a-substituted-value",
        "a-variable-that-is-not-used",
        "another-version-of-helm",
        "another-version-of-kustomize",
        "a-registered-kustomize-of-another-version",
        "another-version-of-the-cluster",
        "another-commit-with-the-same-files",
        "an-unrelated-path",
    ] {
        assert!(names.iter().any(|name| name == thing), "{thing}");
    }
}
