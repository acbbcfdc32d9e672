//! An API server's answers without an API server, for transcripts that must not depend on one.
//! The first part of the path is the situation a transcript wants; the kubeconfig has a context for each.
//! That the answers are those of a real API server is what tests/cluster/cli.rs shows.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// Situations: our controller; upstream's; no controller; no permission; a controller that answers nonsense; ours
/// without keys; ours but never making a key; ours and a user who may not list and watch.
const SITUATIONS: [&str; 8] = [
    "ours",
    "upstream",
    "empty",
    "forbidden",
    "nonsense",
    "keyless",
    "stuck",
    "blind",
];

pub(crate) struct Api {
    url: String,
    folder: tempfile::TempDir,
}

struct Answers {
    certificate: String,
    older: String,
}

struct Request {
    method: String,
    path: String,
    query: String,
    body: String,
}

impl Api {
    pub(crate) fn start(transcripts: &Path) -> Self {
        let vector = |name: &str| {
            let path = transcripts.join("../vectors/sealed-secrets").join(name);
            std::fs::read_to_string(path).expect("the vectors are there")
        };
        let answers = Arc::new(Answers {
            certificate: vector("test-cert.pem"),
            older: vector("test-cert-4096.pem"),
        });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answers = Arc::clone(&answers);
                thread::spawn(move || serve(stream, &answers));
            }
        });
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("config"), kubeconfig(&url)).expect("written");
        Self { url, folder }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("config")
    }
}

fn kubeconfig(url: &str) -> String {
    let mut clusters =
        vec![json!({ "name": "away", "cluster": { "server": "http://127.0.0.1:1" } })];
    clusters.extend(
        SITUATIONS
            .iter()
            .map(|name| json!({ "name": name, "cluster": { "server": format!("{url}/{name}") } })),
    );
    let contexts: Vec<Value> =
        clusters.iter().map(|cluster| json!({ "name": cluster["name"], "context": { "cluster": cluster["name"], "user": "jane" } })).collect();
    let users = json!([{ "name": "jane", "user": {} }]);
    json!({ "apiVersion": "v1", "kind": "Config", "current-context": "ours", "clusters": clusters, "contexts": contexts, "users": users })
        .to_string()
}

fn serve(mut stream: TcpStream, answers: &Answers) -> Option<()> {
    let request = read(&stream)?;
    if request.query.contains("watch=true") {
        // Nothing happens any more: whoever watches waits for its own end.
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
        thread::sleep(Duration::from_secs(60));
        return None;
    }
    let (situation, path) = request.path.trim_start_matches('/').split_once('/')?;
    let (code, body) = answers.answer(situation, path, &request);
    let head = format!(
        "HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        body: String::from_utf8(body).ok()?,
    })
}

impl Answers {
    fn answer(&self, situation: &str, path: &str, request: &Request) -> (u16, String) {
        if situation == "forbidden" {
            return status(
                403,
                "Forbidden",
                &format!("{path} is forbidden: User \"jane\" may not do this"),
            );
        }
        let segments: Vec<&str> = path.split('/').collect();
        if situation == "blind" && request.query.contains("fieldSelector") {
            return status(403, "Forbidden", "User \"jane\" may not list this");
        }
        let found = match (situation, request.method.as_str(), segments.as_slice()) {
            ("upstream" | "empty", _, ["api", "v1", "namespaces", "signet", ..]) => None,
            (_, "GET", ["api", "v1", "namespaces", _, "configmaps", rest @ ..]) => {
                self.config_map(situation, rest)
            }
            ("nonsense", "GET", ["api", "v1", "namespaces", _, "secrets"]) => Some(json!([])),
            ("keyless" | "empty", "GET", ["api", "v1", "namespaces", _, "secrets"]) => {
                Some(json!({ "items": [] }))
            }
            (_, "GET", ["api", "v1", "namespaces", _, "secrets"]) => Some(self.keys()),
            (_, "PATCH", ["api", "v1", "namespaces", _, "secrets", name]) => {
                Some(json!({ "metadata": { "name": name } }))
            }
            (
                "ours" | "nonsense",
                "GET",
                [
                    "api",
                    "v1",
                    "namespaces",
                    "signet",
                    "services",
                    "signet-controller",
                ],
            ) => Some(service()),
            (
                "upstream",
                "GET",
                [
                    "api",
                    "v1",
                    "namespaces",
                    "kube-system",
                    "services",
                    "sealed-secrets-controller",
                ],
            ) => Some(service()),
            ("upstream", "GET", [.., "proxy", "v1", "cert.pem"]) => {
                return (200, self.certificate.clone());
            }
            ("nonsense", "POST", [.., "proxy", "v1", "rotate"]) => Some(json!({ "spec": {} })),
            (_, "POST", [.., "proxy", "v1", "rotate"]) => return rotate(&request.body),
            (_, method, ["apis", "argoproj.io", "v1alpha1", rest @ ..]) => {
                applications(method, rest, &request.query)
            }
            _ => None,
        };
        match found {
            Some(object) => (200, object.to_string()),
            None => status(
                404,
                "NotFound",
                &format!("{} not found", segments.last().unwrap_or(&"")),
            ),
        }
    }

    /// A read says the certificate of before, a list (it begins a watch) the one of after a rotation.
    fn config_map(&self, situation: &str, rest: &[&str]) -> Option<Value> {
        let map = |pem: &str| json!({ "metadata": { "name": "signet-certificate", "namespace": "signet", "resourceVersion": "2" }, "data": { "cert.pem": pem } });
        match (situation, rest) {
            ("upstream" | "empty", _) => None,
            ("stuck", []) => Some(
                json!({ "kind": "ConfigMapList", "apiVersion": "v1", "metadata": { "resourceVersion": "3" }, "items": [map(&self.certificate)] }),
            ),
            ("nonsense", [_]) => Some(map("nonsense")),
            (_, ["signet-certificate"]) => Some(map(&self.certificate)),
            (_, []) => Some(
                json!({ "kind": "ConfigMapList", "apiVersion": "v1", "metadata": { "resourceVersion": "3" }, "items": [map(&self.older)] }),
            ),
            _ => None,
        }
    }

    fn keys(&self) -> Value {
        let key = |name: &str, state: &str, pem: &str| {
            json!({
                "metadata": { "name": name, "namespace": "signet", "labels": { "sealedsecrets.bitnami.com/sealed-secrets-key": state } },
                "data": { "tls.crt": base64(pem), "tls.key": "bmV2ZXIgc2hvd24=" },
            })
        };
        json!({ "kind": "SecretList", "apiVersion": "v1", "metadata": {}, "items": [
            key("sealed-secrets-key2fkzs", "active", &self.older),
            key("sealed-secrets-keyx8v9d", "active", &self.certificate),
            key("sealed-secrets-keyq7wp4", "compromised", &self.older),
            key("sealed-secrets-keybroken", "active", "nonsense"),
        ] })
    }
}

fn base64(text: &str) -> Value {
    serde_json::to_value(k8s_openapi::ByteString(text.as_bytes().to_vec()))
        .expect("bytes are base64 in JSON")
}

fn service() -> Value {
    json!({ "metadata": { "name": "x" }, "spec": { "ports": [{ "name": "http", "port": 8080 }] } })
}

/// Values that contain `Old` are sealed anew, values that contain `Bad` can't be opened, others are current.
fn rotate(body: &str) -> (u16, String) {
    match body.contains("Bad") {
        true => (500, String::new()),
        false => (200, body.replace("Old", "New")),
    }
}

fn applications(method: &str, rest: &[&str], query: &str) -> Option<Value> {
    let list = |items: Vec<Value>| json!({ "kind": "ApplicationList", "apiVersion": "argoproj.io/v1alpha1", "metadata": { "resourceVersion": "3" }, "items": items });
    let name_in_query = query
        .split("metadata.name%3D")
        .nth(1)
        .and_then(|rest| rest.split('&').next());
    match (method, rest) {
        ("GET", ["namespaces", "signet", "applications"]) => Some(list(match name_in_query {
            Some(name) => vec![application(name, true)?],
            None => vec![application("shop", true)?, application("mail", true)?],
        })),
        ("GET", ["applications"]) => Some(list(vec![application("shop", true)?])),
        ("GET", ["namespaces", _, "applications"]) => Some(list(Vec::new())),
        ("GET" | "PATCH", ["namespaces", "signet", "applications", name]) => {
            application(name, false)
        }
        _ => None,
    }
}

/// `shop` is fine, `mail` is not and its syncs fail, `busy` is being synced, `deaf` has no controller.
fn application(name: &str, watched: bool) -> Option<Value> {
    let (sync, health, phase, message) = match name {
        "shop" => (
            "Synced",
            "Healthy",
            "Succeeded",
            "successfully synced (all tasks run)",
        ),
        "mail" => (
            "OutOfSync",
            "Degraded",
            "Failed",
            "one or more objects failed to apply",
        ),
        "busy" => (
            "OutOfSync",
            "Progressing",
            "Running",
            "waiting for healthy state of apps/Deployment/busy",
        ),
        "deaf" => ("Unknown", "Unknown", "", ""),
        _ => return None,
    };
    let asked = name == "deaf" && watched;
    let resource = |kind: &str, health: &str| json!({ "kind": kind, "namespace": name, "name": name, "status": sync, "health": { "status": health } });
    let conditions = match name {
        "mail" => {
            json!([{ "type": "SyncError", "message": "Deployment mail/mail: image is required" }])
        }
        _ => json!([]),
    };
    Some(json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": name, "namespace": "signet", "resourceVersion": "3",
            "annotations": if asked { json!({ "argocd.argoproj.io/refresh": "normal" }) } else { json!({}) },
        },
        "operation": if asked { json!({ "sync": {} }) } else { Value::Null },
        "spec": {
            "project": "default",
            "source": { "repoURL": "https://git.example.com/config.git", "path": name, "targetRevision": "main" },
            "destination": { "server": "https://kubernetes.default.svc", "namespace": name },
        },
        "status": {
            "sync": { "status": sync, "revision": "4f0c2a1b9d8e7f60514233425160718293a4b5c6" },
            "health": { "status": health },
            "operationState": { "phase": phase, "message": message },
            "conditions": conditions,
            "resources": [resource("SealedSecret", "Healthy"), resource("Deployment", health)],
        },
    }))
}

fn status(code: u16, reason: &str, message: &str) -> (u16, String) {
    let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code });
    (code, status.to_string())
}
