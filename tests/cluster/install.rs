//! The plain install works as it stands in `deploy/`, and sealing may do exactly what it does.
//! What the controller does with its rights is the business of other suites.

#[path = "../testbed/harness.rs"]
mod harness;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use harness::{EVERYWHERE, Testbed, equal, eventually};
use serde_json::Value;

const ACCOUNT: &str = "system:serviceaccount:signet:signet-controller";

/// There is one install in a cluster, so the tests take turns.
static INSTALL: Mutex<()> = Mutex::new(());

/// A right, or what a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    verb: String,
    /// `group/resource` with the subresource.
    resource: String,
    /// Where it is, or is granted; everywhere when there is none.
    namespace: Option<String>,
    /// Of what it is; of anything when there is none.
    name: Option<String>,
}

impl Right {
    /// Whether this right allows what a request asks for.
    fn allows(&self, asked: &Self) -> bool {
        let within = |granted: &Option<String>, asked: &Option<String>| {
            granted.is_none() || granted == asked
        };
        (&self.verb, &self.resource) == (&asked.verb, &asked.resource)
            && within(&self.namespace, &asked.namespace)
            && within(&self.name, &asked.name)
    }

    /// `get /secrets signet/sealed-secrets-key`.
    fn in_words(&self) -> String {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".to_owned());
        let (namespace, name) = (part(&self.namespace), part(&self.name));
        format!("{} {} {namespace}/{name}", self.verb, self.resource)
    }
}

/// Rights that sealing by itself does not use, and why they stand.
const NOT_USED_BY_SEALING: [&str; 5] = [
    // Upstream's role has it, and is to be exchanged with ours. A key without a label is found by listing.
    "get /secrets signet/sealed-secrets-key",
    // The Leases of a controller with all its parts, and of sync alone.
    "get coordination.k8s.io/leases signet/signet-controller",
    "get coordination.k8s.io/leases signet/signet-controller-sync",
    "update coordination.k8s.io/leases signet/signet-controller",
    "update coordination.k8s.io/leases signet/signet-controller-sync",
];

fn turn() -> MutexGuard<'static, ()> {
    INSTALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the README says, and a wait. Returns what kubectl said about it.
fn install(testbed: &Testbed) -> String {
    let root = harness::repository_root();
    let folder = |name: &str| root.join(name).display().to_string();
    let said = testbed.kubectl(&["apply", "-f", &folder("crds"), "-f", &folder("deploy")]);
    wait_until_available(testbed);
    said
}

fn wait_until_available(testbed: &Testbed) {
    testbed.kubectl(&[
        "rollout",
        "status",
        "deployment/signet-controller",
        "--namespace=signet",
        "--timeout=90s",
    ]);
}

#[test]
fn the_plain_install_becomes_available_and_twice_is_no_change() {
    let _turn = turn();
    let testbed = Testbed::get();
    install(&testbed);
    let again = install(&testbed);
    let changed: Vec<_> = again
        .lines()
        .filter(|line| !line.ends_with(" unchanged"))
        .collect();
    assert!(changed.is_empty(), "{changed:?}");
    let pods = testbed.objects("signet", "pods");
    let nodes: Vec<_> = pods.iter().map(|pod| &pod["spec"]["nodeName"]).collect();
    assert_eq!(
        nodes,
        ["host"],
        "one real process, under the install's account"
    );
}

#[test]
fn everybody_who_is_signed_in_can_get_the_certificate() {
    let _turn = turn();
    let testbed = Testbed::get();
    install(&testbed);
    let namespace = testbed.namespace("reader");
    let user = format!("--as=system:serviceaccount:{namespace}:default");
    let read = |args: &[&str]| {
        testbed.try_kubectl(&[&[user.as_str(), "--as-group=system:authenticated"], args].concat())
    };

    let config_map = [
        "get",
        "configmap",
        "signet-certificate",
        "--namespace=signet",
        "--output=jsonpath={.data.*}",
    ];
    let published = eventually("the certificate is published", || read(&config_map));
    assert!(published.contains("BEGIN CERTIFICATE"), "{published}");

    let service =
        "/api/v1/namespaces/signet/services/http:signet-controller:http/proxy/v1/cert.pem";
    let served = eventually("the certificate is served", || {
        read(&["get", "--raw", service])
    });
    assert_eq!(served.trim(), published.trim());

    let secrets = read(&["get", "secrets", "--namespace=signet"]);
    assert!(
        secrets.is_err_and(|error| error.contains("Forbidden")),
        "nobody reads the keys"
    );
}

#[test]
fn sealing_is_granted_the_verbs_it_uses_and_no_others() {
    let _turn = turn();
    let testbed = Testbed::get();
    install(&testbed);
    // Without the rights of sync only those of sealing are left. Upstream's garbage collection is what deletes Secrets.
    testbed.kubectl(&["delete", "clusterrolebinding", "signet-sync"]);
    let arguments = r#"[{"op": "replace", "path": "/spec/template/spec/containers/0/args", "value":
        ["--data-dir=/data", "--only=sealing", "--old-gc-behavior"]}]"#;
    let patch = [
        "patch",
        "deployment",
        "signet-controller",
        "--namespace=signet",
        "--type=json",
        "--patch",
        arguments,
    ];
    testbed.kubectl(&patch);
    wait_until_available(&testbed);
    // The log is read from here on: what sync did before is not sealing's.
    let before = testbed.audited(ACCOUNT).len();
    // What is made only once has to be made again.
    for gone in [
        "configmap/signet-certificate",
        "lease/signet-controller-sealing",
    ] {
        testbed.kubectl(&["delete", gone, "--namespace=signet"]);
    }
    testbed.kubectl(&[
        "rollout",
        "restart",
        "deployment/signet-controller",
        "--namespace=signet",
    ]);
    wait_until_available(&testbed);

    live_through_everything(&testbed);

    let requests = testbed.audited(ACCOUNT).split_off(before);
    let forbidden: Vec<_> = requests
        .iter()
        .filter(|request| is_forbidden(request))
        .map(right)
        .collect();
    assert!(forbidden.is_empty(), "used, but not granted: {forbidden:?}");
    let used: BTreeSet<Right> = requests.iter().map(right).collect();
    let unused: Vec<String> = granted(&testbed)
        .iter()
        .filter(|granted| !used.iter().any(|asked| granted.allows(asked)))
        .map(Right::in_words)
        .collect();
    assert_eq!(
        unused, NOT_USED_BY_SEALING,
        "granted, but never used; used: {used:?}"
    );

    let root = harness::repository_root()
        .join("deploy")
        .display()
        .to_string();
    testbed.kubectl(&["apply", "-f", &root]);
    wait_until_available(&testbed);
}

/// Everything that sealing does in its life: publish, open, refuse, update, rotate, delete.
fn live_through_everything(testbed: &Testbed) {
    let namespace = testbed.namespace("rights");
    let seal = |value: &str| {
        let secret = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: sealed, namespace: {namespace}}}\nstringData: {{key: {value}}}\n"
        );
        testbed.apply(&harness::signet_with_input(&["seal"], &secret).success());
    };
    let value = || testbed.object(&namespace, "secret", "sealed")["data"]["key"].clone();
    // A Secret of somebody else stands in the way first; that makes an event and a status.
    testbed.kubectl(&[
        "create",
        "secret",
        "generic",
        "sealed",
        "--namespace",
        &namespace,
    ]);
    seal("one");
    eventually("the SealedSecret is refused", || {
        let sealed = testbed.object(&namespace, "sealedsecret", "sealed");
        equal(
            &sealed["status"]["conditions"][0]["status"],
            &Value::from("False"),
        )
    });
    // The same failure once more is the same event, counted up.
    seal("one");
    eventually("the refusal is one event, counted", || {
        let events = testbed.objects(&namespace, "events");
        let counted = events.len() == 1 && events[0]["count"].as_u64() > Some(1);
        counted.then_some(()).ok_or(format!("{events:#?}"))
    });
    testbed.kubectl(&["delete", "secret", "sealed", "--namespace", &namespace]);
    eventually("the Secret is made", || {
        let secret = testbed.find_object(&namespace, "secret", "sealed");
        secret.ok_or("not yet")
    });
    seal("two");
    eventually("the Secret is updated", || {
        equal(&value(), &Value::from("dHdv"))
    });
    testbed.kubectl(&[
        "delete",
        "sealedsecret",
        "sealed",
        "--namespace",
        &namespace,
    ]);
    eventually("the Secret is deleted with its SealedSecret", || {
        let secret = testbed.find_object(&namespace, "secret", "sealed");
        equal(&secret, &None)
    });
    let keys = || testbed.objects("signet", "secrets").len();
    let count = keys();
    harness::signet(&["keys", "rotate"]).success();
    eventually("there is one key more", || equal(&keys(), &(count + 1)));
}

fn is_forbidden(request: &Value) -> bool {
    request["annotations"]["authorization.k8s.io/decision"] == "forbid"
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The right that a request of the audit log needed.
fn right(request: &Value) -> Right {
    let target = &request["objectRef"];
    let resource = match text(&target["subresource"]) {
        "" => text(&target["resource"]).to_owned(),
        subresource => format!("{}/{subresource}", text(&target["resource"])),
    };
    Right {
        verb: text(&request["verb"]).to_owned(),
        resource: format!("{}/{resource}", text(&target["apiGroup"])),
        namespace: target["namespace"].as_str().map(str::to_owned),
        name: target["name"].as_str().map(str::to_owned),
    }
}

/// Every right of the roles that are bound to the account.
fn granted(testbed: &Testbed) -> BTreeSet<Right> {
    let kinds = ["clusterrolebindings", "rolebindings"];
    let bindings = kinds.map(|kind| testbed.objects(EVERYWHERE, kind));
    let ours = |binding: &&Value| {
        let subjects = binding["subjects"].as_array().into_iter().flatten();
        let mut names =
            subjects.map(|subject| (text(&subject["name"]), text(&subject["namespace"])));
        names.any(|name| name == ("signet-controller", "signet"))
    };
    let rights = bindings.iter().flatten().filter(ours).flat_map(|binding| {
        let role = &binding["roleRef"];
        let role = testbed.object("signet", text(&role["kind"]), text(&role["name"]));
        rights_of(&role, binding["metadata"]["namespace"].as_str())
    });
    rights.collect()
}

/// The rights of a role that is bound in `namespace`, or everywhere.
fn rights_of(role: &Value, namespace: Option<&str>) -> Vec<Right> {
    let strings = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .map(|entry| text(entry).to_owned())
            .collect()
    };
    let mut rights = Vec::new();
    for rule in role["rules"].as_array().into_iter().flatten() {
        let names: Vec<Option<String>> = match rule["resourceNames"].is_array() {
            true => strings(&rule["resourceNames"])
                .into_iter()
                .map(Some)
                .collect(),
            false => vec![None],
        };
        for group in strings(&rule["apiGroups"]) {
            for resource in strings(&rule["resources"]) {
                for verb in strings(&rule["verbs"]) {
                    rights.extend(names.iter().map(|name| Right {
                        verb: verb.clone(),
                        resource: format!("{group}/{resource}"),
                        namespace: namespace.map(str::to_owned),
                        name: name.clone(),
                    }));
                }
            }
        }
    }
    rights
}
