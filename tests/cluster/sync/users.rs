//! Objects that name a Secret, each in another way: none is there before what it names.
//! What else follows from it is the business of the golden plans.

use serde_json::Value;

use crate::AUTOMATED;
use crate::scene::Scene;

/// Each is called like the Secret that it names.
const USERS: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: first}
spec:
  initContainers:
  - name: a
    image: a
    env: [{name: A, valueFrom: {secretKeyRef: {name: first, key: password}}}]
  containers: [{name: main, image: a}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: variable}
spec:
  selector: {matchLabels: {app: variable}}
  template:
    metadata: {labels: {app: variable}}
    spec:
      containers:
      - name: main
        image: a
        env: [{name: A, valueFrom: {secretKeyRef: {name: variable, key: password}}}]
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: variables}
spec:
  selector: {matchLabels: {app: variables}}
  template:
    metadata: {labels: {app: variables}}
    spec: {containers: [{name: main, image: a, envFrom: [{secretRef: {name: variables}}]}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: files}
spec:
  selector: {matchLabels: {app: files}}
  template:
    metadata: {labels: {app: files}}
    spec:
      containers: [{name: main, image: a}]
      volumes: [{name: v, secret: {secretName: files}}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: part}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: a}]
      volumes: [{name: v, projected: {sources: [{secret: {name: part}}]}}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: driver}
spec:
  schedule: 0 0 29 2 *
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: main, image: a}]
          volumes: [{name: v, csi: {driver: a.example.org, nodePublishSecretRef: {name: driver}}}]
---
apiVersion: v1
kind: ReplicationController
metadata: {name: pull}
spec:
  selector: {app: pull}
  template:
    metadata: {labels: {app: pull}}
    spec:
      containers: [{name: main, image: a}]
      imagePullSecrets: [{name: pull}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: account}
secrets: [{name: account}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: account-pull}
imagePullSecrets: [{name: account-pull}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: certificate}
spec:
  tls: [{secretName: certificate}]
  defaultBackend: {service: {name: a, port: {number: 80}}}
";

/// Their names, and what the API server calls their kinds.
const NAMES: [(&str, &str); 10] = [
    ("first", "pods"),
    ("variable", "deployments"),
    ("variables", "replicasets"),
    ("files", "daemonsets"),
    ("part", "jobs"),
    ("driver", "cronjobs"),
    ("pull", "replicationcontrollers"),
    ("account", "serviceaccounts"),
    ("account-pull", "serviceaccounts"),
    ("certificate", "ingresses"),
];

/// A SealedSecret that comes late, unless something before it uses its Secret.
fn late(sealed: &str) -> String {
    let mut sealed: Value = serde_json::from_str(sealed).expect("JSON");
    sealed["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] = "1".into();
    format!("---\n{sealed}\n")
}

#[test]
fn whatever_names_a_secret_is_made_after_it() {
    let scene = Scene::new("users");
    let controller = scene.controller();
    let sealed = NAMES.map(|(name, _)| late(&scene.seal(&controller, name, "hunter2")));
    let all = format!("{USERS}{}", sealed.concat());
    let commit = scene.repository.commit(&[("app/all.yaml", &all)], "Add");
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &commit);
    let requests = scene.testbed.audited("testbed-admin");
    let made = |resource: &str, name: &str| {
        let place = requests.iter().position(|request| {
            let object = &request["objectRef"];
            object["resource"] == resource
                && object["namespace"] == scene.to.as_str()
                && object["name"] == name
                && request["responseStatus"]["code"] == 201
        });
        place.unwrap_or_else(|| panic!("{resource} {name} was not made"))
    };
    for (name, resource) in NAMES {
        assert!(made("secrets", name) < made(resource, name), "{name}");
    }
}
