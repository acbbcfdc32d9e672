//! Repositories that want a login, each of another kind, and a server that repeats to whoever came what they came with.
//! It lets nobody in, so that each login is told to have failed.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};

use crate::canaries::Canaries;
use crate::harness::eventually;
use crate::http_server::{HttpServer, Reply, Request};
use crate::scene::Scene;
use crate::sources::{application, apply};

/// Applications, one for each login.
pub(crate) const APPLICATIONS: [&str; 11] = [
    "bearer", "charts", "damaged", "github", "login", "proxy", "registry", "ssh", "team", "tls",
    "user",
];
/// What the server gets to see.
const SENT: [&str; 9] = [
    "a bearer token",
    "a credential template",
    "a password",
    "a password of a proxy",
    "a password of a registry",
    "a password of charts",
    "a token of GitHub",
    "a token of a registry",
    "a user that is a token",
];
/// Nobody listens there.
const SSH: &str = "ssh://git@127.0.0.1:1";
/// For the proxy alone to know.
const ELSEWHERE: &str = "http://git.elsewhere.testbed/config.git";

/// The servers, until it is dropped.
pub(crate) struct Logins {
    open: HttpServer,
    /// It takes only who has a certificate.
    closed: HttpServer,
    heard: Arc<Mutex<String>>,
}

/// What the servers answer.
#[derive(Clone)]
struct Echo {
    github: String,
    registry: String,
    heard: Arc<Mutex<String>>,
}

/// Keys in PEM.
struct Keys {
    ssh: String,
    github: String,
    tls: String,
    /// The certificate of `tls`.
    certificate: String,
}

impl Logins {
    pub(crate) fn plant(scene: &Scene, canaries: &mut Canaries) -> Self {
        let (keys, authority) = Keys::plant(canaries);
        let heard = Arc::new(Mutex::default());
        let echo = Echo {
            github: canaries.value("a token of GitHub").to_owned(),
            registry: canaries.value("a token of a registry").to_owned(),
            heard: Arc::clone(&heard),
        };
        let over_tls = echo.clone();
        let (closed, _) =
            HttpServer::start_tls(Some(&authority), move |request| over_tls.answer(request));
        let open = HttpServer::start(move |request| echo.answer(request));
        let logins = Self {
            open,
            closed,
            heard,
        };
        for (name, url, login) in logins.of_git(canaries, &keys) {
            repository(scene, name, "repository", &url, login);
            let source = json!({"repoURL": url, "path": ".", "targetRevision": "main"});
            apply(scene, &application(scene, name, &source));
        }
        logins.plant_template(scene, canaries);
        logins.plant_charts(scene, canaries);
        logins
    }

    /// Name, URL and login of each Git repository.
    fn of_git(&self, canaries: &Canaries, keys: &Keys) -> [(&'static str, String, Value); 8] {
        let (at, of) = (&self.open.url, |place: &str| canaries.value(place));
        let proxy = format!("://signet:{}@", of("a password of a proxy"));
        [
            (
                "login",
                format!("{at}/login.git"),
                json!({"username": "signet", "password": of("a password")}),
            ),
            (
                "bearer",
                format!("{at}/bearer.git"),
                json!({"bearerToken": of("a bearer token")}),
            ),
            (
                "user",
                format!("{at}/user.git"),
                json!({"username": of("a user that is a token")}),
            ),
            (
                "github",
                format!("{at}/private/app.git"),
                json!({
                    "githubAppID": "42", "githubAppInstallationID": "7", "githubAppPrivateKey": keys.github,
                    "githubAppEnterpriseBaseUrl": format!("{at}{GITHUB}"),
                }),
            ),
            (
                "proxy",
                ELSEWHERE.to_owned(),
                json!({"proxy": at.replacen("://", &proxy, 1)}),
            ),
            (
                "ssh",
                format!("{SSH}/config.git"),
                json!({"sshPrivateKey": keys.ssh, "insecureIgnoreHostKey": "true"}),
            ),
            (
                "damaged",
                format!("{SSH}/damaged.git"),
                json!({"sshPrivateKey": of("a damaged ssh key")}),
            ),
            (
                "tls",
                format!("{}/tls.git", self.closed.url),
                json!({"insecure": "true", "tlsClientCertData": keys.certificate, "tlsClientCertKey": keys.tls}),
            ),
        ]
    }

    fn plant_template(&self, scene: &Scene, canaries: &Canaries) {
        let url = format!("{}/team", self.open.url);
        let login =
            json!({"username": "signet", "password": canaries.value("a credential template")});
        repository(scene, "template", "repo-creds", &url, login);
        let source =
            json!({"repoURL": format!("{url}/config.git"), "path": ".", "targetRevision": "main"});
        apply(scene, &application(scene, "team", &source));
    }

    /// Of an index, and of a registry.
    fn plant_charts(&self, scene: &Scene, canaries: &Canaries) {
        let index = json!({
            "type": "helm", "username": "signet", "password": canaries.value("a password of charts"),
        });
        let registry = json!({
            "type": "helm", "enableOCI": "true", "insecureOCIForceHttp": "true",
            "username": "signet", "password": canaries.value("a password of a registry"),
        });
        for (name, host, login) in [
            ("charts", self.open.url.as_str(), index),
            ("registry", self.open.authority(), registry),
        ] {
            let url = format!("{host}/charts");
            repository(scene, name, "repository", &url, login);
            let source = json!({"repoURL": url, "chart": "sealed", "targetRevision": "1.0.0"});
            apply(scene, &application(scene, name, &source));
        }
    }

    /// Waits until each login was used.
    pub(crate) fn were_used(&self, canaries: &Canaries) {
        eventually("each login was used", || {
            let heard = self.heard.lock().unwrap().clone();
            let is_missing = |place: &&str| !canaries.finds(place, heard.as_bytes());
            let missing: Vec<_> = SENT.into_iter().filter(is_missing).collect();
            match missing.is_empty() && self.closed.requests("tls.git") > 0 {
                true => Ok(()),
                false => Err(format!("but not {missing:?}, {:?}", self.closed.log())),
            }
        });
    }
}

/// The Secret that says how to log in to a repository, which is on this machine.
fn repository(scene: &Scene, name: &str, kind: &str, url: &str, mut login: Value) {
    login["url"] = url.into();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": name, "namespace": scene.own,
            "labels": {"argocd.argoproj.io/secret-type": kind},
            "annotations": {"signet.dev/allow-local-addresses": "true"},
        },
        "stringData": login,
    });
    apply(scene, &secret);
}

impl Keys {
    /// Keys, and the authority that signed the one for TLS.
    fn plant(canaries: &mut Canaries) -> (Self, rcgen::Certificate) {
        let authority_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&authority_key).unwrap();
        let issuer = Issuer::new(params, authority_key);
        let tls = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["signet".to_owned()])
            .unwrap()
            .signed_by(&tls, &issuer)
            .unwrap();
        let github = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let keys = Self {
            ssh: KeyPair::generate().unwrap().serialize_pem(),
            github: github.serialize_pem(),
            tls: tls.serialize_pem(),
            certificate: certificate.pem(),
        };
        canaries.add_key("an ssh key", "ssh", &keys.ssh);
        canaries.add_key("a key of a GitHub App", "github", &keys.github);
        canaries.add_key("a key for TLS", "tls", &keys.tls);
        (keys, authority)
    }
}

/// Where GitHub's API is.
const GITHUB: &str = "/github";

impl Echo {
    fn answer(&self, request: &Request) -> Reply {
        let headers = ["authorization", "proxy-authorization"];
        let logins = headers.into_iter().filter_map(|name| request.header(name));
        let login = logins.collect::<Vec<_>>().join(" ");
        let mut heard = self.heard.lock().unwrap();
        *heard += &login;
        *heard += "\n";
        let host = request.header("host").unwrap_or_default();
        match request.parts().0 {
            "/token" => Reply::ok(json!({"token": self.registry}).to_string()),
            path if path.starts_with(GITHUB) => Reply::Answer {
                status: 201,
                headers: Vec::new(),
                body: json!({"token": self.github, "expires_at": "2999-01-01T00:00:00Z"})
                    .to_string()
                    .into(),
            },
            path if path.starts_with("/v2/") => refusal(
                format!("Bearer realm=\"http://{host}/token\",service=\"registry\""),
                login,
            ),
            _ => refusal(format!("Basic realm=\"{login}\""), login),
        }
    }
}

fn refusal(challenge: String, login: String) -> Reply {
    Reply::Answer {
        status: 401,
        headers: vec![("WWW-Authenticate", challenge), ("X-Login", login.clone())],
        body: login.into_bytes(),
    }
}
