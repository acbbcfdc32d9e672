//! Charts that an Application takes from a registry: as a source, with values that lie in Git, and as what a chart in Git depends on.

use std::fs;
use std::process::Command;

use crate::harness::{Registry, run};
use crate::scene::Scene;

/// A repository Secret for the charts of a registry, which the answer names.
pub(crate) fn registry(scene: &Scene, registry: &Registry) -> String {
    let host = format!("localhost:{}", registry.port);
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: registry, namespace: {}, labels: {{argocd.argoproj.io/secret-type: repository}}, \
         annotations: {{signet.dev/allow-local-addresses: 'true'}}}}\n\
         stringData: {{type: helm, name: registry, url: '{host}/charts', enableOCI: 'true', insecureOCIForceHttp: 'true'}}\n",
        scene.own
    ));
    host
}

/// Packs a chart with one ConfigMap and pushes it.
fn push_settings(host: &str, name: &str, version: &str) {
    let template = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n\
         data: {{version: \"{{{{ .Chart.Version }}}}\", value: \"{{{{ .Values.value }}}}\"}}\n"
    );
    let values = format!("value: of-{name}\n");
    let files = [
        ("values.yaml", &*values),
        ("templates/settings.yaml", &template),
    ];
    push(host, name, version, &files);
}

/// Packs a chart of these files and pushes it.
pub(crate) fn push(host: &str, name: &str, version: &str, files: &[(&str, &str)]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let chart = folder.path().join(name);
    let about = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    for (file, content) in files.iter().chain([&("Chart.yaml", &*about)]) {
        let file = chart.join(file);
        let parent = file.parent().expect("a file has a folder");
        fs::create_dir_all(parent).expect("a temporary folder");
        fs::write(file, content).expect("a temporary folder");
    }
    let helm = |args: &[&str]| {
        let mut command = Command::new("helm");
        run(command.args(args).current_dir(folder.path()), None).success()
    };
    helm(&["package", name]);
    let package = format!("{name}-{version}.tgz");
    let to = format!("oci://{host}/charts");
    helm(&["push", &package, &to, "--plain-http"]);
}

#[test]
fn charts_of_a_registry_take_values_from_git_follow_their_range_and_are_brought_along() {
    let scene = Scene::new("chart");
    let server = Registry::start();
    let host = registry(&scene, &server);
    push_settings(&host, "shop", "1.0.0");
    push_settings(&host, "part", "1.0.0");
    let _controller = scene.controller();
    let in_git = format!(
        "apiVersion: v2\nname: app\nversion: 1.0.0\n\
         dependencies: [{{name: part, version: 1.x, repository: \"oci://{host}/charts\"}}]\n"
    );
    let commit = scene.repository.commit(
        &[
            ("values/shop.yaml", "value: from-git\n"),
            ("app/Chart.yaml", &in_git),
        ],
        "Set",
    );
    let url = scene.repository.url();
    let sources = format!(
        "sources: [{{repoURL: '{host}/charts', chart: shop, targetRevision: 1.x, helm: {{valueFiles: ['$values/values/shop.yaml']}}}}, \
         {{repoURL: '{url}', targetRevision: main, ref: values}}, {{repoURL: '{url}', targetRevision: main, path: app}}]"
    );
    scene.application_of(&sources, "{automated: {prune: true}}");
    scene.synced_to(&["1.0.0", &commit, &commit]);
    scene.becomes("configmap", "shop", "/data/value", "from-git");
    scene.becomes("configmap", "part", "/data/value", "of-part");

    push_settings(&host, "shop", "1.1.0");
    scene.refresh();
    scene.synced_to(&["1.1.0", &commit, &commit]);
    scene.becomes("configmap", "shop", "/data/version", "1.1.0");

    let commit = scene.commit(&[("values/shop.yaml", "value: changed\n")]);
    scene.synced_to(&["1.1.0", &commit, &commit]);
    scene.becomes("configmap", "shop", "/data/value", "changed");
}
