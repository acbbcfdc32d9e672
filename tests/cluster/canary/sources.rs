//! What Applications are rendered from: manifests, charts, kustomizations and variables; and some that are refused, each for what it
//! says of a secret. It waits for nothing but the first sync.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

use crate::canaries::Canaries;
use crate::harness::{Controller, GitRepository, eventually, unique};
use crate::scene::{Scene, config_map, deployment};

/// Applications of which nothing gets into the cluster.
pub(crate) const REFUSED: [&str; 30] = [
    "anchor",
    "asked",
    "aimless",
    "component",
    "counted",
    "denied",
    "depends",
    "elsewhere",
    "expression",
    "file",
    "inline",
    "literals",
    "label",
    "labelled",
    "mistyped",
    "misfit",
    "module",
    "nested",
    "parameter",
    "patch",
    "plugin",
    "refused",
    "remote",
    "schema",
    "selector",
    "spaced",
    "torn",
    "typed",
    "unfit",
    "unquoted",
];
/// Applications that nobody syncs, with a status of another controller.
const ADOPTED: [&str; 2] = ["manual", "unread"];
/// What becomes of those, and of one that is synced.
pub(crate) const COMPARED: [(&str, &str); 3] = [
    (ADOPTED[0], "OutOfSync"),
    (ADOPTED[1], "OutOfSync"),
    ("noted", "Synced"),
];
/// A Job that uses the Secret of a hook, and runs after it.
const JOB: &str = "apiVersion: batch/v1\nkind: Job\n\
    metadata: {name: job, annotations: {argocd.argoproj.io/hook: PreSync, argocd.argoproj.io/sync-wave: \"1\"}}\n\
    spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: hook, \
    env: [{name: A, valueFrom: {secretKeyRef: {name: hook, key: token}}}]}]}}}\n";
/// A Secret of a chart, which has the name of the release.
const TEMPLATE: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: {{ .Release.Name }}}\n\
    stringData: {token: {{ .Values.token | quote }}, more: {{ .Values.more | quote }}}\n";

/// Paths and contents.
type Files = Vec<(String, String)>;

pub(crate) fn apply(scene: &Scene, object: &Value) {
    scene.testbed.apply(&object.to_string());
}

/// An Application that is synced by itself.
pub(crate) fn application(scene: &Scene, name: &str, source: &Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": scene.own},
        "spec": {
            "project": "default",
            "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": scene.to},
            "syncPolicy": {"automated": {"prune": true, "selfHeal": true}},
        },
    })
}

/// A Secret with one value, as YAML.
pub(crate) fn secret(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{token: {value}}}\n"
    )
}

/// Plants everything that comes with a source, and changes some of it. Answers the first commit.
pub(crate) fn plant(scene: &Scene, controller: &Controller, canaries: &Canaries) -> String {
    let sealed = |place: &str| scene.seal(controller, "db", canaries.value(place));
    let mut files = manifests(canaries, sealed("a sealed value"));
    files.extend(charts(canaries));
    files.extend(refused(canaries));
    let files = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()));
    let commit = scene.repository.commit(&Vec::from_iter(files), "Plant");
    apply(
        scene,
        &json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vars", "namespace": scene.to},
            "stringData": {"token": canaries.value("a variable")},
        }),
    );
    plant_template(scene, controller, canaries);
    plant_module(scene, canaries);
    plant_applications(scene, canaries);
    scene.operation("Succeeded", &commit);
    scene.commit(&[("app/db.json", &sealed("a newer sealed value"))]);
    edit(scene, canaries);
    take_out(scene, canaries);
    commit
}

/// What stood in a spec is replaced, once it was synced.
fn take_out(scene: &Scene, canaries: &Canaries) {
    eventually("the first values have arrived", || {
        let found = scene.testbed.find_object(&scene.to, "secret", "values");
        let text = found.unwrap_or_default().to_string();
        let place = "values of an Application";
        match canaries.finds(place, text.as_bytes()) {
            true => Ok(()),
            false => Err(text),
        }
    });
    let values = values(canaries.value("newer values of an Application"));
    let patch = json!({"spec": {"source": {"helm": {"values": values}}}}).to_string();
    merge(scene, "values", &patch);
}

fn merge(scene: &Scene, name: &str, patch: &str) {
    let application = ["patch", "application", name, "--namespace", &scene.own];
    let patch = ["--type=merge", "--patch", patch];
    scene.testbed.kubectl(&[&application[..], &patch].concat());
}

/// Values of the chart.
fn values(token: &str) -> String {
    format!("token: {token}\n")
}

/// Somebody writes over a Secret, which is put right and told, and leaves a copy in an annotation.
fn edit(scene: &Scene, canaries: &Canaries) {
    let encoded = |place: &str| BASE64_STANDARD.encode(canaries.value(place));
    let copy = json!({"data": {"token": encoded("a copy in an annotation")}});
    let copy = format!("kubectl.kubernetes.io/last-applied-configuration={copy}");
    let edited = json!({"data": {"token": encoded("an edit of a Secret")}}).to_string();
    let of_plain = |command: &str, args: &[&str]| {
        let plain = [command, "secret", "plain", "--namespace", &scene.to];
        scene.testbed.kubectl(&[&plain[..], args].concat());
    };
    of_plain("annotate", &[&copy]);
    of_plain("patch", &["--patch", &edited]);
}

/// A SealedSecret whose template can't be filled in.
fn plant_template(scene: &Scene, controller: &Controller, canaries: &Canaries) {
    let value = canaries.value("a template that fails");
    let sealed = scene.seal(controller, "fails", value);
    let mut sealed: Value = serde_json::from_str(&sealed).expect("JSON");
    sealed["spec"]["template"]["data"] =
        json!({"url": "{{ fail .password }}", "other": "{{ index .password 1000 }}"});
    apply(scene, &sealed);
}

/// A repository with a submodule, in whose URL somebody wrote a login.
fn plant_module(scene: &Scene, canaries: &Canaries) {
    let repository = GitRepository::create(&format!("module-{}", unique()));
    let login = canaries.value("a login of a submodule");
    let modules = format!(
        "[submodule \"lib\"]\n\tpath = lib\n\turl = https://signet:{login}@git.example.com/lib.git\n"
    );
    std::fs::create_dir(repository.work_tree().join("lib")).expect("the work tree is writable");
    let link = format!("160000,{},lib", "1".repeat(40));
    repository.git(&["update-index", "--add", "--cacheinfo", &link]);
    let files = [
        (".gitmodules", modules.as_str()),
        ("a.yaml", &config_map("a", "1")),
    ];
    repository.commit(&files, "Add a submodule");
    let source = json!({
        "repoURL": repository.url(), "path": ".", "targetRevision": "main", "directory": {"recurse": true},
    });
    apply(scene, &application(scene, "module", &source));
}

fn plant_applications(scene: &Scene, canaries: &Canaries) {
    let url = scene.repository.url();
    let of = |place: &str| canaries.value(place);
    let source = |path: &str| json!({"repoURL": url, "path": path, "targetRevision": "main"});
    let with = |path: &str, tool: &str, options: Value| {
        let mut source = source(path);
        source[tool] = options;
        source
    };
    let first = json!({
        "values": values(of("values of an Application")),
        "parameters": [{"name": "more", "value": of("a parameter of an Application")}],
    });
    let object = json!({"valuesObject": {"token": of("a values object of an Application")}});
    let added = json!({"more": of("a patch of an Application")});
    let patch = json!([{"op": "add", "path": "/stringData", "value": added}]).to_string();
    let patches = json!({
        "patches": [{"target": {"kind": "Secret"}, "patch": patch}],
        "commonAnnotations": {"note": of("an annotation of an Application")},
    });
    let file = format!(
        "https://git.example.com/values.yaml?token={}",
        of("the URL of a value file")
    );
    // Its last quote is missing.
    let unquoted = |place: &str| format!("token: \"{}\n", of(place));
    let parameter =
        json!({"name": "token[", "value": format!("{{{}", of("a parameter that helm can't read"))});
    // No label has a space.
    let label = format!(
        "{} {}",
        of("a label of an Application"),
        of("a label of an Application")
    );
    let aimless =
        json!([{"op": "add", "path": "/x", "value": of("a patch without a target")}]).to_string();
    let of_a_secret = |data: Value| {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "spoiled"}, "data": data});
        secret.to_string()
    };
    let misfit = of_a_secret(json!({"token": {"it": of("a patch that does not fit")}}));
    let added = json!([{"op": "add", "path": "/x", "value": 1}]).to_string();
    let selector = json!({"labelSelector": format!("a in {}", of("a selector of a patch"))});
    let counted = json!({"name": "web", "count": of("a count that is no number")});
    let anchor = format!("token: *{}\n", of("an anchor in values"));
    let nested = json!({"a": {"b": "x"}, "token": of("a parameter that is JSON")}).to_string();
    let nested = json!({"name": "more", "value": nested});
    let component = format!(
        "git.example.com/team/part?ref=v1&token={}",
        of("a component of an Application")
    );
    let variable = json!({"name": "TOKEN", "value": of("a variable of a plugin")});
    let login = format!("://signet:{}@", of("a login in repoURL"));
    let mut inline = source("app");
    inline["repoURL"] = url.replacen("://", &login, 1).into();
    for (name, source) in [
        ("chart", source("chart")),
        ("values", with("chart", "helm", first)),
        (
            "unquoted",
            with(
                "chart",
                "helm",
                json!({"values": unquoted("values that are no YAML")}),
            ),
        ),
        (
            "parameter",
            with("chart", "helm", json!({"parameters": [parameter]})),
        ),
        (
            "patch",
            with(
                "kustomized",
                "kustomize",
                json!({"patches": [{"target": {"kind": "Secret"}, "patch": unquoted("a patch that is no YAML")}]}),
            ),
        ),
        (
            "label",
            with(
                "kustomized",
                "kustomize",
                json!({"commonLabels": {"team": label}}),
            ),
        ),
        ("file", with("chart", "helm", json!({"valueFiles": [file]}))),
        (
            "plugin",
            with("plugin", "plugin", json!({"env": [variable]})),
        ),
        (
            "aimless",
            with(
                "spoiled",
                "kustomize",
                json!({"patches": [{"patch": aimless}]}),
            ),
        ),
        (
            "misfit",
            with(
                "spoiled",
                "kustomize",
                json!({"patches": [{"patch": misfit}]}),
            ),
        ),
        (
            "selector",
            with(
                "spoiled",
                "kustomize",
                json!({"patches": [{"patch": added, "target": selector}]}),
            ),
        ),
        (
            "counted",
            with("spoiled", "kustomize", json!({"replicas": [counted]})),
        ),
        ("anchor", with("chart", "helm", json!({"values": anchor}))),
        (
            "nested",
            with("chart", "helm", json!({"parameters": [nested]})),
        ),
        ("literals", source("literals")),
        ("labelled", source("labelled")),
        ("unfit", source("unfit")),
        (
            "component",
            with(
                "kustomized",
                "kustomize",
                json!({"components": [component]}),
            ),
        ),
        ("object", with("chart", "helm", object)),
        ("kustomized", with("kustomized", "kustomize", patches)),
        ("inline", inline),
        ("depends", source("depends")),
        ("mistyped", source("mistyped")),
        ("refused", source("refused")),
        ("remote", source("remote")),
        ("schema", source("schema")),
        ("torn", source("torn")),
    ] {
        apply(scene, &application(scene, name, &source));
    }
    plant_statuses(scene, canaries, &source("manual"));
    plant_denied(scene, of("a login that a project does not permit"));
    // The definition leaves the shape of several sources to the controller.
    let typed = with(
        "chart",
        "helm",
        json!({"parameters": of("a parameter of the wrong type")}),
    );
    let mut several = application(scene, "typed", &typed);
    several["spec"]["sources"] = json!([several["spec"]["source"].take()]);
    apply(scene, &several);
    let mut other = with(
        "chart",
        "helm",
        json!({"values": of("values of a request")}),
    );
    other["newer"] = of("an unknown field of a request").into();
    let manifest = secret("asked", of("a manifest of a request"));
    let mut asked = application(scene, "asked", &source("chart"));
    asked["spec"]["syncPolicy"] = json!({});
    asked["operation"] = json!({
        "sync": {"source": other, "manifests": [manifest]},
        "info": [{"name": "reason", "value": of("what a request says to people")}],
    });
    apply(scene, &asked);
    plant_policies(scene, canaries, &source("noted"));
    plant_destinations(scene, canaries, &source("spaced"));
    let mut app = application(scene, "app", &source("app"));
    let variables = "[{kind: Secret, name: vars}]";
    app["metadata"]["annotations"] = json!({"signet.dev/substitute-from": variables});
    apply(scene, &app);
}

/// Two Applications with what another controller has told of them: one that can be read, and one that can't.
fn plant_statuses(scene: &Scene, canaries: &Canaries, source: &Value) {
    let of = |place: &str| canaries.value(place);
    let mut before = source.clone();
    before["helm"] = json!({"values": of("values in a history")});
    let mut unread = source.clone();
    unread["helm"] = json!({"parameters": of("a status that nobody can read")});
    let unknown = json!({"newer": of("an unknown field of a status")});
    let time = "2026-01-01T00:00:00Z";
    let entry = |source: &Value| json!([{"id": 1, "deployedAt": time, "revision": "1".repeat(40), "source": source}]);
    let status = json!({"history": entry(&before), "sourceHydrator": unknown});
    for (name, status) in ADOPTED
        .into_iter()
        .zip([status, json!({"history": entry(&unread)})])
    {
        let mut application = application(scene, name, source);
        application["spec"]["syncPolicy"] = json!({});
        application["status"] = status;
        apply(scene, &application);
    }
}

/// An Application whose project permits no source of it.
fn plant_denied(scene: &Scene, login: &str) {
    apply(
        scene,
        &json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "narrow", "namespace": scene.own},
            "spec": {"sourceRepos": ["https://git.example.com/*"], "destinations": [{"server": "*", "namespace": "*"}]},
        }),
    );
    let source =
        json!({"repoURL": format!("https://me:{login}@elsewhere.example.com/config"), "path": "."});
    let mut application = application(scene, "denied", &source);
    application["spec"]["project"] = "narrow".into();
    apply(scene, &application);
}

/// An Application for another cluster, with a login, and one whose namespace gets a label that is none.
fn plant_destinations(scene: &Scene, canaries: &Canaries, source: &Value) {
    let of = |place: &str| canaries.value(place);
    let mut elsewhere = application(scene, "elsewhere", source);
    let server = format!("https://me:{}@k8s.example.com", of("a login of a cluster"));
    elsewhere["spec"]["destination"]["server"] = server.into();
    apply(scene, &elsewhere);
    let mut spaced = application(scene, "spaced", source);
    let label = format!("{0} {0}", of("a label of a namespace"));
    let policy = &mut spaced["spec"]["syncPolicy"];
    policy["managedNamespaceMetadata"] = json!({"labels": {"team": label}});
    policy["syncOptions"] = json!(["CreateNamespace=true"]);
    apply(scene, &spaced);
}

/// An Application that says something of its namespace and passes over a field, and one with a jq path whose last bracket is missing.
fn plant_policies(scene: &Scene, canaries: &Canaries, source: &Value) {
    let of = |place: &str| canaries.value(place);
    let note = json!({"note": of("an annotation of a namespace")});
    let selects = format!(
        ".data | select(.a == \"{}\")",
        of("a jq path of an Application")
    );
    let is_open = format!(".data[\"{}\"", of("a jq path that is none"));
    for (name, path) in [("noted", selects), ("expression", is_open)] {
        let mut application = application(scene, name, source);
        let spec = &mut application["spec"];
        spec["syncPolicy"]["managedNamespaceMetadata"] = json!({"annotations": note});
        spec["syncPolicy"]["syncOptions"] = json!(["CreateNamespace=true"]);
        spec["ignoreDifferences"] = json!([{"kind": "ConfigMap", "jqPathExpressions": [path]}]);
        apply(scene, &application);
    }
}

/// Secrets that are applied as they are, and one that is never synced.
fn manifests(canaries: &Canaries, sealed: String) -> Files {
    let of = |place: &str| canaries.value(place);
    let user = "        env: [{name: A, valueFrom: {secretKeyRef: {name: db, key: password}}}]\n";
    let name = "metadata: {name: hook";
    let hook = secret("hook", of("a Secret of a hook")).replace(
        name,
        &format!("{name}, annotations: {{argocd.argoproj.io/hook: PreSync}}"),
    );
    let generator = format!(
        "secretGenerator:\n- name: generated\n  literals: [token={}]\n  options: {{disableNameSuffixHash: true}}\n",
        of("a literal of Kustomize")
    );
    let files = [
        ("app/db.json", sealed),
        ("app/hook.yaml", hook),
        ("app/job.yaml", JOB.to_owned()),
        ("app/plain.yaml", secret("plain", of("a plain Secret"))),
        (
            "app/substituted.yaml",
            secret("substituted", "\"${token}\""),
        ),
        ("app/web.yaml", deployment("web", "web:1", user)),
        ("kustomized/kustomization.yaml", generator),
        ("noted/a.yaml", config_map("noted", "1")),
        ("spaced/a.yaml", config_map("spaced", "1")),
        (
            "manual/manual.yaml",
            secret("manual", of("a Secret that is not synced")),
        ),
    ];
    files.map(|(path, text)| (path.to_owned(), text)).into()
}

/// A chart for three releases, and one whose schema its own values do not meet.
fn charts(canaries: &Canaries) -> Files {
    let files = |name: &str, value: &str| {
        [
            (
                format!("{name}/Chart.yaml"),
                format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\n"),
            ),
            (
                format!("{name}/values.yaml"),
                format!("token: {value}\nmore: none\n"),
            ),
            (format!("{name}/templates/secret.yaml"), TEMPLATE.to_owned()),
        ]
    };
    let schema = json!({"properties": {"token": {"type": "string", "pattern": "^[0-9]+$"}}});
    let schema = ("schema/values.schema.json".to_owned(), schema.to_string());
    let chart = files("chart", canaries.value("a value of a chart"));
    let refused = files("schema", canaries.value("a value that a schema refuses"));
    chart.into_iter().chain(refused).chain([schema]).collect()
}

/// What can't be rendered, or what the API server does not take.
fn refused(canaries: &Canaries) -> Files {
    let of = |place: &str| canaries.value(place);
    let url = |place: &str| format!("https://signet:{}@git.example.com/team/config", of(place));
    let mistyped = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: mistyped}}\ndata: {{token: [{}]}}\n",
        of("a Secret of the wrong type")
    );
    let docker = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: refused}}\ntype: kubernetes.io/dockerconfigjson\n\
         stringData: {{.dockerconfigjson: {}}}\n",
        of("a Secret that is refused")
    );
    // Its last quote is missing.
    let torn = secret("torn", &format!("\"{}", of("a file that is no YAML")));
    let depends = format!(
        "apiVersion: v2\nname: depends\nversion: 0.1.0\ndependencies: [{{name: part, version: 1.0.0, repository: \"{}\"}}]\n",
        url("a login of a dependency")
    );
    // No label has a space.
    let labelled = config_map("labelled", "1").replace(
        "metadata: {",
        &format!(
            "metadata: {{labels: {{team: \"{0} {0}\"}}, ",
            of("a label that is refused")
        ),
    );
    let variable = format!(
        "        env: [{{name: A, value: {{it: {}}}}}]\n",
        of("a variable of the wrong type")
    );
    let unfit = deployment("unfit", "web:1", &variable);
    let spoiled = "secretGenerator: [{name: spoiled, literals: [token=none], options: {disableNameSuffixHash: true}}]\n";
    let literals = format!(
        "secretGenerator: [{{name: literals, literals: [token={}, oops]}}]\n",
        of("a literal beside a bad one")
    );
    let remote = format!("resources: [\"{}\"]\n", url("a login of a remote base"));
    let files = [
        ("depends/Chart.yaml", depends),
        ("mistyped/secret.yaml", mistyped),
        ("refused/secret.yaml", docker),
        ("literals/kustomization.yaml", literals),
        ("labelled/a.yaml", labelled),
        ("unfit/web.yaml", unfit),
        ("spoiled/kustomization.yaml", spoiled.to_owned()),
        ("remote/kustomization.yaml", remote),
        ("torn/secret.yaml", torn),
    ];
    files.map(|(path, text)| (path.to_owned(), text)).into()
}
