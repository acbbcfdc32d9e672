//! `signet app diff` with our controller, a real API server and its service proxy: what it says is what a sync then does.
//! What a plan holds is the business of the golden plans, and how a diff is laid out that of `cli/`.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sync/scene.rs"]
mod scene;

use harness::{Controller, Output, Port, equal, eventually, send, signet};
use scene::{Scene, config_map, deployment};
use serde_json::{Value, json};

const AUTOMATED: &str = "{automated: {prune: true, selfHeal: true}}";

/// An Application that is synced when somebody asks, behind the service proxy.
fn proxied(prefix: &str) -> (Scene, Controller) {
    let scene = Scene::new(prefix);
    let controller = scene.controller();
    let testbed = &scene.testbed;
    testbed.service_proxy(&scene.own, "signet-controller", &controller);
    (scene, controller)
}

fn diff(scene: &Scene, args: &[&str]) -> Output {
    let own = &scene.own;
    let command = ["app", "diff", "app", "--controller-namespace", own];
    signet(&[&command, args].concat())
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).expect("JSON")
}

/// The change of each object, by kind and name.
fn changes(diff: &Value) -> Vec<String> {
    let objects = diff["objects"].as_array().into_iter().flatten();
    let text = |object: &Value, field: &str| object[field].as_str().unwrap_or_default().to_owned();
    let change = |object| ["change", "kind", "name"].map(|field| text(object, field));
    objects.map(|object| change(object).join(" ")).collect()
}

#[test]
fn what_a_diff_says_is_what_the_sync_then_does() {
    let (scene, controller) = proxied("diff");
    let hook = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hook, annotations: {argocd.argoproj.io/hook: PreSync}}\n";
    let sealed = scene.seal_items(
        &controller,
        "db",
        &[("password", "hunter2"), ("user", "shop")],
    );
    let first = scene.repository.commit(
        &[
            ("app/a.yaml", &config_map("a", "1")),
            ("app/old.yaml", &config_map("old", "1")),
            ("app/web.yaml", &deployment("web", "web:1", "")),
            ("app/hook.yaml", hook),
            ("app/db.yaml", &sealed),
            ("app/plain.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: plain}\nstringData: {token: hunter3}\n"),
        ],
        "First",
    );
    scene.application("{}");
    let fresh = diff(&scene, &["--output", "json"]);
    let created = ["create ConfigMap a", "create ConfigMap old"];
    assert_eq!(fresh.code, Some(1), "{}", fresh.stderr);
    for created in created {
        assert!(
            changes(&json(&fresh)).contains(&created.to_owned()),
            "{}",
            fresh.stdout
        );
    }
    scene.patch(r#"{"operation": {"sync": {}}}"#);
    scene.operation("Succeeded", &first);
    scene.sync_status("Synced", &first);
    let same = diff(&scene, &[]);
    assert_eq!(
        (same.code, same.stdout.as_str()),
        (Some(0), ""),
        "{}",
        same.stderr
    );
    assert!(same.stderr.contains("nothing differs"), "{}", same.stderr);

    scene.repository.remove(&["app/old.yaml"], "Remove");
    let resealed = scene.seal_items(
        &controller,
        "db",
        &[("password", "hunter2"), ("host", "db")],
    );
    let second = scene.repository.commit(
        &[
            ("app/a.yaml", &config_map("a", "2")),
            ("app/b.yaml", &config_map("b", "1")),
            ("app/web.yaml", &deployment("web", "web:2", "")),
            ("app/db.yaml", &resealed),
            ("app/plain.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: plain}\nstringData: {token: hunter4}\n"),
        ],
        "Second",
    );
    let by_hand = r#"{"data": {"by-hand": "x"}}"#;
    scene.testbed.kubectl(&[
        "patch",
        "configmap",
        "a",
        "-n",
        &scene.to,
        "--type=merge",
        "-p",
        by_hand,
    ]);
    let before = objects(&scene);
    let shown = diff(&scene, &["--revision", &second]);
    assert_eq!(shown.code, Some(1), "{}", shown.stderr);
    let lines = [
        "-  by-hand: x",
        "-  value: \"1\"",
        "+  value: \"2\"",
        "-        image: web:1",
        "+        image: web:2",
        "  password: re-sealed",
        "  user: removed",
        "  host: added",
        "  token: changed",
    ];
    for line in lines {
        let has = shown
            .stdout
            .lines()
            .any(|shown| shown.trim() == line.trim());
        assert!(has, "{line}:\n{}", shown.stdout);
    }
    for hidden in ["hunter", "aHVudGVy", "AgA", "AgB", "AgC"] {
        assert!(
            !shown.stdout.contains(hidden),
            "{hidden}:\n{}",
            shown.stdout
        );
    }
    assert!(
        shown
            .stderr
            .contains("1 to create, 4 to update, 1 to delete, 1 to run as a hook"),
        "{}",
        shown.stderr
    );
    assert_eq!(objects(&scene), before, "a diff writes nothing");

    let diff_now = json(&diff(&scene, &["--output", "json"]));
    let expected = [
        "run ConfigMap hook",
        "update Secret plain",
        "update ConfigMap a",
        "create ConfigMap b",
        "update SealedSecret db",
        "update Deployment web",
        "delete ConfigMap old",
    ];
    let mut found = changes(&diff_now);
    found.sort();
    let mut expected = expected.map(str::to_owned);
    expected.sort();
    assert_eq!(found, expected);
    let own = ["--controller-namespace", scene.own.as_str()];
    let dry = signet(&[&["app", "sync", "app", "--dry-run"], &own[..]].concat()).success();
    assert_tells_of_items(&dry);
    signet(&[&["app", "sync", "app", "--prune"], &own[..]].concat()).success();
    let app = scene.app();
    let history = app["status"]["operationHistory"].as_array();
    let last = history.and_then(|history| history.last());
    assert_tells_of_items(&last.expect("it is over")["changes"].to_string());
    for object in diff_now["objects"].as_array().unwrap() {
        let Some(becomes) = object["becomes"]
            .as_object()
            .filter(|_| object["kind"] == "ConfigMap")
        else {
            continue;
        };
        let live = scene.field("configmap", object["name"].as_str().unwrap(), "/data");
        assert_eq!(live.as_ref(), becomes.get("data"), "{object:#}");
    }
    scene.vanishes("configmap", "old");
    scene.sync_status("Synced", &second);
    assert_eq!(diff(&scene, &[]).code, Some(0));
}

/// What became of the items of `db` and `plain`.
fn assert_tells_of_items(said: &str) {
    for items in [
        "configured (host added, password re-sealed, user removed)",
        "configured (token changed)",
    ] {
        assert!(said.contains(items), "{items}:\n{said}");
    }
}

#[test]
fn what_has_a_label_is_synced_alone_and_so_is_all_but_one_object() {
    let (scene, _controller) = proxied("chosen");
    let labelled = |name: &str, tier: &str| {
        config_map(name, "1").replace("name: ", &format!("labels: {{tier: {tier}}}, name: "))
    };
    let commit = scene.repository.commit(
        &[
            ("app/a.yaml", &labelled("a", "web")),
            ("app/b.yaml", &labelled("b", "db")),
            ("app/c.yaml", &labelled("c", "db")),
        ],
        "Add",
    );
    scene.application("{}");
    scene.sync_status("OutOfSync", &commit);
    let sync = |args: &[&str]| {
        let own = ["--controller-namespace", scene.own.as_str()];
        let said = signet(&[&["app", "sync", "app"], args, &own].concat());
        assert_eq!(said.code, Some(0), "{args:?}: {}", said.stderr);
        said.stderr
    };
    let there = || ["a", "b", "c"].map(|name| scene.field("configmap", name, "/kind").is_some());
    sync(&["--label", "tier=web"]);
    assert_eq!(there(), [true, false, false]);
    let said = sync(&["--label", "tier=web"]);
    assert!(said.contains("nothing of that differs"), "{said}");
    sync(&["--resource", "!:ConfigMap:b"]);
    assert_eq!(there(), [true, false, true]);
}

/// All that a diff could have changed, by name and version.
fn objects(scene: &Scene) -> Vec<(String, String)> {
    let kinds = "configmaps,secrets,deployments,sealedsecrets";
    let list = scene
        .testbed
        .kubectl(&["get", kinds, "-n", &scene.to, "-o", "json"]);
    let list: Value = serde_json::from_str(&list).expect("JSON");
    let text = |object: &Value, pointer| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let items = list["items"].as_array().into_iter().flatten();
    let items = items.filter(|object| object["kind"] != "Deployment");
    items
        .map(|object| {
            (
                text(object, "/metadata/name"),
                text(object, "/metadata/resourceVersion"),
            )
        })
        .collect()
}

#[test]
fn what_a_sync_would_refuse_ends_with_2_and_says_why() {
    let (scene, _controller) = proxied("diff-refused");
    let invalid = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: odd}\nspec: {replicas: -1, selector: {matchLabels: {app: a}}, \
        template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: a}]}}}\n";
    scene.repository.commit(
        &[
            ("app/a.yaml", &config_map("a", "1")),
            ("app/odd.yaml", invalid),
        ],
        "Odd",
    );
    scene.application("{}");
    let odd = diff(&scene, &[]);
    assert_eq!(odd.code, Some(2), "{}", odd.stdout);
    assert!(
        odd.stdout
            .contains("problem: Deployment.apps \"odd\" is invalid"),
        "{}",
        odd.stdout
    );

    scene
        .repository
        .commit(&[("app/odd.yaml", "kind: [")], "Break");
    let broken = diff(&scene, &[]);
    assert_eq!((broken.code, broken.stdout.as_str()), (Some(2), ""));
    assert!(broken.stderr.contains("app/odd.yaml"), "{}", broken.stderr);

    // An object of a namespace that the project does not permit is not shown either.
    let own = &scene.own;
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: theirs, namespace: {own}}}\ndata: {{value: private}}\n"
    ));
    let theirs = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: theirs, namespace: {own}}}\ndata: {{value: mine}}\n"
    );
    scene
        .repository
        .commit(&[("app/odd.yaml", &theirs)], "Reach out");
    let theirs = diff(&scene, &[]);
    assert_eq!(theirs.code, Some(2), "{}", theirs.stdout);
    assert!(!theirs.stdout.contains("private"), "{}", theirs.stdout);

    let elsewhere = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lost, namespace: nowhere}\n";
    scene
        .repository
        .commit(&[("app/odd.yaml", elsewhere)], "Go astray");
    let lost = diff(&scene, &[]);
    assert_eq!(lost.code, Some(2), "{}", lost.stdout);
    let problem = "problem: namespaces \"nowhere\" not found";
    assert!(lost.stdout.contains(problem), "{}", lost.stdout);

    let nobody = signet(&["app", "diff", "nobody", "--controller-namespace", own]);
    assert_eq!(nobody.code, Some(2));
    assert!(
        nobody.stderr.contains("there is no Application nobody"),
        "{}",
        nobody.stderr
    );
}

#[test]
fn what_the_api_server_would_not_take_is_a_problem_unless_it_is_made_anew() {
    let (scene, _controller) = proxied("diff-immutable");
    let web = deployment("web", "web:1", "");
    let commit = scene.repository.commit(&[("app/web.yaml", &web)], "Add");
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &commit);
    scene.patch(r#"{"spec": {"syncPolicy": null}}"#);
    let renamed = web.replace("app: web", "app: other");
    let force = "metadata: {name: web, annotations: {argocd.argoproj.io/sync-options: Force=true}}";
    let forced = renamed.replace("metadata: {name: web}", force);
    for (manifest, code, said) in [
        (
            web.replace("replicas: 1", "replicas: -1"),
            2,
            "problem: Deployment.apps \"web\" is invalid",
        ),
        (renamed, 2, "problem: Deployment.apps \"web\" is invalid"),
        (forced, 1, "it is deleted and made anew"),
    ] {
        scene
            .repository
            .commit(&[("app/web.yaml", &manifest)], "Change");
        let diff = diff(&scene, &[]);
        assert_eq!(diff.code, Some(code), "{}{}", diff.stdout, diff.stderr);
        assert!(diff.stdout.contains(said), "{said}: {}", diff.stdout);
    }
}

#[test]
fn what_a_predecessor_wrote_and_git_does_not_have_goes() {
    let (scene, _controller) = proxied("diff-adopted");
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    let manifest = scene.testbed.path(&format!("adopted-{}.yaml", scene.to));
    let data = "data:\n  value: \"1\"\n  more: x\n";
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: {}}}\n{data}",
        scene.to
    );
    std::fs::write(&manifest, text).expect("the testbed's folder is writable");
    let manager = "--field-manager=argocd-controller";
    let manifest = manifest.display().to_string();
    scene
        .testbed
        .kubectl(&["apply", "--server-side", manager, "-f", &manifest]);
    scene.application("{}");
    let diff = diff(&scene, &[]);
    assert_eq!(diff.code, Some(1), "{}", diff.stderr);
    assert!(diff.stdout.contains("-  more: x"), "{}", diff.stdout);
    scene.patch(r#"{"operation": {"sync": {}}}"#);
    scene.operation("Succeeded", &commit);
    assert_eq!(
        scene.field("configmap", "a", "/data/more"),
        Some(Value::Null)
    );
}

#[test]
fn only_who_writes_the_application_is_answered_and_only_once() {
    let (scene, controller) = proxied("diff-asked");
    scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application("{}");
    let url = format!("{}/api/diff", controller.url(Port::Web));
    let ask_about = |application: &str, proof: &str| {
        let headers = [("signet-application", application), ("signet-proof", proof)];
        let answer = send(&url, &headers, r#"{"sync": {}}"#);
        answer.expect("an answer").0
    };
    let application = format!("{}/app", scene.own);
    let ask = |proof: &str| ask_about(&application, proof);
    let (secret, guess) = ("5".repeat(64), "6".repeat(64));
    assert_eq!(ask(&secret), 409);
    // SHA-256 of the secret.
    let digest = "911878b1ff94a6daecaba1d7ef6fda0b97116a16291389427b402a013a2ae79f";
    scene.annotate(&format!("signet.dev/diff={digest}"));
    assert_eq!(ask(&guess), 409);
    assert_eq!(ask("5"), 400);
    assert_eq!(
        ask_about(&format!("{application}?dryRun=All"), &secret),
        400
    );
    eventually("the controller answers", || equal(&ask(&secret), &200));
    assert_eq!(ask(&secret), 409);
    assert!(
        scene.app()["metadata"]["annotations"]
            .get("signet.dev/diff")
            .is_none()
    );
}

#[test]
fn files_that_are_not_committed_are_compared_as_if_they_were() {
    let (scene, _controller) = proxied("diff-local");
    let base = "resources: [a.yaml]\n";
    let overlay = "resources: [../base]\nnameSuffix: -live\n";
    let commit = scene.repository.commit(
        &[
            ("base/a.yaml", &config_map("a", "1")),
            ("base/kustomization.yaml", base),
            ("app/kustomization.yaml", overlay),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &commit);
    let checkout = scene.repository.work_tree();
    let local = checkout.join("app").display().to_string();
    let same = diff(&scene, &["--local", &local]);
    assert_eq!(
        (same.code, same.stdout.as_str()),
        (Some(0), ""),
        "{}",
        same.stderr
    );

    std::fs::write(checkout.join("base/a.yaml"), config_map("a", "2")).expect("written");
    let differs = diff(&scene, &["--local", &local]);
    assert_eq!(differs.code, Some(1), "{}", differs.stderr);
    assert!(
        differs.stdout.contains("update ConfigMap"),
        "{}",
        differs.stdout
    );
    assert!(
        differs.stdout.contains("+  value: \"2\""),
        "{}",
        differs.stdout
    );
    scene.refresh();
    scene.sync_status("Synced", &commit);
    scene.becomes("configmap", "a-live", "/data/value", "1");

    // Neither an object of others nor the value of a Secret can be looked at by files of one's own.
    let (to, own) = (&scene.to, &scene.own);
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: theirs-live, namespace: {to}}}\ndata: {{value: private}}\n---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {{name: db-live, namespace: {to}}}\nstringData: {{pin: \"1234\"}}\n"
    ));
    let all = "resources: [a.yaml, guess.yaml]\n";
    std::fs::write(checkout.join("base/kustomization.yaml"), all).expect("written");
    let guesses = ["1234", "4321"].map(|guess| {
        let guess = format!(
            "{}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\nstringData: {{pin: \"{guess}\"}}\n",
            config_map("theirs", "mine")
        );
        std::fs::write(checkout.join("base/guess.yaml"), guess).expect("written");
        diff(&scene, &["--local", &local, "--output", "json"])
    });
    let [right, wrong] = guesses.map(|guess| guess.stdout);
    assert!(
        !right.contains("private") && right.contains("theirs-live"),
        "{right}"
    );
    assert_eq!(right, wrong, "{own}");

    std::os::unix::fs::symlink("/etc/passwd", checkout.join("base/b.yaml")).expect("linked");
    std::fs::write(
        checkout.join("base/kustomization.yaml"),
        "resources: [a.yaml, b.yaml]\n",
    )
    .expect("written");
    let outside = diff(&scene, &["--local", &local]);
    assert_eq!(outside.code, Some(2), "{}", outside.stdout);
}

#[test]
fn secrets_are_told_of_with_their_keys_and_users() {
    let (scene, controller) = proxied("diff-secrets");
    let sealed = scene.seal(&controller, "db", "hunter2");
    let env = "        envFrom: [{secretRef: {name: db}}]\n";
    let plain =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: plain}\nstringData: {token: hunter3}\n";
    let commit = scene.repository.commit(
        &[
            ("app/db.yaml", &sealed),
            ("app/plain.yaml", plain),
            ("app/web.yaml", &deployment("web", "web:1", env)),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &commit);
    let own = &scene.own;
    let command = [
        "app",
        "secrets",
        "app",
        "--controller-namespace",
        own,
        "--output",
        "json",
    ];
    let secrets = signet(&command).success();
    assert!(!secrets.contains("hunter"), "{secrets}");
    let secrets: Value = serde_json::from_str(&secrets).expect("JSON");
    let label = "sealedsecrets.bitnami.com/sealed-secrets-key=active";
    let keys = scene
        .testbed
        .kubectl(&["get", "secrets", "-n", own, "-l", label, "-o", "name"]);
    let key = keys.trim().trim_start_matches("secret/");
    let by_name = |name: &str| {
        let mut all = secrets.as_array().into_iter().flatten();
        all.find(|secret| secret["name"] == name)
            .expect("it is listed")
            .clone()
    };
    let (db, plain) = (by_name("db"), by_name("plain"));
    assert_eq!(db["kind"], "SealedSecret");
    assert_eq!(db["openedBy"], json!([key]));
    assert_eq!(
        db["usedBy"],
        json!([format!("apps/Deployment {}/web", scene.to)])
    );
    assert!(db["origin"].as_str().unwrap().starts_with("app/db.yaml"));
    assert!(
        db["lastChange"].as_str().unwrap().starts_with("20"),
        "{db:#}"
    );
    assert_eq!(
        (&plain["kind"], &plain["openedBy"]),
        (&json!("Secret"), &json!([]))
    );
}
