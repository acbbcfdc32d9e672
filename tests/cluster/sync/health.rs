//! Scripts of `argocd-cm` judge objects in the cluster. What scripts may do is the business of `tests/health`.

use crate::harness::{equal, eventually};
use crate::scene::{Scene, config_map};

/// `argocd-cm` with a script for ConfigMaps, which have no health of their own.
fn customize(scene: &Scene, otherwise: &str) {
    let own = &scene.own;
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: argocd-cm, namespace: {own}}}\ndata:\n\
         \x20 resource.customizations.health.ConfigMap: |\n\
         \x20   if obj.data.value == \"ready\" then return {{status = \"Healthy\"}} end\n\
         \x20   return {{status = \"{otherwise}\", message = \"value is \" .. obj.data.value}}\n"
    ));
}

fn health(scene: &Scene, status: &str, message: &str) {
    eventually(&format!("the Application is {status}: {message:?}"), || {
        let health = &scene.app()["status"]["health"];
        equal(&health["status"], &status.into())
            .and_then(|()| equal(&health["message"].as_str().unwrap_or_default(), &message))
    });
}

#[test]
fn an_application_follows_the_scripts_of_argocd_cm_without_a_restart() {
    let scene = Scene::new("scripts");
    let _controller = scene.controller();
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "starting"))], "Add");
    scene.application("{automated: {}}");
    scene.operation("Succeeded", &commit);
    health(&scene, "Healthy", "");

    let said = format!("ConfigMap {}/a: value is starting", scene.to);
    customize(&scene, "Progressing");
    health(&scene, "Progressing", &said);
    customize(&scene, "Degraded");
    health(&scene, "Degraded", &said);

    let commit = scene.commit(&[("app/a.yaml", &config_map("a", "ready"))]);
    scene.operation("Succeeded", &commit);
    health(&scene, "Healthy", "");
    let commit = scene.commit(&[("app/a.yaml", &config_map("a", "broken"))]);
    scene.operation("Succeeded", &commit);
    health(
        &scene,
        "Degraded",
        &format!("ConfigMap {}/a: value is broken", scene.to),
    );

    let own = ["--namespace", &scene.own];
    let delete = ["delete", "configmap", "argocd-cm"];
    scene.testbed.kubectl(&[delete.as_slice(), &own].concat());
    health(&scene, "Healthy", "");
}
