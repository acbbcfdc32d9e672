//! A sync that is killed after any of its writes, and continued by the next process, ends as an undisturbed one.
//! The kill comes from the proxy: after the API server did what was asked, before the controller hears of it.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sync/scene.rs"]
mod scene;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use harness::{Controller, Proxy, eventually};
use scene::{Scene, config_map, deployment};
use serde_json::Value;

const AUTOMATED: &str = "{automated: {prune: true, selfHeal: true}}";

/// Steps of the sync: 39 ConfigMaps in waves 0 to 2, three SealedSecrets with their Unseal steps, three Deployments that use
/// them, one Service, and the claim of the inventory.
const CONFIG_MAPS: usize = 39;
const SECRETS: usize = 3;
/// Runs at once; most of a run waits for Pods and for processes that start.
const AT_ONCE: usize = 3;
/// A write that no sync of this suite gets to.
const NEVER: usize = 1_000_000;
/// Runs that have to be killed: as many as the sync has steps. What is written after them only tells of health.
const KILLS: usize = 50;

/// Kind and name of an object. Namespaces differ between runs.
type Identity = (String, String);

/// What an end state is made of: the objects, how often each was changed where the API server counts that, and the
/// inventory.
#[derive(Debug, PartialEq, Eq)]
struct EndState {
    objects: BTreeSet<Identity>,
    generations: BTreeMap<Identity, i64>,
    inventory: BTreeSet<(String, String, String)>,
    history: usize,
}

#[test]
fn a_sync_killed_after_any_step_ends_as_an_undisturbed_one() {
    let (undisturbed, writes) = undisturbed();
    assert!(writes.len() >= KILLS, "a sync of 50 steps: {writes:#?}");
    assert_eq!(
        undisturbed.objects.len(),
        CONFIG_MAPS + 3 * SECRETS + 1,
        "{undisturbed:#?}"
    );
    assert_eq!(
        undisturbed.generations.len(),
        2 * SECRETS,
        "{undisturbed:#?}"
    );
    assert_eq!(undisturbed.history, 1, "one sync is one entry");
    let (next, kills) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let kill_and_compare = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(write) = writes.get(index) else {
                return;
            };
            let step = index + 1;
            let (disturbed, was_killed) = disturbed(step);
            kills.fetch_add(usize::from(was_killed), Ordering::Relaxed);
            assert_eq!(
                disturbed, undisturbed,
                "killed after write {step}, which is like {write}"
            );
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(kill_and_compare);
        }
    });
    let kills = kills.into_inner();
    assert!(
        kills >= KILLS,
        "only {kills} of {} runs were killed",
        writes.len()
    );
}

/// One sync that nobody disturbs: how it ended, and its writes.
fn undisturbed() -> (EndState, Vec<String>) {
    let scene = Scene::new("interrupted");
    let proxy = Proxy::start(None);
    let (_controller, commit) = begin(&scene, &proxy, NEVER);
    scene.sync_status("Synced", &commit);
    healthy(&scene);
    let writes = proxy.writes();
    (end_state(&scene), writes)
}

/// One sync, killed after its `step`-th write and continued by the next process: how it ended, and whether it was killed.
fn disturbed(step: usize) -> (EndState, bool) {
    let scene = Scene::new("interrupted");
    let proxy = Proxy::start(None);
    let (controller, commit) = begin(&scene, &proxy, step);
    let was_killed = killed(&scene, &proxy);
    if was_killed {
        controller.wait();
    } else {
        // The last writes only tell of health, which may need fewer of them than in the undisturbed run.
        controller.kill();
    }
    let before = versions(&scene);
    let _next = Controller::start(
        &scene
            .arguments_without_lease()
            .each_ref()
            .map(String::as_str),
    )
    .ready();
    scene.operation("Succeeded", &commit);
    scene.sync_status("Synced", &commit);
    healthy(&scene);
    let after = versions(&scene);
    for (object, version) in &before {
        assert_eq!(
            after.get(object),
            Some(version),
            "{object:?} was made or written anew after write {step}"
        );
    }
    (end_state(&scene), was_killed)
}

/// Starts a sync whose controller is killed after its `step`-th write. Returns the controller and the commit it syncs.
fn begin(scene: &Scene, proxy: &Proxy, step: usize) -> (Controller, String) {
    let arguments = scene.arguments_without_lease();
    let arguments = arguments.each_ref().map(String::as_str);
    let controller = Controller::start_with(&proxy.kubeconfig(), &arguments).ready();
    let files = files(scene, &controller);
    let files: Vec<_> = files
        .iter()
        .map(|(path, content)| (path.as_str(), content.as_str()))
        .collect();
    let commit = scene.repository.commit(&files, "Everything");
    // The controller has made its key by now; what it writes from here on is the sync.
    proxy.kill_after(&controller, step);
    scene.application(AUTOMATED);
    (controller, commit)
}

/// Waits until the kill happened; false when the sync was over before.
fn killed(scene: &Scene, proxy: &Proxy) -> bool {
    eventually(
        "the controller is killed, or has nothing left to write",
        || {
            let status = &scene.app()["status"];
            let over = status["operationState"]["phase"] == "Succeeded"
                && status["health"]["status"] == "Healthy";
            match (proxy.has_killed(), over) {
                (true, _) => Ok(true),
                (false, true) => Ok(false),
                (false, false) => Err(format!("{status:#}")),
            }
        },
    )
}

fn healthy(scene: &Scene) {
    eventually("the Application is healthy", || {
        harness::equal(
            &scene.app()["status"]["health"]["status"],
            &"Healthy".into(),
        )
    });
}

fn files(scene: &Scene, controller: &Controller) -> Vec<(String, String)> {
    let wave = |text: String, wave: usize| {
        text.replacen(
            "metadata: {",
            &format!("metadata: {{annotations: {{argocd.argoproj.io/sync-wave: \"{wave}\"}}, "),
            1,
        )
    };
    let mut files: Vec<_> = (0..CONFIG_MAPS)
        .map(|number| {
            let name = format!("config-{number:02}");
            (
                format!("app/{name}.yaml"),
                wave(config_map(&name, "1"), number % 3),
            )
        })
        .collect();
    for number in 0..SECRETS {
        let name = format!("secret-{number}");
        files.push((
            format!("app/{name}.json"),
            scene.seal(controller, &name, "hunter2"),
        ));
        let user = format!("        envFrom: [{{secretRef: {{name: {name}}}}}]\n");
        let web = format!("web-{number}");
        files.push((
            format!("app/{web}.yaml"),
            wave(deployment(&web, "web:1", &user), number),
        ));
    }
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web-0}, ports: [{port: 80}]}\n";
    files.push(("app/service.yaml".to_owned(), service.to_owned()));
    files
}

/// The objects of the destination that the Application and its SealedSecrets made.
fn objects(scene: &Scene) -> Vec<Value> {
    let kinds = [
        "configmaps",
        "services",
        "deployments",
        "sealedsecrets",
        "secrets",
    ];
    let objects = kinds.map(|kind| scene.testbed.objects(&scene.to, kind));
    let ours = |object: &Value| object["metadata"]["name"] != "kube-root-ca.crt";
    objects.into_iter().flatten().filter(ours).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn identity(object: &Value) -> Identity {
    (text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// What stays the same while nobody makes or writes an object anew: its uid, and its version. The version of an object
/// with a generation moves with its status, which others write.
fn versions(scene: &Scene) -> BTreeMap<Identity, (String, String)> {
    let of_object = |object: &Value| {
        let metadata = &object["metadata"];
        let version = match &metadata["generation"] {
            Value::Null => text(&metadata["resourceVersion"]),
            generation => generation.to_string(),
        };
        (identity(object), (text(&metadata["uid"]), version))
    };
    objects(scene).iter().map(of_object).collect()
}

/// Goes up with each write that changes what a Deployment or a SealedSecret asks for.
fn generations(objects: &[Value]) -> BTreeMap<Identity, i64> {
    let generation = |object: &Value| {
        let generation = object["metadata"]["generation"].as_i64()?;
        Some((identity(object), generation))
    };
    objects.iter().filter_map(generation).collect()
}

fn end_state(scene: &Scene) -> EndState {
    let status = scene.app()["status"].clone();
    let inventory = status["resources"].as_array().into_iter().flatten();
    let objects = objects(scene);
    EndState {
        objects: objects.iter().map(identity).collect(),
        generations: generations(&objects),
        inventory: inventory
            .map(|entry| {
                (
                    text(&entry["kind"]),
                    text(&entry["name"]),
                    text(&entry["status"]),
                )
            })
            .collect(),
        history: status["history"].as_array().map_or(0, Vec::len),
    }
}
