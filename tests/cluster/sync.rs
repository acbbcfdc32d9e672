//! Applications against a real API server: that the wiring of the sync engine holds, and what only a real server knows.
//! What is decided, and why, is the business of the golden plans.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sync/metrics.rs"]
mod metrics;
#[path = "sync/scene.rs"]
mod scene;
#[path = "sync/tools.rs"]
mod tools;

use harness::{Controller, Port, Proxy, equal, eventually, get};
use scene::{Scene, config_map, deployment};

const AUTOMATED: &str = "{automated: {prune: true, selfHeal: true}}";

#[test]
fn an_application_is_synced_and_follows_its_repository() {
    let scene = Scene::new("follow");
    let _controller = scene.controller();
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n";
    let web = deployment("web", "web:1", "");
    let first = scene.repository.commit(
        &[("app/web.yaml", &web), ("app/service.yaml", service)],
        "Add web",
    );
    scene.application(AUTOMATED);
    let app = scene.operation("Succeeded", &first);
    assert_eq!(app["status"]["history"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        app["status"]["operationState"]["operation"]["initiatedBy"]["automated"],
        true
    );
    eventually("the Application is healthy", || {
        equal(
            &scene.app()["status"]["health"]["status"],
            &"Healthy".into(),
        )
    });
    let tracking = scene.field(
        "deployment",
        "web",
        r"{.metadata.annotations.argocd\.argoproj\.io/tracking-id}",
    );
    assert_eq!(
        tracking,
        Ok(format!("app:apps/Deployment:{}/web", scene.to))
    );

    let second = scene.commit(&[("app/web.yaml", &deployment("web", "web:2", ""))]);
    let app = scene.operation("Succeeded", &second);
    scene.becomes(
        "deployment",
        "web",
        "{.spec.template.spec.containers[0].image}",
        "web:2",
    );
    let result = &app["status"]["operationState"]["syncResult"]["resources"];
    assert_eq!(
        result.as_array().map(Vec::len),
        Some(1),
        "only what was changed: {result:#}"
    );
    scene.sync_status("Synced", &second);
}

#[test]
fn what_somebody_changes_adds_or_deletes_comes_back() {
    let scene = Scene::new("heal");
    let _controller = scene.controller();
    let commit = scene.repository.commit(
        &[
            ("app/web.yaml", &deployment("web", "web:1", "")),
            ("app/a.yaml", &config_map("a", "1")),
            ("app/b.yaml", &config_map("b", "1")),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);

    let kubectl = |args: &[&str]| {
        scene
            .testbed
            .kubectl(&[args, &["--namespace", &scene.to]].concat())
    };
    kubectl(&["set", "image", "deployment/web", "main=web:9"]);
    let image = "{.spec.template.spec.containers[0].image}";
    scene.becomes("deployment", "web", image, "web:1");
    // All at once: between heals of one Application the waiting times grow.
    kubectl(&["annotate", "configmap", "a", "note=by-hand"]);
    kubectl(&[
        "patch",
        "configmap",
        "a",
        "--patch",
        r#"{"data": {"more": "x"}}"#,
    ]);
    kubectl(&["delete", "configmap", "b"]);
    kubectl(&["delete", "deployment", "web"]);
    scene.becomes("configmap", "a", "{.metadata.annotations.note}", "");
    scene.becomes("configmap", "a", "{.data.more}", "");
    scene.becomes("configmap", "b", "{.data.value}", "1");
    scene.becomes("deployment", "web", image, "web:1");
    let history = scene.app()["status"]["history"].clone();
    assert_eq!(
        history.as_array().map(Vec::len),
        Some(1),
        "healing is no deployment: {history:#}"
    );
}

#[test]
fn what_leaves_the_repository_is_pruned_unless_guarded() {
    let scene = Scene::new("prune");
    let _controller = scene.controller();
    let kept = config_map("kept", "1").replace(
        "{name: kept}",
        "{name: kept, annotations: {argocd.argoproj.io/sync-options: Prune=false}}",
    );
    scene.repository.commit(
        &[
            ("app/a.yaml", &config_map("a", "1")),
            ("app/b.yaml", &config_map("b", "1")),
            ("app/kept.yaml", &kept),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.becomes("configmap", "kept", "{.data.value}", "1");
    let commit = scene.remove(&["app/b.yaml", "app/kept.yaml"]);
    scene.vanishes("configmap", "b");
    scene.operation("Succeeded", &commit);
    scene.becomes("configmap", "kept", "{.data.value}", "1");
    let app = scene.app();
    let names: Vec<_> = app["status"]["resources"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["name"].as_str())
        .collect();
    assert!(!names.contains(&"b"), "{names:?}");
}

#[test]
fn an_invalid_manifest_refuses_the_whole_revision_and_is_named() {
    let scene = Scene::new("invalid");
    let _controller = scene.controller();
    let good = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &good);
    scene.commit(&[
        ("app/a.yaml", &config_map("a", "2")),
        ("app/broken.yaml", "kind: [\n"),
    ]);
    let message = scene.condition("ComparisonError");
    assert!(message.contains("app/broken.yaml"), "{message}");
    assert_eq!(
        scene.field("configmap", "a", "{.data.value}"),
        Ok("1".to_owned())
    );

    let mended = scene.remove(&["app/broken.yaml"]);
    scene.sync_status("Synced", &mended);
    scene.becomes("configmap", "a", "{.data.value}", "2");
}

#[test]
fn a_sealed_secret_that_cannot_be_opened_refuses_the_whole_revision() {
    let scene = Scene::new("unopenable");
    let controller = scene.controller();
    let sealed = scene.seal(&controller, "db", "hunter2");
    let good = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &good);
    // Sealed for one name and used under another: what a copied file looks like.
    let copied = sealed.replace("\"db\"", "\"copy\"");
    scene.commit(&[
        ("app/a.yaml", &config_map("a", "2")),
        ("app/db.yaml", &copied),
    ]);
    let message = eventually("the refusal is told", || {
        let status = scene.app()["status"].to_string();
        if status.contains("copy") && status.contains("no key could decrypt") {
            Ok(status)
        } else {
            Err(status)
        }
    });
    assert!(!message.contains("hunter2"));
    assert_eq!(
        scene.field("configmap", "a", "{.data.value}"),
        Ok("1".to_owned()),
        "nothing of the revision is applied"
    );
}

#[test]
fn a_secret_is_there_before_the_object_that_uses_it() {
    let scene = Scene::new("unseal");
    let controller = scene.controller();
    let sealed = scene.seal(&controller, "db", "hunter2");
    let user =
        "        env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]\n";
    // The user's name sorts before the SealedSecret's and its kind is applied earlier than custom resources are.
    let commit = scene.repository.commit(
        &[(
            "app/all.yaml",
            &format!("{}---\n{sealed}\n", deployment("a", "web:1", user)),
        )],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &commit);
    scene.becomes("secret", "db", "{.data.password}", "aHVudGVyMg==");
    let requests = scene.testbed.audited("testbed-admin");
    let first = |resource: &str| {
        requests.iter().position(|entry| {
            entry["objectRef"]["resource"] == resource
                && entry["objectRef"]["namespace"] == scene.to.as_str()
                && matches!(entry["verb"].as_str(), Some("create" | "patch" | "update"))
        })
    };
    assert!(
        first("secrets").expect("the Secret was written")
            < first("deployments").expect("the Deployment was written")
    );
    let resources = scene.app()["status"]["resources"].to_string();
    assert!(
        resources.contains("SealedSecret") && !resources.contains("\"Secret\""),
        "{resources}"
    );
}

#[test]
fn an_object_of_an_unknown_kind_is_applied_once_its_definition_appears() {
    let scene = Scene::new("kinds");
    let _controller = scene.controller();
    let group = format!("{}.example.com", scene.to);
    let thing = format!(
        "apiVersion: {group}/v1\nkind: Thing\nmetadata: {{name: one}}\nspec: {{size: 1}}\n"
    );
    scene.repository.commit(
        &[
            ("app/a.yaml", &config_map("a", "1")),
            ("app/thing.yaml", &thing),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.becomes("configmap", "a", "{.data.value}", "1");
    eventually("the reason is visible", || {
        let status = scene.app()["status"].to_string();
        if status.contains("Thing") {
            Ok(())
        } else {
            Err(status)
        }
    });
    scene.testbed.apply(&format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: things.{group}}}\n\
         spec:\n  group: {group}\n  scope: Namespaced\n  names: {{kind: Thing, plural: things, singular: thing}}\n  versions:\n\
         \x20 - name: v1\n    served: true\n    storage: true\n    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}\n"
    ));
    scene.becomes(&format!("things.{group}"), "one", "{.spec.size}", "1");
    eventually("all is synced", || {
        equal(&scene.app()["status"]["sync"]["status"], &"Synced".into())
    });
}

#[test]
fn a_repository_that_renders_nothing_prunes_nothing() {
    let scene = Scene::new("empty");
    let _controller = scene.controller();
    let commit = scene.repository.commit(
        &[
            ("app/a.yaml", &config_map("a", "1")),
            ("app/README", "text"),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    let empty = scene.remove(&["app/a.yaml"]);
    eventually("the empty revision was compared", || {
        equal(
            &scene.app()["status"]["sync"]["revision"],
            &empty.as_str().into(),
        )
    });
    assert_eq!(
        scene.field("configmap", "a", "{.data.value}"),
        Ok("1".to_owned())
    );
    let resources = scene.app()["status"]["resources"].clone();
    assert_eq!(
        resources.as_array().map(Vec::len),
        Some(1),
        "it stays in the inventory: {resources:#}"
    );
}

#[test]
fn a_deleted_application_with_the_finalizer_takes_its_objects_along() {
    let scene = Scene::new("cascade");
    let _controller = scene.controller();
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    let patch = r#"{"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}}"#;
    scene.testbed.kubectl(&[
        "patch",
        "application",
        "app",
        "--type=merge",
        "--patch",
        patch,
        "--namespace",
        &scene.own,
    ]);
    scene.testbed.kubectl(&[
        "delete",
        "application",
        "app",
        "--timeout=60s",
        "--namespace",
        &scene.own,
    ]);
    scene.vanishes("configmap", "a");
}

#[test]
fn without_automation_only_a_request_syncs() {
    let scene = Scene::new("request");
    let _controller = scene.controller();
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application("{}");
    scene.sync_status("OutOfSync", &commit);
    assert!(
        scene.field("configmap", "a", "{.data.value}").is_err(),
        "nobody asked for it"
    );
    let request = r#"{"operation": {"initiatedBy": {"username": "alice"}, "sync": {}}}"#;
    scene.testbed.kubectl(&[
        "patch",
        "application",
        "app",
        "--type=merge",
        "--patch",
        request,
        "--namespace",
        &scene.own,
    ]);
    let app = scene.operation("Succeeded", &commit);
    assert_eq!(app.get("operation"), None, "the request was taken up");
    assert_eq!(
        app["status"]["operationState"]["operation"]["initiatedBy"]["username"],
        "alice"
    );
    scene.becomes("configmap", "a", "{.data.value}", "1");
    scene.sync_status("Synced", &commit);
}

#[test]
fn a_restart_when_nothing_changed_writes_nothing() {
    let scene = Scene::new("restart");
    let arguments = scene.arguments();
    let arguments = arguments.each_ref().map(String::as_str);
    let controller = Controller::start(&arguments).ready();
    let sealed = scene.seal(&controller, "db", "hunter2");
    let commit = scene.repository.commit(
        &[
            ("app/a.yaml", &config_map("a", "1")),
            ("app/web.yaml", &deployment("web", "web:1", "")),
            ("app/db.json", &sealed),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    eventually("the Application is healthy", || {
        equal(
            &scene.app()["status"]["health"]["status"],
            &"Healthy".into(),
        )
    });
    assert!(controller.stop().success());

    let proxy = Proxy::start(None);
    let controller = Controller::start_with(&proxy.kubeconfig(), &arguments).ready();
    let metrics = format!("{}/metrics", controller.url(Port::Metrics));
    eventually("the Application was compared", || {
        let (_, text) = get(&metrics)?;
        let line = text
            .lines()
            .find(|line| line.starts_with("argocd_app_info{"))
            .unwrap_or_default();
        if line.contains("sync_status=\"Synced\"") && line.contains("health_status=\"Healthy\"") {
            Ok(())
        } else {
            Err(text)
        }
    });
    assert_eq!(proxy.writes(), Vec::<String>::new());
}

#[test]
fn what_kubectl_applied_before_is_taken_over_with_its_fields() {
    let scene = Scene::new("adopt");
    let _controller = scene.controller();
    let old = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: {}}}\ndata: {{value: \"0\", gone: \"x\"}}\n",
        scene.to
    );
    let file = scene.repository.work_tree().join("old.yaml");
    std::fs::write(&file, old).expect("the work tree is writable");
    scene
        .testbed
        .kubectl(&["apply", "-f", &file.display().to_string()]);
    std::fs::remove_file(&file).expect("the file is there");
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    scene.becomes("configmap", "a", "{.data}", r#"{"value":"1"}"#);
    let annotations = scene
        .field("configmap", "a", "{.metadata.annotations}")
        .expect("annotations");
    assert!(!annotations.contains("last-applied"), "{annotations}");
}

#[test]
fn beside_an_argo_cd_controller_nothing_is_written() {
    let scene = Scene::new("beside");
    scene.testbed.apply(&format!(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata:\n  name: argocd-application-controller\n  namespace: {}\n\
         \x20 labels: {{app.kubernetes.io/name: argocd-application-controller, app.kubernetes.io/part-of: argocd, app.kubernetes.io/component: application-controller}}\n\
         spec:\n  replicas: 1\n  serviceName: x\n  selector: {{matchLabels: {{app: x}}}}\n\
         \x20 template: {{metadata: {{labels: {{app: x}}}}, spec: {{containers: [{{name: x, image: x}}]}}}}\n",
        scene.own
    ));
    scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application(AUTOMATED);
    let controller = scene.controller();
    let metrics = format!("{}/metrics", controller.url(Port::Metrics));
    eventually("the Application was looked at", || {
        let (_, text) = get(&metrics)?;
        if text.contains("signet_sync_passes_total 1") {
            Ok(())
        } else {
            Err(text)
        }
    });
    assert!(scene.field("configmap", "a", "{.data.value}").is_err());
    // Its controller has gone: now it is ours.
    scene.testbed.kubectl(&[
        "scale",
        "statefulset/argocd-application-controller",
        "--replicas=0",
        "--namespace",
        &scene.own,
    ]);
    scene.becomes("configmap", "a", "{.data.value}", "1");
}

#[test]
fn a_repository_that_the_project_does_not_permit_is_never_asked() {
    let scene = Scene::new("narrow");
    let own = &scene.own;
    scene.testbed.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {{name: default, namespace: {own}}}\n\
         spec: {{sourceRepos: [\"https://git.example.com/*\"], destinations: [{{server: \"*\", namespace: \"*\"}}]}}\n"
    ));
    let _controller = scene.controller();
    scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application(AUTOMATED);
    eventually("the Application is refused", || {
        equal(
            &scene.app()["status"]["conditions"][0]["type"],
            &"InvalidSpecError".into(),
        )
    });
    let log =
        std::fs::read_to_string(scene.testbed.path("logs/git.log")).expect("the log is readable");
    let name = scene
        .repository
        .url()
        .rsplit('/')
        .next()
        .expect("a URL has a last part");
    assert!(!log.contains(name), "{name} was asked for:\n{log}");
}
