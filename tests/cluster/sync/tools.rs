//! Sources that other programs render, from the commit to the cluster. What they render is the business of `render.rs`.

use crate::harness::{equal, eventually};
use crate::scene::{Scene, config_map};

fn source_type(scene: &Scene, kind: &str) {
    eventually(&format!("the source is of {kind}"), || {
        equal(&scene.app()["status"]["sourceType"], &kind.into())
    });
}

#[test]
fn a_kustomization_and_then_a_chart_in_its_place_are_kept_alive() {
    let scene = Scene::new("tools");
    let _controller = scene.controller();
    let overlay = "resources: [../base]\nnamePrefix: my-\n";
    scene.repository.commit(
        &[
            ("app/kustomization.yaml", overlay),
            ("base/kustomization.yaml", "resources: [a.yaml]\n"),
            ("base/a.yaml", &config_map("a", "1")),
        ],
        "Add",
    );
    scene.application("{automated: {prune: true}}");
    scene.becomes("configmap", "my-a", "/data/value", "1");
    source_type(&scene, "Kustomize");
    let commit = scene.commit(&[("base/a.yaml", &config_map("a", "2"))]);
    scene.operation("Succeeded", &commit);
    scene.becomes("configmap", "my-a", "/data/value", "2");

    scene
        .repository
        .remove(&["app/kustomization.yaml"], "Remove");
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n\
        data: {value: \"{{ .Capabilities.KubeVersion.Major }}\", crd: \"{{ .Capabilities.APIVersions.Has \"bitnami.com/v1alpha1/SealedSecret\" }}\"}\n";
    let commit = scene.commit(&[
        (
            "app/Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.0.0\n",
        ),
        ("app/templates/a.yaml", template),
    ]);
    scene.operation("Succeeded", &commit);
    scene.becomes("configmap", "app", "/data/value", "1");
    scene.becomes("configmap", "app", "/data/crd", "true");
    scene.vanishes("configmap", "my-a");
    source_type(&scene, "Helm");

    let commit = scene.commit(&[(
        "app/templates/b.yaml",
        "{{ lookup \"v1\" \"Secret\" \"\" \"\" }}\n",
    )]);
    let message = scene.condition("ComparisonError");
    assert!(
        message.contains("app/templates/b.yaml:1: the template function lookup asks the cluster"),
        "{message} at {commit}"
    );
    scene.becomes("configmap", "app", "/data/value", "1");
}

#[test]
fn an_application_is_rendered_by_the_kustomize_that_argocd_cm_registers_without_a_restart() {
    let scene = Scene::new("versions");
    let _controller = scene.controller();
    scene.repository.commit(
        &[
            ("app/kustomization.yaml", "resources: [a.yaml]\n"),
            ("app/a.yaml", &config_map("a", "1")),
        ],
        "Add",
    );
    let url = scene.repository.url();
    let source = format!(
        "source: {{repoURL: \"{url}\", path: app, targetRevision: main, kustomize: {{version: v5-own}}}}"
    );
    scene.application_of(&source, "{automated: {}}");
    scene.says("ComparisonError", "no version is registered");

    let own = &scene.own;
    let register = |path: &str| {
        scene.testbed.apply(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: argocd-cm, namespace: {own}}}\ndata:\n\
             \x20 kustomize.path.v5-own: \"{path}\"\n  kustomize.buildOptions.v5-own: --enable-managedby-label\n"
        ));
    };
    register("/nowhere/kustomize");
    scene.says(
        "ComparisonError",
        "kustomize.path.v5-own in the ConfigMap argocd-cm: found no program /nowhere/kustomize",
    );
    let path = std::env::var_os("PATH").expect("a PATH");
    let mut places = std::env::split_paths(&path).map(|folder| folder.join("kustomize"));
    let program = places.find(|program| program.is_file()).expect("kustomize");
    register(&program.display().to_string());
    let label = "/metadata/labels/app.kubernetes.io~1managed-by";
    eventually("kustomize was called with its options", || {
        let found = scene.field("configmap", "a", label).unwrap_or_default();
        match found.as_str() {
            Some(by) if by.starts_with("kustomize") => Ok(()),
            _ => Err(format!("{found}")),
        }
    });
}
