//! Golden renders of plain directories: each folder of tests/render/directory holds a source, and what it renders to or why it
//! is refused. `TRYCMD=overwrite` writes the expectation anew. What other programs render is in `cluster/render.rs`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "git/repository.rs"]
mod repository;
#[path = "render/sources.rs"]
mod sources;

use std::{fs, path::Path, sync::Arc};

use controller::render::{
    DirectoryOptions, RenderKey, Renderer, RendererOptions, Request, SourceOptions, Tool,
    child::Runner,
};
use serde_json::json;

use repository::Origin;
use sources::{Programs, Sources, application, cases, expect, name, printed, request};

/// `options.json` of a case: the fields of `spec.source.directory`, and `path`.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CaseOptions {
    path: String,
    recurse: bool,
    include: String,
    exclude: String,
}

fn options(case: &Path) -> CaseOptions {
    let file = case.join("options.json");
    if file.exists() {
        serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
    } else {
        CaseOptions::default()
    }
}

/// Of plain manifests, whatever lies there.
async fn plain(
    sources: &Sources,
    origin: &Origin,
    commit: &str,
    path: &str,
    options: DirectoryOptions,
) -> Request {
    let tree = sources.tree(origin, commit, path).await;
    let mut request = request(&application("shop", &json!({"path": path})), tree);
    request.options = SourceOptions {
        tool: Tool::Directory(options),
        ..SourceOptions::default()
    };
    request
}

#[tokio::test]
async fn every_source_renders_as_its_folder_says() {
    let sources = Sources::new();
    let renderer = sources.renderer(&Programs::default());
    for case in cases("directory") {
        let origin = sources.origin_of(name(&case), &case.join("source"));
        let commit = origin.commit(&[]);
        let CaseOptions {
            path,
            recurse,
            include,
            exclude,
        } = options(&case);
        let options = DirectoryOptions {
            recurse,
            include,
            exclude,
        };
        let request = plain(&sources, &origin, &commit, &path, options).await;
        let rendered = renderer.render(&request);
        expect(&case.join("rendered.txt"), printed(&rendered));
    }
}

#[tokio::test]
async fn the_key_tells_whether_rendering_again_would_give_the_same() {
    let sources = Sources::new();
    let renderer = sources.renderer(&Programs::default());
    let links = cases("directory")
        .into_iter()
        .find(|case| case.ends_with("symlinks-inside-the-repository"))
        .unwrap();
    let origin = sources.origin_of("links", &links.join("source"));
    let all = DirectoryOptions {
        recurse: true,
        ..DirectoryOptions::default()
    };
    let key = async |commit: &str, options: &DirectoryOptions| {
        let request = plain(&sources, &origin, commit, "app", options.clone()).await;
        key_of(&renderer, &request)
    };
    let commit = origin.commit(&[]);
    let before = key(&commit, &all).await;
    assert_ne!(before, key(&commit, &DirectoryOptions::default()).await);
    let only = DirectoryOptions {
        include: "*.yaml".to_owned(),
        ..all.clone()
    };
    assert_ne!(before, key(&commit, &only).await);

    let commit = origin.commit(&[("elsewhere.yaml", "a: 1")]);
    assert_eq!(before, key(&commit, &all).await);
    let service = "{apiVersion: v1, kind: Service, metadata: {name: new}}";
    let commit = origin.commit(&[("shared/common.yaml", service)]);
    assert_ne!(before, key(&commit, &all).await);
}

#[tokio::test]
async fn a_file_is_not_read_again_while_a_render_with_it_is_in_use() {
    let sources = Sources::new();
    let renderer = sources.renderer(&Programs::default());
    let origin = sources.origin("shop");
    let map =
        |name: &str| format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}");
    let rendered = async |files: &[(&str, &str)]| {
        let commit = origin.commit(files);
        let options = DirectoryOptions::default();
        let request = plain(&sources, &origin, &commit, "", options).await;
        renderer.render(&request).unwrap()
    };
    let (a, b, c) = (map("a"), map("b"), map("c"));
    let before = rendered(&[("a.yaml", &a), ("b.yaml", &b)]).await;
    let after = rendered(&[("b.yaml", &c), ("copy.yaml", &a)]).await;
    assert!(Arc::ptr_eq(&before.batches[0], &after.batches[0]));
    let read: Vec<_> = after
        .manifests()
        .map(|manifest| {
            let name = &manifest.object["metadata"]["name"];
            (manifest.file.as_str(), name.as_str().unwrap())
        })
        .collect();
    assert_eq!(read, [("a.yaml", "a"), ("b.yaml", "c"), ("copy.yaml", "a")]);
}

#[tokio::test]
async fn the_commit_and_the_url_of_a_submodule_are_part_of_the_key() {
    let sources = Sources::new();
    let renderer = sources.renderer(&Programs::default());
    let (lib, copy, app) = (
        sources.origin("lib"),
        sources.origin("copy"),
        sources.origin("app"),
    );
    let map = |value: &str| {
        format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: lib}}, data: {{v: '{value}'}}}}"
        )
    };
    let first = lib.commit(&[("b.yaml", &map("1"))]);
    app.submodule("app/lib", "../lib.git", &first);
    let rendered = async |commit: &str| {
        let options = DirectoryOptions {
            recurse: true,
            ..DirectoryOptions::default()
        };
        let request = plain(&sources, &app, commit, "app", options).await;
        let request = sources.supplied(&renderer, request).await;
        let key = key_of(&renderer, &request);
        let rendered = renderer.render(&request).unwrap();
        let manifest = rendered.manifests().next().unwrap();
        (
            key,
            format!("{} {}", manifest.file, manifest.object["data"]["v"]),
        )
    };
    let commit = app.commit(&[]);
    let before = rendered(&commit).await;
    assert_eq!(before.1, "app/lib/b.yaml \"1\"");
    let commit = app.commit(&[("elsewhere.yaml", "a: 1")]);
    assert_eq!(rendered(&commit).await, before);

    lib.git(&["push", "-q", copy.bare.to_str().unwrap(), "HEAD"]);
    let named = fs::read_to_string(app.work.join(".gitmodules")).unwrap();
    let commit = app.commit(&[(".gitmodules", &named.replace("lib.git", "copy.git"))]);
    let elsewhere = rendered(&commit).await;
    assert_eq!(elsewhere.1, before.1);
    assert_ne!(elsewhere.0, before.0);

    let second = lib.commit(&[("b.yaml", &map("2"))]);
    app.gitlink("app/lib", &second);
    let commit = app.commit(&[(".gitmodules", &named)]);
    let after = rendered(&commit).await;
    assert_eq!(after.1, "app/lib/b.yaml \"2\"");
    assert_ne!(after.0, before.0);
}

/// The key, which a render has as well.
fn key_of(renderer: &Renderer, request: &Request) -> RenderKey {
    let key = renderer.key(request).unwrap();
    assert_eq!(renderer.render(request).unwrap().key, key);
    key
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named_with_what_needs_it() {
    let sources = Sources::new();
    let programs = Programs {
        kustomize: "/nowhere/kustomize".into(),
        helm: "/nowhere/helm".into(),
        ..Programs::default()
    };
    let renderer = sources.renderer(&programs);
    for (file, problem) in [
        (
            "kustomization.yaml",
            "kustomize is needed to render this source: found no program /nowhere/kustomize",
        ),
        (
            "Chart.yaml",
            "helm is needed to render this source: found no program /nowhere/helm",
        ),
    ] {
        let origin = sources.origin(file);
        let commit = origin.commit(&[(file, "{}")]);
        let tree = sources.tree(&origin, &commit, "").await;
        let error = renderer
            .render(&request(&application("shop", &json!({})), tree))
            .unwrap_err();
        assert_eq!(error.to_string(), problem);
        assert!(error.hint().unwrap().contains("--helm-program"));
    }
}

#[tokio::test]
async fn a_folder_that_can_not_be_written_is_not_taken_for_a_missing_program() {
    let sources = Sources::new();
    let origin = sources.origin("app");
    let commit = origin.commit(&[("kustomization.yaml", "{}")]);
    let tree = sources.tree(&origin, &commit, "").await;
    let renderer = Renderer::new(RendererOptions {
        kustomize: "/bin/sh".into(),
        helm: "/bin/sh".into(),
        kustomize_charts: false,
        kustomize_remote_bases: false,
        directory: "/nowhere".into(),
        runner: Runner::default(),
    });
    let error = renderer
        .render(&request(&application("shop", &json!({})), tree))
        .unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("can't write the source"), "{text}");
    assert!(error.hint().unwrap().contains("--data-dir"));
}
