//! Two controllers in the cluster that share the published key: upstream's where kubeseal looks for it, and ours.
//! Beside them stand Services that lead nowhere.

use serde_json::{Value, json};

use super::fixtures::vector;
use super::harness::{Controller, Proxy, Testbed, eventually};

/// Where kubeseal looks for the controller.
const UPSTREAM: (&str, &str) = ("kube-system", "sealed-secrets-controller");
/// Where ours is.
const OURS: (&str, &str) = ("signet", "signet");

/// So many requests that no case has to wait for its turn; one Service leads to a controller with the default limit.
const NO_LIMIT: [&str; 2] = ["--rate-limit=100000", "--rate-limit-burst=100000"];

pub(crate) struct Servers {
    testbed: Testbed,
    /// The API server without TLS, whose greetings take longer than all the rest of a call.
    plain: Proxy,
    /// Who vouches for the API server, for those who have no kubeconfig to tell.
    authority: tempfile::NamedTempFile,
    _ours: Controller,
}

impl Servers {
    pub(crate) fn start() -> Self {
        let testbed = Testbed::get();
        testbed.install_crds();
        testbed.kubectl(&["create", "namespace", OURS.0]);
        for namespace in [UPSTREAM.0, OURS.0] {
            testbed.apply(&key(namespace).to_string());
        }
        let account = format!("--serviceaccount={}:default", UPSTREAM.0);
        testbed.kubectl(&[
            "create",
            "clusterrolebinding",
            "upstream",
            "--clusterrole=cluster-admin",
            &account,
        ]);
        start_upstream(&testbed, UPSTREAM.1, 18080, &NO_LIMIT);
        start_upstream(&testbed, "limited", 18090, &[]);
        let selected =
            |name: &str, port: Value| service(name, &json!({ "controller": UPSTREAM.1 }), &port);
        testbed.apply(
            &selected("unnamed-port", json!({ "port": 8080, "targetPort": 18080 })).to_string(),
        );
        testbed.apply(
            &selected(
                "no-controller",
                json!({ "name": "http", "port": 8080, "targetPort": 18999 }),
            )
            .to_string(),
        );
        let nobody = service(
            "without-endpoints",
            &json!({ "controller": "none" }),
            &json!({ "name": "http", "port": 8080 }),
        );
        testbed.apply(&nobody.to_string());
        let ours = start_ours(&testbed);
        for service in [UPSTREAM.1, "limited"] {
            let url = format!(
                "/api/v1/namespaces/{}/services/http:{service}:http/proxy/v1/cert.pem",
                UPSTREAM.0
            );
            eventually("upstream's controller answers", || testbed.raw(&url));
        }
        Self {
            authority: authority(&testbed),
            testbed,
            plain: Proxy::start(None),
            _ours: ours,
        }
    }

    /// The environment in which upstream's controller is found: a kubeconfig, and whom to trust at a URL.
    pub(crate) fn upstream(&self, with_tls: bool) -> Vec<(String, String)> {
        let kubeconfig = match with_tls {
            true => self.testbed.kubeconfig().display().to_string(),
            false => self.plain.kubeconfig(),
        };
        let authority = self.authority.path().display().to_string();
        vec![
            ("KUBECONFIG".to_owned(), kubeconfig),
            ("SSL_CERT_FILE".to_owned(), authority),
        ]
    }

    /// The environment in which ours is found.
    pub(crate) fn ours(&self, with_tls: bool) -> Vec<(String, String)> {
        let named = [
            ("SEALED_SECRETS_CONTROLLER_NAMESPACE", OURS.0),
            ("SEALED_SECRETS_CONTROLLER_NAME", OURS.1),
        ];
        let named = named.map(|(variable, value)| (variable.to_owned(), value.to_owned()));
        [self.upstream(with_tls), named.to_vec()].concat()
    }
}

fn authority(testbed: &Testbed) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file of our own");
    let trusted = eventually("the cluster says who vouches for it", || {
        let trusted = testbed.find_object("default", "configmap", "kube-root-ca.crt");
        trusted.ok_or("not yet")
    });
    let certificate = trusted["data"]["ca.crt"].as_str().unwrap_or_default();
    std::fs::write(&file, certificate).expect("a file of our own");
    file
}

/// The published key as a sealing key. It is old, and not renewed.
fn key(namespace: &str) -> Value {
    let text = |name: &str| String::from_utf8(vector(name)).expect("PEM is text");
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": { "namespace": namespace, "name": "test-key", "labels": { "sealedsecrets.bitnami.com/sealed-secrets-key": "active" } },
        "stringData": { "tls.key": text("test-key.pem"), "tls.crt": text("test-cert.pem") }
    })
}

fn service(name: &str, selector: &Value, port: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "namespace": UPSTREAM.0, "name": name },
        "spec": { "selector": selector, "ports": [port] }
    })
}

fn start_upstream(testbed: &Testbed, name: &str, port: u16, args: &[&str]) {
    let listening = [
        format!("--listen-addr=:{port}"),
        format!("--listen-metrics-addr=:{}", port + 1),
    ];
    let own = ["--all-namespaces=false", "--key-renew-period=0"];
    let args: Vec<&str> = listening
        .iter()
        .map(String::as_str)
        .chain(own)
        .chain(args.iter().copied())
        .collect();
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "namespace": UPSTREAM.0, "name": name, "labels": { "controller": name } },
        "spec": { "nodeName": "host", "containers": [{
            "name": "controller", "image": "docker.io/bitnami/sealed-secrets-controller:0.36.6", "command": ["controller"], "args": args,
            "env": [{ "name": "POD_NAMESPACE", "valueFrom": { "fieldRef": { "fieldPath": "metadata.namespace" } } }]
        }] }
    });
    testbed.apply(&pod.to_string());
    let port = json!({ "name": "http", "port": 8080, "targetPort": port });
    testbed.apply(&service(name, &json!({ "controller": name }), &port).to_string());
}

fn start_ours(testbed: &Testbed) -> Controller {
    let namespace = format!("--namespace={}", OURS.0);
    let own = [
        "--only=sealing",
        "--all-namespaces=false",
        "--key-renew-period=0",
        &namespace,
    ];
    let controller = Controller::start(&[&own[..], &NO_LIMIT].concat()).ready();
    testbed.service_proxy(OURS.0, OURS.1, &controller);
    controller
}
