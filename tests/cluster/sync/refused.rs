//! What is not synced, in whole or in part: it is told with its reason, and nothing else suffers.
//! What is decided, and why, is the business of the golden plans.

use crate::AUTOMATED;
use crate::harness::{Controller, Port, Proxy, equal, eventually, get};
use crate::scene::{Scene, config_map};

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
    assert!(message.contains("; correct the file"), "{message}");
    assert_eq!(
        scene.field("configmap", "a", "/data/value"),
        Some("1".into())
    );

    let mended = scene.remove(&["app/broken.yaml"]);
    scene.sync_status("Synced", &mended);
    scene.becomes("configmap", "a", "/data/value", "2");
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
    let message = scene.condition("SyncError");
    let refusal = format!(
        "app/db.yaml: document 1, line 1: bitnami.com/SealedSecret {}/copy can't be opened: no key could decrypt secret (password)",
        scene.to
    );
    assert!(message.contains(&refusal), "{message}");
    assert!(message.ends_with("| signet seal"), "{message}");
    assert!(!scene.app()["status"].to_string().contains("hunter2"));
    assert_eq!(
        scene.field("configmap", "a", "/data/value"),
        Some("1".into()),
        "nothing of the revision is applied"
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
    let commit = scene.repository.commit(
        &[
            ("app/a.yaml", &config_map("a", "1")),
            ("app/thing.yaml", &thing),
        ],
        "Add",
    );
    scene.application("{automated: {}, retry: {limit: 1, backoff: {duration: 1s}}}");
    scene.becomes("configmap", "a", "/data/value", "1");
    let unknown = format!(
        "app/thing.yaml: document 1, line 1: {group}/Thing {}/one: the cluster does not know this kind",
        scene.to
    );
    let reason = scene.condition("ComparisonError");
    assert!(reason.starts_with(&unknown), "{reason}");
    // Nobody tries any more, and the reason is still there.
    let app = scene.operation("Failed", &commit);
    assert_eq!(app["status"]["operationState"]["retryCount"], 1);
    assert_eq!(scene.condition("ComparisonError"), reason);
    scene.testbed.apply(&format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: things.{group}}}\n\
         spec:\n  group: {group}\n  scope: Namespaced\n  names: {{kind: Thing, plural: things, singular: thing}}\n  versions:\n\
         \x20 - name: v1\n    served: true\n    storage: true\n    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}\n"
    ));
    scene.becomes(&format!("things.{group}"), "one", "/spec/size", 1);
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
        scene.field("configmap", "a", "/data/value"),
        Some("1".into())
    );
    let resources = scene.app()["status"]["resources"].clone();
    assert_eq!(
        resources.as_array().map(Vec::len),
        Some(1),
        "it stays in the inventory: {resources:#}"
    );
}

#[test]
fn beside_an_argo_cd_controller_nothing_is_written() {
    let scene = Scene::new("beside");
    // Its key is made and told of before anybody counts its writes.
    assert!(scene.controller().stop().success());
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
    let (proxy, arguments) = (Proxy::start(None), scene.arguments());
    let controller = Controller::start_with(
        &proxy.kubeconfig(),
        &arguments.each_ref().map(String::as_str),
    )
    .ready();
    let metrics = format!("{}/metrics", controller.url(Port::Metrics));
    let passes = |at_least: u32| {
        eventually("the Application was looked at", || {
            let (_, text) = get(&metrics)?;
            let lines = text.lines();
            let passes = lines
                .filter_map(|line| line.strip_prefix("signet_sync_passes_total "))
                .find_map(|count| count.parse::<u32>().ok());
            passes.filter(|count| *count >= at_least).ok_or(text)
        })
    };
    let first = passes(1);
    // Neither does what asks for a look: a request, or a commit.
    scene.refresh();
    passes(first + 1);
    assert_eq!(proxy.writes(), Vec::<String>::new());
    // Its controller has gone: now it is ours.
    scene.testbed.kubectl(&[
        "scale",
        "statefulset/argocd-application-controller",
        "--replicas=0",
        "--namespace",
        &scene.own,
    ]);
    scene.becomes("configmap", "a", "/data/value", "1");
}

#[test]
fn an_application_that_is_left_alone_leaves_the_metrics() {
    let scene = Scene::new("paused");
    let controller = scene.controller();
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application("{}");
    scene.sync_status("OutOfSync", &commit);
    let metrics = format!("{}/metrics", controller.url(Port::Metrics));
    let shown = |expected: usize| {
        eventually(&format!("{expected} Applications are shown"), || {
            let (_, text) = get(&metrics)?;
            let lines = text.lines();
            let shown = lines.filter(|line| line.starts_with("argocd_app_info{"));
            equal(&shown.count(), &expected)
        });
    };
    shown(1);
    scene.annotate("argocd.argoproj.io/skip-reconcile=true");
    shown(0);
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
