//! An API server's answers without an API server, for transcripts that must not depend on one.
//! The first part of the path is the situation a transcript wants; the kubeconfig has a context for each.
//! That the answers are those of a real API server is what tests/cluster/cli.rs shows.

#[path = "applications.rs"]
mod applications;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// Situations: our controller; upstream's; no controller; no permission; a controller that answers nonsense; ours
/// without keys; ours but never making a key; ours and a user who may not list and watch; ours watching upstream's.
const SITUATIONS: [&str; 9] = [
    "ours",
    "upstream",
    "empty",
    "forbidden",
    "nonsense",
    "keyless",
    "stuck",
    "blind",
    "observing",
];

pub(crate) struct Api {
    url: String,
    folder: tempfile::TempDir,
}

struct Answers {
    certificate: String,
    older: String,
    /// How often a body has been posted that is too much for the controller at first.
    posted: Mutex<BTreeMap<String, usize>>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    /// Of which Application something is asked of our web server.
    application: String,
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
            posted: Mutex::default(),
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
    let mut contexts: Vec<Value> =
        clusters.iter().map(|cluster| json!({ "name": cluster["name"], "context": { "cluster": cluster["name"], "user": "jane" } })).collect();
    contexts.push(json!({ "name": "halved", "context": { "cluster": "ours", "user": "half" } }));
    let users = json!([
        { "name": "jane", "user": {} },
        // A certificate, and no key beside it.
        { "name": "half", "user": { "client-certificate-data": "AAAA" } },
    ]);
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
    let retry = if code == 429 {
        "Retry-After: 0\r\n"
    } else {
        ""
    };
    let media = match body.starts_with(['{', '[']) {
        true => "application/json",
        false => "text/plain; charset=utf-8",
    };
    let head = format!(
        "HTTP/1.1 {code} X\r\n{retry}Content-Type: {media}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
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
    let (mut length, mut application) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if let Some(value) = header.strip_prefix("signet-application:") {
            value.trim().clone_into(&mut application);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        application,
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
        if situation == "blind" && request.query.contains("fieldSelector") {
            return status(403, "Forbidden", "User \"jane\" may not list this");
        }
        let method = request.method.as_str();
        if method == "PATCH" && self.is_overtaken(path) {
            return status(409, "Conflict", "the object has been modified");
        }
        let found = match path
            .strip_prefix("api/v1/namespaces/")
            .and_then(|path| path.split_once('/'))
        {
            Some(("signet", _)) if matches!(situation, "upstream" | "empty") => None,
            Some((_, path)) if path.ends_with(":web/proxy/api/diff") => {
                return (
                    200,
                    applications::preview(&request.application, &request.body).to_string(),
                );
            }
            Some((_, path)) if path.contains("/proxy/") => {
                return self.sealing_api(situation, path, &request.body);
            }
            Some((namespace, path)) => self.core(situation, method, namespace, path),
            None => applications::answer(method, path, &request.query),
        };
        match found {
            Some(object) => (200, object.to_string()),
            None => status(
                404,
                "NotFound",
                &format!("{} not found", path.rsplit('/').next().unwrap_or_default()),
            ),
        }
    }

    /// Answers of the controller behind the service proxy. Ours that only watches has no certificate.
    /// Values that contain `Huge` are too large for it.
    fn sealing_api(&self, situation: &str, path: &str, body: &str) -> (u16, String) {
        if body.contains("Huge") {
            return (413, "request body is too large\n".to_owned());
        }
        if self.is_too_early(path, body) {
            return (429, "limit exceeded\n".to_owned());
        }
        let is_rotate = path.ends_with("/v1/rotate");
        if path.ends_with("/v1/verify") {
            return verify(body);
        }
        match situation {
            "observing" if path.contains("signet-controller") => (503, "not ready\n".to_owned()),
            "nonsense" if is_rotate => (200, json!({ "spec": {} }).to_string()),
            // What `signet` posts is the least that a controller needs. kubeseal, which upstream's answers, posts the object.
            "ours" if is_rotate && !is_least(body) => (500, String::new()),
            _ if is_rotate => rotate(body),
            _ => (200, self.certificate.clone()),
        }
    }

    /// Values that contain `Eleventh` or `Twelfth` are answered when they are posted so many times.
    fn is_too_early(&self, path: &str, body: &str) -> bool {
        let needed = match (body.contains("Eleventh"), body.contains("Twelfth")) {
            (true, _) => 11,
            (_, true) => 12,
            _ => return false,
        };
        let mut posted = self.posted.lock().expect("no holder panics");
        let times = posted.entry(format!("{path} {body}")).or_default();
        *times += 1;
        *times < needed
    }

    /// Somebody else wrote to `racing` at the same time, and to `moved` at the first.
    fn is_overtaken(&self, path: &str) -> bool {
        let mut posted = self.posted.lock().expect("no holder panics");
        let times = posted.entry(path.to_owned()).or_default();
        *times += 1;
        path.ends_with("/racing") || path.ends_with("/moved") && *times == 1
    }

    fn core(&self, situation: &str, method: &str, namespace: &str, path: &str) -> Option<Value> {
        let (kind, name) = path.split_once('/').unwrap_or((path, ""));
        let is_ours = (namespace, name) == ("signet", "signet-controller");
        let is_upstreams = (namespace, name) == ("kube-system", "sealed-secrets-controller");
        match (kind, situation, method) {
            ("configmaps", ..) => self.config_map(situation, name),
            ("secrets", "nonsense", "GET") => Some(json!([])),
            ("secrets", "keyless" | "empty", "GET") => Some(json!({ "items": [] })),
            ("secrets", _, "GET") => Some(self.keys()),
            ("secrets", _, "PATCH") => Some(json!({ "metadata": { "name": name } })),
            ("services", "ours" | "nonsense", _) if is_ours => Some(service()),
            ("services", "upstream", _) if is_upstreams => Some(service()),
            ("services", "observing", _) if is_ours || is_upstreams => Some(service()),
            _ => None,
        }
    }

    /// A read says the certificate of before, a list (it begins a watch) the one of after a rotation.
    fn config_map(&self, situation: &str, name: &str) -> Option<Value> {
        let map = |pem: &str| {
            let metadata = json!({ "name": "signet-certificate", "namespace": "signet", "resourceVersion": "2" });
            json!({ "metadata": metadata, "data": { "cert.pem": pem } })
        };
        let list = |item: Value| json!({ "metadata": { "resourceVersion": "3" }, "items": [item] });
        match (situation, name) {
            ("upstream" | "empty" | "observing", _) => None,
            ("stuck", "") => Some(list(map(&self.certificate))),
            ("nonsense", "signet-certificate") => Some(map("nonsense")),
            (_, "") => Some(list(map(&self.older))),
            _ => Some(map(&self.certificate)),
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

/// Whether a SealedSecret holds nothing but what decides how its values are opened, and the values.
fn is_least(body: &str) -> bool {
    let sealed: Value = serde_json::from_str(body).unwrap_or_default();
    let has_only = |object: &Value, fields: &[&str]| {
        let known = |found: &serde_json::Map<_, _>| {
            found
                .keys()
                .all(|field: &String| fields.contains(&field.as_str()))
        };
        object.as_object().is_some_and(known)
    };
    let annotations = [
        "sealedsecrets.bitnami.com/cluster-wide",
        "sealedsecrets.bitnami.com/namespace-wide",
    ];
    let metadata = &sealed["metadata"];
    has_only(&sealed, &["apiVersion", "kind", "metadata", "spec"])
        && has_only(metadata, &["name", "namespace", "annotations"])
        && has_only(&metadata["annotations"], &annotations)
        && has_only(&sealed["spec"], &["encryptedData"])
}

/// Values that contain `Old` are sealed anew, values that contain `Bad` can't be opened, others are current.
/// `Torn` is answered as no controller does.
fn rotate(body: &str) -> (u16, String) {
    match (body.contains("Bad"), body.contains("Torn")) {
        (true, _) => (500, String::new()),
        (false, true) => (409, String::new()),
        (false, false) => (200, body.replace("Old", "New")),
    }
}

/// Values that contain `Bad` can't be opened; at `Torn` the controller stumbles.
fn verify(body: &str) -> (u16, String) {
    match (body.contains("Bad"), body.contains("Torn")) {
        (true, _) => (409, String::new()),
        (false, true) => (500, String::new()),
        (false, false) => (200, String::new()),
    }
}

fn status(code: u16, reason: &str, message: &str) -> (u16, String) {
    let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code });
    (code, status.to_string())
}
