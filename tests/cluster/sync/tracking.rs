//! Which Application an object names, where one of the two is in no namespace or in another than usual.
//! What follows from that name is the business of the golden plans.

use crate::AUTOMATED;
use crate::harness::Controller;
use crate::scene::{Scene, config_map};

const TRACKING: &str = "/metadata/annotations/argocd.argoproj.io~1tracking-id";

/// Has the project permit everything, and Applications of another namespace too.
fn permit(scene: &Scene, team: &str) {
    let own = &scene.own;
    scene.testbed.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {{name: default, namespace: {own}}}\nspec:\n\
         \x20 sourceRepos: [\"*\"]\n  sourceNamespaces: [{team}]\n  destinations: [{{server: \"*\", namespace: \"*\"}}]\n\
         \x20 clusterResourceWhitelist: [{{group: \"*\", kind: \"*\"}}]\n"
    ));
}

/// Another Application of the same name, in that namespace and from the folder `team`.
fn application(scene: &Scene, team: &str) {
    let (to, url) = (&scene.to, scene.repository.url());
    scene.testbed.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: app, namespace: {team}}}\nspec:\n\
         \x20 project: default\n  source: {{repoURL: \"{url}\", path: team, targetRevision: main}}\n\
         \x20 destination: {{server: \"https://kubernetes.default.svc\", namespace: {to}}}\n  syncPolicy: {AUTOMATED}\n"
    ));
}

#[test]
fn an_object_names_its_application_by_the_namespaces_of_both() {
    let scene = Scene::new("tracking");
    let team = scene.testbed.namespace("tracking-team");
    permit(&scene, &team);
    let [namespace, scope, poll, key] = scene.arguments();
    let also = format!("--application-namespaces={team}");
    let arguments = [namespace.as_str(), &scope, &poll, &key, &also];
    let _controller = Controller::start(&arguments).ready();
    let to = scene.to.as_str();
    let role = format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {to}-reader}}\n\
         rules: [{{apiGroups: [\"\"], resources: [configmaps], verbs: [get]}}]\n"
    );
    let commit = scene.repository.commit(
        &[
            ("app/role.yaml", &role),
            ("team/a.yaml", &config_map("a", "1")),
            ("team/b.yaml", &config_map("b", "1")),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    let reader = format!("{to}-reader");
    let id = format!("app:rbac.authorization.k8s.io/ClusterRole:{to}/{reader}");
    scene.becomes("clusterrole", &reader, TRACKING, id);

    application(&scene, &team);
    let id = |name: &str| format!("{team}_app:/ConfigMap:{to}/{name}");
    scene.becomes("configmap", "a", TRACKING, id("a"));
    scene.becomes("configmap", "b", TRACKING, id("b"));

    // By these names each finds its own again, and nothing of the other.
    let commit = scene.remove(&["team/b.yaml"]);
    let refresh = "argocd.argoproj.io/refresh=normal";
    let app = ["annotate", "application", "app", refresh];
    let place = ["--namespace", &team];
    scene.testbed.kubectl(&[&app[..], &place].concat());
    scene.vanishes("configmap", "b");
    scene.sync_status("Synced", &commit);
    scene.becomes("configmap", "a", TRACKING, id("a"));
}
