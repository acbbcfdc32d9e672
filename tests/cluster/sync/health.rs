//! Who judges objects in the cluster: scripts of `argocd-cm`, rules for their kinds, or what their conditions say by convention.
//! All that scripts may do is the business of `tests/health`, and what each rule says is that of unit tests.

use std::time::Instant;

use serde_json::{Value, json};

use crate::AUTOMATED;
use crate::harness::{equal, eventually};
use crate::scene::{Scene, config_map, deployment};

/// `argocd-cm` with this data, as YAML lines of that depth.
fn settings(scene: &Scene, data: &str) {
    let own = &scene.own;
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: argocd-cm, namespace: {own}}}\ndata:\n{data}"
    ));
}

/// A script for ConfigMaps, which have no health of their own.
fn customize(scene: &Scene, otherwise: &str) {
    let script = format!(
        "\x20 resource.customizations.health.ConfigMap: |\n\
         \x20   if obj.data.value == \"ready\" then return {{status = \"Healthy\"}} end\n\
         \x20   return {{status = \"{otherwise}\", message = \"value is \" .. obj.data.value}}\n"
    );
    settings(scene, &script);
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

/// Two kinds with rules, for which nobody works here.
const WITHOUT_ADDRESS: &str = "\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
";

/// A script for exactly one kind, and others for many.
const SCRIPTS: &str = r#"  resource.customizations.health.Service: |
    return {status = "Degraded", message = "by its own"}
  resource.customizations: |
    "Serv*": {health.lua: 'return {status = "Degraded", message = "by wildcards"}'}
    "{apps,batch}/*": {health.lua: 'return {status = "Degraded", message = "by wildcards"}'}
"#;

/// Has the API server know Widgets, a kind without a rule.
fn define(scene: &Scene, group: &str) {
    scene.testbed.apply(&format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: widgets.{group}}}\n\
         spec:\n  group: {group}\n  scope: Namespaced\n  names: {{kind: Widget, plural: widgets, singular: widget}}\n  versions:\n\
         \x20 - name: v1\n    served: true\n    storage: true\n    subresources: {{status: {{}}}}\n\
         \x20   schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}\n"
    ));
}

/// Writes the status of an object, as whoever works for it does.
fn status(scene: &Scene, object: &str, status: &Value) {
    let patch = json!({ "status": status }).to_string();
    let patch = ["patch", object, "--type=merge", "--patch", &patch];
    let to = ["--namespace", &scene.to, "--subresource=status"];
    scene.testbed.kubectl(&[&patch[..], &to].concat());
}

/// A status with one condition, in the form that Kubernetes' own kinds demand.
fn condition(kind: &str, status: &str, message: &str) -> Value {
    let condition = json!({
        "type": kind,
        "status": status,
        "reason": "Test",
        "message": message,
        "lastTransitionTime": "2026-03-01T12:00:00Z",
    });
    json!({ "conditions": [condition] })
}

/// A Deployment that is paused, a Widget, and Jobs that are suspended.
fn paused(group: &str) -> String {
    let web = deployment("web", "web:1", "")
        .replace("spec:\n  replicas", "spec:\n  paused: true\n  replicas");
    let widget = format!(
        "apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: one}}\nspec: {{size: 1}}\n"
    );
    let job = |name: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  suspend: true\n  template:\n    spec:\n\
             \x20     restartPolicy: Never\n      containers: [{{name: main, image: \"job:1\"}}]\n"
        )
    };
    [web, widget, job("a"), job("b"), job("c")].join("---\n")
}

#[test]
fn the_worst_are_named_as_their_script_their_rule_or_their_conditions_say() {
    let scene = Scene::new("judged");
    let to = &scene.to;
    let group = format!("{to}.example.com");
    define(&scene, &group);
    let _controller = scene.controller();
    let commit = scene.repository.commit(
        &[
            ("app/web.yaml", WITHOUT_ADDRESS),
            ("app/paused.yaml", &paused(&group)),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &commit);

    // By convention the Service would be Degraded; it has a rule.
    let widget = format!("widgets.{group}/one");
    let unready = condition("Ready", "False", "in the making");
    status(&scene, &widget, &unready);
    let stalled = condition("Stalled", "True", "no way");
    status(&scene, "service/web", &stalled);
    let waiting = format!(
        "Service {to}/web: Waiting for the load balancer's address; {group}/Widget {to}/one: in the making; \
         networking.k8s.io/Ingress {to}/web: Waiting for the ingress controller to report an address"
    );
    health(&scene, "Progressing", &waiting);

    let address = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}});
    status(&scene, "service/web", &address);
    status(&scene, "ingress/web", &address);
    let ready = condition("Ready", "True", "");
    status(&scene, &widget, &ready);
    let suspended = format!(
        "apps/Deployment {to}/web: Deployment is paused; batch/Job {to}/a: Job suspended; \
         batch/Job {to}/b: Job suspended; and 1 more"
    );
    health(&scene, "Suspended", &suspended);

    settings(&scene, SCRIPTS);
    let degraded = format!(
        "Service {to}/web: by its own; apps/Deployment {to}/web: by wildcards; \
         batch/Job {to}/a: by wildcards; and 2 more"
    );
    health(&scene, "Degraded", &degraded);
}

/// How often the controller has written the Application since the audit log had so many bytes.
fn writes(scene: &Scene, start: u64) -> usize {
    let requests = scene.testbed.audited_from("testbed-admin", start);
    let is_write = |request: &&Value| {
        let object = &request["objectRef"];
        let agent = request["userAgent"].as_str().unwrap_or_default();
        object["resource"] == "applications"
            && object["namespace"] == scene.own.as_str()
            && request["verb"] == "patch"
            && agent.starts_with("signet-controller")
    };
    requests.iter().filter(is_write).count()
}

#[test]
fn a_health_that_flickers_is_told_once_a_second_at_most() {
    let scene = Scene::new("flickers");
    let _controller = scene.controller();
    let commit = scene
        .repository
        .commit(&[("app/web.yaml", WITHOUT_ADDRESS)], "Add");
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &commit);
    let addresses = |ip: &str| json!({ "loadBalancer": { "ingress": [{ "ip": ip }] } });
    let none = json!({ "loadBalancer": { "ingress": [] } });
    status(&scene, "service/web", &addresses("192.0.2.1"));
    let waiting = format!(
        "networking.k8s.io/Ingress {}/web: Waiting for the ingress controller to report an address",
        scene.to
    );
    health(&scene, "Progressing", &waiting);

    let (start, began) = (scene.testbed.audit_end(), Instant::now());
    for _ in 0..10 {
        status(&scene, "ingress/web", &addresses("192.0.2.2"));
        status(&scene, "ingress/web", &none);
    }
    status(&scene, "ingress/web", &addresses("192.0.2.2"));
    health(&scene, "Healthy", "");
    let seconds = began.elapsed().as_secs() + 1;
    let written = writes(&scene, start);
    // The one after the last second is that of the end.
    assert!(written as u64 <= seconds + 1, "{written} in {seconds} s");
}

/// A script that does not end, needs too much or reaches for what is outside, and one that would tell a value.
const UNFIT: &str = r#"  resource.customizations.useOpenLibs.ConfigMap: "true"
  resource.customizations.health.ConfigMap: |
    if obj.data.value == "endless" then while true do end end
    if obj.data.value == "greedy" then local text = "x" while true do text = text .. text end end
    if not (io or loadfile or os.getenv or os.remove) then os.execute("true") end
  resource.customizations.health.Secret: |
    return {status = "Degraded", message = "token is <" .. obj.data.token .. ">"}
"#;

#[test]
fn a_script_without_measure_is_ended_and_none_reaches_out() {
    let scene = Scene::new("unfit");
    settings(&scene, UNFIT);
    let _controller = scene.controller();
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {token: hunter2}\n";
    let commit = scene.repository.commit(
        &[
            ("app/endless.yaml", &config_map("endless", "endless")),
            ("app/greedy.yaml", &config_map("greedy", "greedy")),
            ("app/reaching.yaml", &config_map("reaching", "reaching")),
            ("app/login.yaml", secret),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &commit);
    let (to, script) = (&scene.to, "resource.customizations.health.ConfigMap");
    let ended = format!(
        "ConfigMap {to}/endless: {script}: the script ran longer than 1 s; \
         ConfigMap {to}/greedy: {script}: the script needs more than 64 MiB; \
         ConfigMap {to}/reaching: {script}, line 3: attempt to call field 'execute' (a nil value)"
    );
    health(&scene, "Unknown", &ended);

    scene.remove(&["app/endless.yaml", "app/greedy.yaml", "app/reaching.yaml"]);
    let told = format!("Secret {to}/login: token is <>");
    health(&scene, "Degraded", &told);
}
