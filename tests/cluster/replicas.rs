//! Several controllers beside each other: all serve, one writes where Leases are granted, and the outcome is right where not.
//! Who takes the Lease when is decided in `controller/src/leadership/plan.rs`.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sync/scene.rs"]
mod scene;
#[path = "sealed.rs"]
mod sealed;

use std::time::{Duration, Instant};

use harness::{Controller, Port, eventually, get};
use scene::{Scene, config_map};
use sealed::{KEY, Place, post, status, vector};
use serde_json::Value;

impl Place {
    /// Whose Lease it is, if there is one; empty when it was given back.
    fn holder(&self) -> Option<String> {
        let (namespace, name) = (&self.namespace, "signet-controller-sealing");
        let lease = self.testbed.find_object(namespace, "lease", name)?;
        let holder = lease["spec"]["holderIdentity"].as_str();
        Some(holder.unwrap_or_default().to_owned())
    }

    /// A service account with the rights of upstream's roles, which know no Leases, in this namespace.
    fn account_of_upstream(&self) -> String {
        self.kubectl(&["create", "serviceaccount", "upstream"]);
        let account = format!("--serviceaccount={}:upstream", self.namespace);
        for (role, verbs, resource) in [
            ("unsealer", "get,list,create,update,delete,watch", "secrets"),
            ("sealed", "get,list,watch", "sealedsecrets.bitnami.com"),
            ("status", "update", "sealedsecrets.bitnami.com/status"),
            ("events", "create,patch", "events"),
        ] {
            let (verbs, resource) = (format!("--verb={verbs}"), format!("--resource={resource}"));
            self.kubectl(&["create", "role", role, &verbs, &resource]);
            let role_flag = format!("--role={role}");
            self.kubectl(&["create", "rolebinding", role, &role_flag, &account]);
        }
        self.testbed.kubeconfig_of(&self.namespace, "upstream")
    }
}

/// Waits until a controller says whether it is the one that writes.
#[track_caller]
fn leads(controller: &Controller, leads: u8) {
    let line = format!("signet_leader {leads}\n");
    eventually(&line, || {
        let (_, text) = get(&format!("{}/metrics", controller.url(Port::Metrics)))?;
        text.contains(&line).then_some(()).ok_or(text)
    });
}

/// How long nobody may write after the writer was killed. It is promised as a number, so unlike other times it is asserted: twice
/// as long, since other suites use the machine too.
const FAIL_OVER: Duration = Duration::from_secs(2 * 15);

#[test]
fn another_process_writes_after_the_one_that_wrote_was_killed() {
    let place = Place::with_key("killed");
    let first = place.controller(&[]).ready();
    leads(&first, 1);
    let second = place.controller(&[]).ready();
    for controller in [&first, &second] {
        let served = get(&format!("{}/v1/cert.pem", controller.url(Port::Sealing))).unwrap();
        assert_eq!(served, (200, vector("test-cert.pem")));
        let sealed = place.sealed("asked", KEY, "x").to_string();
        for path in ["/v1/verify", "/v1/rotate"] {
            let answer = post(controller.port(Port::Sealing), path, "", &sealed);
            assert_eq!(status(&answer), "200", "{path}");
        }
    }
    place.apply(&place.sealed("before", KEY, "a"));
    place.holds("before", "a");
    leads(&second, 0);
    let after = place.sealed("after", KEY, "b");
    let killed = Instant::now();
    first.kill();
    place.apply(&after);
    place.holds("after", "b");
    let took = killed.elapsed();
    assert!(took < FAIL_OVER, "written {took:?} after the kill");
    leads(&second, 1);
}

#[test]
fn another_process_syncs_after_the_one_that_synced_was_killed() {
    let scene = Scene::new("handover");
    let first = scene.controller();
    leads(&first, 1);
    let second = scene.controller();
    let file = |value: &str| config_map("a", value);
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &file("one"))], "One");
    scene.application("{automated: {}}");
    scene.sync_status("Synced", &commit);
    first.kill();
    let commit = scene.commit(&[("app/a.yaml", &file("two"))]);
    scene.sync_status("Synced", &commit);
    leads(&second, 1);
}

#[test]
fn the_lease_does_not_wait_behind_other_requests() {
    let place = Place::with_key("limited");
    let limits = ["--kubeclient-qps=3", "--kubeclient-burst=1"];
    let controller = place.controller(&limits).ready();
    leads(&controller, 1);
    let names: Vec<_> = (0..20).map(|index| format!("s{index}")).collect();
    let objects: Vec<_> = names
        .iter()
        .map(|name| place.sealed(name, KEY, name).to_string())
        .collect();
    place.testbed.apply(&objects.join("\n---\n"));
    for name in &names {
        place.holds(name, name);
    }
    let log = controller.log();
    assert!(!log.contains("the Lease can't be renewed"), "{log}");
}

#[test]
fn a_process_that_ends_gives_the_lease_back() {
    let place = Place::with_key("stopped");
    let first = place.controller(&[]).ready();
    leads(&first, 1);
    let holder = place.holder().unwrap();
    assert!(!holder.is_empty());
    assert!(first.stop().success());
    assert_eq!(place.holder().unwrap(), "");
    let second = place.controller(&[]).ready();
    leads(&second, 1);
    let next = place.holder().unwrap();
    assert!(!next.is_empty() && next != holder);
}

#[test]
fn without_the_right_to_leases_every_process_writes_and_each_secret_is_written_once() {
    let place = Place::with_key("upstream");
    let kubeconfig = place.account_of_upstream();
    let namespace = format!("--namespace={}", place.namespace);
    let arguments = [
        "--only=sealing",
        "--all-namespaces=false",
        "--key-renew-period=0",
        namespace.as_str(),
    ];
    let start = || Controller::start_with(&kubeconfig, &arguments);
    let (first, second) = (start(), start());
    let both = [first.ready(), second.ready()];
    both.iter().for_each(|controller| leads(controller, 1));
    let names: Vec<_> = (0..20).map(|index| format!("s{index}")).collect();
    for name in &names {
        place.apply(&place.sealed(name, KEY, name));
    }
    for name in &names {
        place.synced(name, "True");
        place.holds(name, name);
    }
    for controller in &both {
        eventually("both have looked at all", || {
            let (_, text) = get(&format!("{}/metrics", controller.url(Port::Metrics)))?;
            let line = text.lines().find_map(|line| {
                line.strip_prefix("sealed_secrets_controller_unseal_requests_total ")
            });
            let looked = line.and_then(|count| count.parse::<usize>().ok());
            (looked >= Some(names.len())).then_some(()).ok_or(text)
        });
    }
    let account = format!("system:serviceaccount:{}:upstream", place.namespace);
    let requests = place.testbed.audited(&account);
    let created = |resource: &str, name: &str| {
        let is_one = |request: &&Value| {
            let target = &request["objectRef"];
            request["verb"] == "create"
                && request["responseStatus"]["code"] == 201
                && target["resource"] == resource
                && target["name"]
                    .as_str()
                    .is_some_and(|target| target.starts_with(name))
        };
        requests.iter().filter(is_one).count()
    };
    for name in &names {
        assert_eq!(created("secrets", name).min(1), 1, "{name}");
        place.told(name, "Unsealed");
        let events = place.events(name).len();
        assert!((1..=2).contains(&events), "{name} has {events} events");
    }
    let written = requests.iter().filter(|request| {
        request["verb"] == "update" && request["objectRef"]["resource"] == "secrets"
    });
    assert_eq!(written.count(), 0, "no Secret was written over");
    let agents = requests.iter().map(|request| &request["userAgent"]);
    let ours = format!("signet-controller/{}", env!("CARGO_PKG_VERSION"));
    agents.for_each(|agent| assert_eq!(*agent, ours.as_str()));
    assert_eq!(place.holder(), None, "there is no Lease");
}
