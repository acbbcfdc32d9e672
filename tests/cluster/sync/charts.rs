//! Charts that an Application takes from a registry: as a source, with values that lie in Git, and as what a chart in Git depends on.

use std::fs;
use std::process::Command;

use crate::harness::{Registry, run};
use crate::scene::Scene;

/// Packs a chart with one ConfigMap and pushes it.
fn push(host: &str, name: &str, version: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let chart = folder.path().join(name);
    fs::create_dir_all(chart.join("templates")).expect("a temporary folder");
    let template = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n\
         data: {{version: \"{{{{ .Chart.Version }}}}\", value: \"{{{{ .Values.value }}}}\"}}\n"
    );
    for (file, content) in [
        (
            "Chart.yaml",
            format!("apiVersion: v2\nname: {name}\nversion: {version}\n"),
        ),
        ("values.yaml", format!("value: of-{name}\n")),
        ("templates/settings.yaml", template),
    ] {
        fs::write(chart.join(file), content).expect("a temporary folder");
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
    let registry = Registry::start();
    let host = format!("localhost:{}", registry.port);
    push(&host, "shop", "1.0.0");
    push(&host, "part", "1.0.0");
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: registry, namespace: {}, labels: {{argocd.argoproj.io/secret-type: repository}}, \
         annotations: {{signet.dev/allow-local-addresses: 'true'}}}}\n\
         stringData: {{type: helm, name: registry, url: '{host}/charts', enableOCI: 'true', insecureOCIForceHttp: 'true'}}\n",
        scene.own
    ));
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
    scene.becomes("configmap", "shop", "{.data.value}", "from-git");
    scene.becomes("configmap", "part", "{.data.value}", "of-part");

    push(&host, "shop", "1.1.0");
    scene.refresh();
    scene.synced_to(&["1.1.0", &commit, &commit]);
    scene.becomes("configmap", "shop", "{.data.version}", "1.1.0");

    let commit = scene.commit(&[("values/shop.yaml", "value: changed\n")]);
    scene.synced_to(&["1.1.0", &commit, &commit]);
    scene.becomes("configmap", "shop", "{.data.value}", "changed");
}
