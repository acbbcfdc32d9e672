//! Golden renders by the real kustomize and helm: each folder of tests/render/kustomize and tests/render/helm holds a source, what
//! an Application asks of it, and what comes of it. `TRYCMD=overwrite` writes the expectations anew. Where a case says how a person
//! would render it by hand, both must give the same objects.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "../git/repository.rs"]
mod repository;
#[path = "../render/sources.rs"]
mod sources;

#[path = "render/keys.rs"]
mod keys;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use controller::{
    dialect::kustomize_settings,
    render::{KustomizeSettings, RemoteBase, Rendered, Request},
};
use serde_json::{Map, Value};

use sources::{Programs, Sources, application, cases, expect, name, printed, request};

/// `case.json`
#[derive(serde::Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Case {
    /// `spec.source` of the Application.
    source: Value,
    /// Its annotations.
    annotations: Map<String, Value>,
    /// Whether the controller runs with `--kustomize-enable-helm`.
    charts: bool,
    /// Whether it runs with `--kustomize-enable-remote-bases`: then the folders of `bases` are repositories of
    /// `https://git.example.org` at `v1`.
    remote_bases: bool,
    /// Data of `argocd-cm`, where `KUSTOMIZE` is the path of the real one.
    settings: BTreeMap<String, String>,
    /// What a person types in the root of the repository.
    by_hand: String,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            source: Value::Object(Map::new()),
            annotations: Map::new(),
            charts: false,
            remote_bases: false,
            settings: BTreeMap::new(),
            by_hand: String::new(),
        }
    }
}

#[tokio::test]
async fn every_kustomization_renders_as_its_folder_says() {
    every_case("kustomize").await;
}

#[tokio::test]
async fn every_chart_renders_as_its_folder_says() {
    every_case("helm").await;
}

async fn every_case(folder: &str) {
    let sources = Sources::new();
    for path in cases(folder) {
        let case: Case =
            serde_json::from_slice(&fs::read(path.join("case.json")).unwrap()).unwrap();
        let request = request_of(&sources, &path, &case).await;
        let programs = Programs {
            kustomize_charts: case.charts,
            remote_bases: case.remote_bases,
            ..Programs::default()
        };
        let renderer = sources.renderer(&programs);
        let rendered = renderer.render(&request);
        if let Ok(rendered) = &rendered {
            assert_eq!(renderer.key(&request).as_ref(), Ok(&rendered.key));
        }
        if !case.by_hand.is_empty() {
            let ours = rendered.as_ref().unwrap();
            assert_eq!(
                objects(ours),
                by_hand(&path, &case.by_hand),
                "{}",
                path.display()
            );
        }
        let shown = printed(&rendered);
        assert!(
            !shown.contains("/render-"),
            "shows the scratch folder: {shown}"
        );
        expect(&path.join("rendered.txt"), shown);
    }
}

async fn request_of(sources: &Sources, path: &Path, case: &Case) -> Request {
    let origin = sources.origin_of(name(path), &path.join("source"));
    let directory = case.source["path"].as_str().unwrap_or_default();
    let tree = sources.tree(&origin, &origin.commit(&[]), directory).await;
    let mut application = application("shop", &case.source);
    application["metadata"]["annotations"] = case.annotations.clone().into();
    let mut request = request(&application, tree);
    // The commit differs from run to run, and expectations must not.
    request.environment.revision = "94c2159a7b3c000000000000000000000000beef".to_owned();
    request.kustomize = settings(&case.settings, &program("kustomize"));
    let references = fs::read_dir(path.join("references"));
    for reference in references.into_iter().flatten() {
        let folder = reference.unwrap().path();
        let origin = sources.origin_of(&format!("{}-{}", name(path), name(&folder)), &folder);
        let tree = sources.tree(&origin, &origin.commit(&[]), "").await;
        request.references.insert(name(&folder).to_owned(), tree);
    }
    let bases = fs::read_dir(path.join("bases"));
    for base in bases.into_iter().flatten() {
        let folder = base.unwrap().path();
        let origin = sources.origin_of(&format!("{}-{}", name(path), name(&folder)), &folder);
        let tree = sources.tree(&origin, &origin.commit(&[]), "").await;
        let base = RemoteBase {
            url: format!("https://git.example.org/{}.git", name(&folder)),
            revision: "v1".to_owned(),
        };
        request.bases.insert(base, tree);
    }
    request
}

/// What `argocd-cm` says, with the path of a program in place of its name.
fn settings(data: &BTreeMap<String, String>, kustomize: &Path) -> Arc<KustomizeSettings> {
    let kustomize = kustomize.to_str().unwrap();
    let data = data.iter();
    let data = data.map(|(key, text)| (key.clone(), text.replace("KUSTOMIZE", kustomize)));
    Arc::new(kustomize_settings(&data.collect()))
}

/// A program of PATH.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.find(|path| path.is_file()).unwrap()
}

fn objects(rendered: &Rendered) -> Vec<Value> {
    rendered
        .manifests()
        .map(|manifest| manifest.object.clone())
        .collect()
}

/// What a person gets who types `line` in the root of the repository.
fn by_hand(case: &Path, line: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let copied = Command::new("cp")
        .arg("-a")
        .arg(case.join("."))
        .arg(folder.path())
        .status();
    assert!(copied.unwrap().success());
    let output = Command::new("sh")
        .args(["-ec", line])
        .current_dir(folder.path().join("source"))
        .output()
        .unwrap();
    let output_text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let documents = output_text
        .split("\n---\n")
        .map(|text| text.trim_start_matches("---\n"));
    documents
        .map(|text| serde_saphyr::from_str::<Value>(text).unwrap())
        .filter(|value| !value.is_null())
        .collect()
}

#[tokio::test]
async fn kustomize_and_helm_find_what_lies_in_submodules() {
    let sources = Sources::new();
    let renderer = sources.renderer(&Programs::default());
    let (lib, app) = (sources.origin("lib"), sources.origin("app"));
    let pinned = lib.commit(&[
        ("base/kustomization.yaml", "resources: [a.yaml]"),
        (
            "base/a.yaml",
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}",
        ),
        (
            "web/Chart.yaml",
            "{apiVersion: v2, name: web, version: 1.0.0}",
        ),
        (
            "web/templates/a.yaml",
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: '{{ .Values.name }}'}}",
        ),
    ]);
    app.submodule("vendor/lib", "../lib.git", &pinned);
    app.submodule("unused", "../none.git", &pinned);
    let commit = app.commit(&[
        (
            "overlay/kustomization.yaml",
            "{namePrefix: x-, resources: [../vendor/lib/base]}",
        ),
        ("values.yaml", "name: x-a"),
    ]);
    for (path, source) in [
        ("overlay", serde_json::json!({})),
        (
            "vendor/lib/web",
            serde_json::json!({"helm": {"valueFiles": ["/values.yaml"]}}),
        ),
    ] {
        let tree = sources.tree(&app, &commit, path).await;
        let request = request(&application("shop", &source), tree);
        let request = sources.supplied(&renderer, request).await;
        let rendered = renderer.render(&request).unwrap();
        assert_eq!(renderer.key(&request).as_ref(), Ok(&rendered.key));
        let names: Vec<_> = objects(&rendered)
            .into_iter()
            .map(|object| object["metadata"]["name"].clone())
            .collect();
        assert_eq!(names, ["x-a"], "{path}");
    }
}

/// Git makes no entry named `..`, but somebody may.
#[tokio::test]
async fn a_tree_that_git_would_not_make_is_written_nowhere() {
    let sources = Sources::new();
    let origin = sources.origin("odd");
    origin.commit(&[("Chart.yaml", "{name: odd}"), ("evil", "evil")]);
    let script = r#"
        chart=$(git rev-parse HEAD:Chart.yaml)
        inner=$(printf '100644 blob %s\tevil\n' $(git rev-parse HEAD:evil) | git mktree)
        root=$(printf '100644 blob %s\tChart.yaml\n040000 tree %s\t..\n' $chart $inner | git mktree)
        export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t
        commit=$(git commit-tree -m odd $root)
        git push -q -f origin $commit:refs/heads/main
        echo $commit"#;
    let output = Command::new("sh")
        .args(["-ec", script])
        .current_dir(&origin.work)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let commit = String::from_utf8(output.stdout).unwrap();
    let tree = sources.tree(&origin, commit.trim(), "").await;
    let request = request(&application("shop", &Value::Object(Map::new())), tree);
    let error = sources.renderer(&Programs::default()).render(&request);
    assert_eq!(
        error.unwrap_err().to_string(),
        "../evil: is no path that Git would make"
    );
}

#[tokio::test]
async fn a_submodule_where_a_link_stands_too_is_written_nowhere() {
    let sources = Sources::new();
    let (lib, origin) = (sources.origin("evil"), sources.origin("linked"));
    let pinned = lib.commit(&[("evil", "evil")]);
    let modules = "[submodule \"s\"]\n\tpath = s\n\turl = ../evil.git\n";
    origin.commit(&[
        ("Chart.yaml", "{name: odd}"),
        ("modules", modules),
        ("nowhere", "nowhere"),
    ]);
    let blob = |name: &str| origin.git(&["rev-parse", &format!("HEAD:{name}")]);
    let (chart, modules, link) = (blob("Chart.yaml"), blob("modules"), blob("nowhere"));
    let commit = origin.commit_by_hand(&format!(
        "100644 blob {modules}\t.gitmodules\n100644 blob {chart}\tChart.yaml\n\
         160000 commit {pinned}\ts\n120000 blob {link}\ts\n"
    ));
    let tree = sources.tree(&origin, &commit, "").await;
    let request = request(&application("shop", &Value::Object(Map::new())), tree);
    let renderer = sources.renderer(&Programs::default());
    let error = renderer.render(&sources.supplied(&renderer, request).await);
    assert_eq!(
        error.unwrap_err().to_string(),
        "s/evil: is no path that Git would make"
    );
}

#[tokio::test]
async fn a_chart_of_200_objects_renders() {
    let sources = Sources::new();
    let origin = sources.origin("large");
    let template = "{{- range $n := until 200 }}\n---\napiVersion: v1\nkind: ConfigMap\n\
        metadata: {name: {{ $.Release.Name }}-{{ $n }}}\ndata: {n: {{ $n | quote }}}\n{{- end }}\n";
    let commit = origin.commit(&[
        (
            "Chart.yaml",
            "{apiVersion: v2, name: large, version: 1.0.0}",
        ),
        ("templates/all.yaml", template),
    ]);
    let tree = sources.tree(&origin, &commit, "").await;
    let request = request(&application("shop", &Value::Object(Map::new())), tree);
    let rendered = sources
        .renderer(&Programs::default())
        .render(&request)
        .unwrap();
    assert_eq!(rendered.manifests().count(), 200);
    let files: BTreeMap<&str, usize> =
        rendered
            .manifests()
            .fold(BTreeMap::new(), |mut files, manifest| {
                *files.entry(manifest.file.as_str()).or_default() += 1;
                files
            });
    assert_eq!(
        files.into_iter().collect::<Vec<_>>(),
        [("templates/all.yaml", 200)]
    );
}
