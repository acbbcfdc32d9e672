//! Hooks as real Jobs: that their results are read before they go, and that nothing runs one twice.
//! When a hook is due, and what comes of its result, is the business of the golden plans.

#[path = "hooks/deletion.rs"]
mod deletion;
#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sync/scene.rs"]
mod scene;

use std::sync::atomic::{AtomicUsize, Ordering};

use harness::{Controller, Proxy, equal, eventually};
use scene::{Scene, config_map, deployment};
use serde_json::Value;

const AUTOMATED: &str = "{automated: {prune: true, selfHeal: true}, retry: {limit: 0}}";
/// A Job that removes itself as soon as it is done.
const BRIEF: &str = "ttlSecondsAfterFinished: 0, ";
/// A Job whose Pod no node takes, so that it fails.
const FAILING: &str = "activeDeadlineSeconds: 1, ";
/// A Job whose Pod no node takes, and that waits for one.
const STUCK: &str = "backoffLimit: 0, ";
/// Runs that have to be killed: the claim, two Jobs that are made, judged and let go, one ConfigMap.
const KILLS: usize = 8;
/// A write that no sync of this suite gets to.
const NEVER: usize = 1_000_000;
/// Runs at once; most of a run waits for Pods and for processes that start.
const AT_ONCE: usize = 3;

/// A Job that is a hook; `name` and `annotations` are YAML.
fn hook(name: &str, annotations: &str, spec: &str) -> String {
    let nowhere = match spec {
        FAILING | STUCK => "nodeSelector: {nobody: here}, ",
        _ => "",
    };
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{{name}, annotations: {{{annotations}}}}}\n\
         spec: {{{spec}template: {{spec: {{{nowhere}restartPolicy: Never, containers: [{{name: main, image: hook}}]}}}}}}\n"
    )
}

fn phase(name: &str) -> String {
    format!("argocd.argoproj.io/hook: {name}")
}

/// Hooks of the last operation: type, phase, and what their names begin with.
fn results(app: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = app["status"]["operationState"]["syncResult"]["resources"].as_array();
    let hooks = all
        .into_iter()
        .flatten()
        .filter(|result| result["hookType"].is_string());
    let mut results: Vec<_> = hooks
        .map(|hook| {
            let name = text(&hook["name"]);
            let (prefix, _) = name.split_once('-').unwrap_or((&name, ""));
            (
                text(&hook["hookType"]),
                text(&hook["hookPhase"]),
                prefix.to_owned(),
            )
        })
        .collect();
    results.sort();
    results
}

fn result(hook: &str, phase: &str, prefix: &str) -> (String, String, String) {
    (hook.to_owned(), phase.to_owned(), prefix.to_owned())
}

/// Names of Jobs that controllers have made in the destination, each as often as it was made.
fn made(scene: &Scene) -> Vec<String> {
    let requests = scene.testbed.audited("testbed-admin").into_iter();
    let of_job = requests.filter(|request| {
        request["objectRef"]["resource"] == "jobs"
            && request["objectRef"]["namespace"] == scene.to.as_str()
            && request["responseStatus"]["code"] == 201
    });
    let name = |request: Value| request["objectRef"]["name"].as_str().map(str::to_owned);
    of_job.filter_map(name).collect()
}

fn jobs(scene: &Scene) -> Vec<String> {
    let jobs = scene.testbed.objects(&scene.to, "jobs").into_iter();
    let name = |job: Value| job["metadata"]["name"].as_str().map(str::to_owned);
    jobs.filter_map(name).collect()
}

#[test]
fn hooks_run_once_each_in_their_phases_and_go_as_they_say() {
    let scene = Scene::new("hooks");
    let _controller = scene.controller();
    let ends = format!(
        "{}, argocd.argoproj.io/hook-delete-policy: HookSucceeded",
        phase("PostSync")
    );
    let files = [
        (
            "app/migrate.yaml",
            hook("name: migrate", &phase("PreSync"), BRIEF),
        ),
        ("app/smoke.yaml", hook("generateName: smoke-", &ends, "")),
        (
            "app/keep.yaml",
            hook("name: keep", "helm.sh/hook: post-install", ""),
        ),
        (
            "app/test.yaml",
            hook("name: test", "helm.sh/hook: test", ""),
        ),
        (
            "app/alarm.yaml",
            hook("name: alarm", &phase("SyncFail"), ""),
        ),
        ("app/settings.yaml", config_map("settings", "1")),
        ("app/web.yaml", deployment("web", "web:1", "")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let first = scene.repository.commit(&files, "Everything");
    scene.application(AUTOMATED);
    let app = scene.operation("Succeeded", &first);
    let expected = vec![
        result("PostSync", "Succeeded", "keep"),
        result("PostSync", "Succeeded", "smoke"),
        result("PreSync", "Succeeded", "migrate"),
    ];
    assert_eq!(results(&app), expected);
    assert!(
        scene
            .condition("ExcludedResourceWarning")
            .contains("batch/Job"),
        "a test of Helm is left out by name"
    );
    eventually("what hooks made is gone but for one", || {
        equal(&jobs(&scene), &vec!["keep".to_owned()])
    });
    scene.becomes("job", "keep", "/metadata/finalizers", Value::Null);
    assert_eq!(made(&scene).len(), 3, "{:?}", made(&scene));

    let second = scene.commit(&[("app/settings.yaml", &config_map("settings", "2"))]);
    let app = scene.operation("Succeeded", &second);
    assert_eq!(results(&app), expected);
    assert_eq!(made(&scene).len(), 6, "{:?}", made(&scene));
    assert_eq!(
        app["status"]["history"].as_array().map(Vec::len),
        Some(2),
        "{:#}",
        app["status"]["history"]
    );

    // Healing puts back what is missing and runs nothing.
    scene
        .testbed
        .kubectl(&["delete", "configmap", "settings", "--namespace", &scene.to]);
    scene.becomes("configmap", "settings", "/data/value", "2");
    assert_eq!(made(&scene).len(), 6, "{:?}", made(&scene));
}

#[test]
fn a_hook_that_fails_stops_the_sync_and_hooks_of_failure_run() {
    let scene = Scene::new("hooks-fail");
    let _controller = scene.controller();
    let files = [
        (
            "app/migrate.yaml",
            hook("name: migrate", &phase("PreSync"), FAILING),
        ),
        (
            "app/alarm.yaml",
            hook("name: alarm", &phase("SyncFail"), BRIEF),
        ),
        ("app/settings.yaml", config_map("settings", "1")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let commit = scene.repository.commit(&files, "Fails");
    scene.application(AUTOMATED);
    let app = scene.operation("Failed", &commit);
    let expected = vec![
        result("PreSync", "Failed", "migrate"),
        result("SyncFail", "Succeeded", "alarm"),
    ];
    assert_eq!(results(&app), expected);
    let message = &app["status"]["operationState"]["message"];
    let text = message.as_str().unwrap_or_default();
    assert!(text.contains("PreSync hook batch/Job"), "{message}");
    let missing = scene.field("configmap", "settings", "/metadata/name");
    assert!(
        missing.is_none(),
        "applied after a hook failed: {missing:?}"
    );
    scene.vanishes("job", "alarm");
}

#[test]
fn a_hook_that_runs_is_ended_only_by_a_commit_that_may_begin_and_changes_something() {
    let scene = Scene::new("stays");
    let _controller = scene.controller();
    let migrate = hook("name: migrate", &phase("PreSync"), STUCK);
    let first = scene.repository.commit(
        &[
            ("app/migrate.yaml", &migrate),
            ("app/a.yaml", &config_map("a", "1")),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    let uid = || scene.field("job", "migrate", "/metadata/uid");
    let begun = eventually("the hook runs", || uid().ok_or("there is no Job"));
    let runs_still = || {
        let app = scene.operation("Running", &first);
        assert_eq!(uid(), Some(begun.clone()), "{:#}", app["status"]);
    };

    scene.commit(&[("README", "elsewhere")]);
    scene.annotation_leaves("argocd.argoproj.io/refresh");
    runs_still();

    let closed = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: db}\nspec: {encryptedData: {password: AgBy}}\n";
    let refused = scene.commit(&[("app/db.yaml", closed)]);
    let why = format!("{refused} does not take the place of the sync that runs: nothing of this");
    scene.says("SyncError", &why);
    runs_still();

    let unreadable = scene.commit(&[("app/db.yaml", "kind: [")]);
    let why = format!("{unreadable} does not take the place of the sync that runs: app/db.yaml");
    scene.says("ComparisonError", &why);
    runs_still();

    scene.remove(&["app/db.yaml"]);
    let last = scene.commit(&[("app/a.yaml", &config_map("a", "2"))]);
    scene.operation("Running", &last);
    eventually("the hook runs anew", || match uid() {
        Some(now) if now != begun => Ok(()),
        other => Err(format!("{other:?}")),
    });
    let history = scene.app()["status"]["operationHistory"].clone();
    let message = history[0]["message"].as_str().unwrap_or_default();
    let replaced = format!("the sync to {last} took its place");
    assert!(message.starts_with(&replaced), "{history:#}");
}

#[test]
fn a_sync_killed_after_any_write_runs_each_hook_once() {
    let writes = undisturbed();
    let (next, kills) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let kill_and_look = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(write) = writes.get(index) else {
                return;
            };
            let was_killed = disturbed(index + 1, write);
            kills.fetch_add(usize::from(was_killed), Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(kill_and_look);
        }
    });
    let kills = kills.into_inner();
    assert!(kills >= KILLS, "killed {kills} times in {writes:#?}");
}

/// Writes of a sync that nobody disturbs.
fn undisturbed() -> Vec<String> {
    let scene = Scene::new("hooks-killed");
    let proxy = Proxy::start(None);
    let (_controller, commit) = begin(&scene, &proxy, NEVER);
    scene.operation("Succeeded", &commit);
    ended(&scene);
    proxy.writes()
}

/// The same sync, killed after its `step`-th write and continued by the next process. Tells whether it got that far.
fn disturbed(step: usize, write: &str) -> bool {
    let scene = Scene::new("hooks-killed");
    let proxy = Proxy::start(None);
    let (controller, commit) = begin(&scene, &proxy, step);
    let killed = eventually("the controller is killed, or is done", || {
        let over = scene.app()["status"]["operationState"]["phase"] == "Succeeded"
            && jobs(&scene).is_empty();
        match (proxy.has_killed(), over) {
            (true, _) => Ok(true),
            (false, true) => Ok(false),
            (false, false) => Err("it goes on"),
        }
    });
    match killed {
        true => drop(controller.wait()),
        false => controller.kill(),
    }
    let arguments = scene.arguments_without_lease();
    let _next = Controller::start(&arguments.each_ref().map(String::as_str)).ready();
    let app = scene.operation("Succeeded", &commit);
    let hooks = [
        result("PostSync", "Succeeded", "smoke"),
        result("PreSync", "Succeeded", "migrate"),
    ];
    assert_eq!(results(&app), hooks, "killed after write {step}: {write}");
    ended(&scene);
    let mut made = made(&scene);
    made.sort();
    assert_eq!(
        made,
        ["migrate", "smoke"],
        "killed after write {step}: {write}"
    );
    killed
}

/// Nothing of the hooks is left: their finalizers are off, so they could remove themselves.
fn ended(scene: &Scene) {
    eventually("the Jobs have removed themselves", || {
        equal(&jobs(scene), &Vec::new())
    });
}

fn begin(scene: &Scene, proxy: &Proxy, step: usize) -> (Controller, String) {
    let arguments = scene.arguments_without_lease();
    let arguments = arguments.each_ref().map(String::as_str);
    let controller = Controller::start_with(&proxy.kubeconfig(), &arguments).ready();
    let files = [
        (
            "app/migrate.yaml",
            hook("name: migrate", &phase("PreSync"), BRIEF),
        ),
        (
            "app/smoke.yaml",
            hook("name: smoke", &phase("PostSync"), BRIEF),
        ),
        ("app/settings.yaml", config_map("settings", "1")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let commit = scene.repository.commit(&files, "Everything");
    // The controller has made its key by now; what it writes from here on is the sync.
    proxy.kill_after(&controller, step);
    scene.application(AUTOMATED);
    (controller, commit)
}
