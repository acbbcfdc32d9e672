//! The controller's API behind the API server's service proxy, errors in client-go's words.
//! Must not be made for offline work.

use std::time::Duration;

use http::response::Parts;
use http::{Method, Request, StatusCode, header};
use kube::config::{Config, KubeConfigOptions};
use serde_json::Value;

use super::client_config::{self, Connection};
use super::go_text::{quote, system_error};
use super::settings::{Overrides, Settings};
use crate::cluster::Link;
use crate::proxy;

/// Times that a server may say `Retry-After` before its answer counts, as client-go has it.
const MOST_RETRIES: usize = 10;

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Config(#[from] client_config::Error),
    #[error("{0}")]
    Client(String),
    #[error(
        "cannot get sealed secret service: {0}.\nPlease, use the flag --controller-name and --controller-namespace to set up the name and namespace of the sealed secrets controller"
    )]
    Find(String),
    #[error("cannot fetch certificate: {0}")]
    Certificate(String),
    #[error("cannot validate sealed secret: {0}")]
    Validate(String),
    #[error("unable to decrypt sealed secret: {0}")]
    Unopenable(String),
    #[error("cannot re-encrypt secret: {0}")]
    ReEncrypt(String),
    #[error("unable to rotate secret")]
    NotRotated,
}

/// So much of the text of an answer is looked at, in bytes, as client-go has it.
const MOST_SAID: usize = 2048;

/// The Service of the controller, found in the cluster.
pub(super) struct Service {
    link: Link,
    namespace: String,
    /// `http:NAME:PORT`, the port by name.
    target: String,
}

/// An answer that is no success.
struct Refusal {
    status: Option<StatusCode>,
    message: String,
}

impl Service {
    pub(super) fn find(settings: &Settings) -> Result<Self, Error> {
        let link = connect(settings)?;
        let (namespace, name) = (&settings.controller_namespace, &settings.controller_name);
        if name.is_empty() {
            return Err(Error::Find("resource name may not be empty".to_owned()));
        }
        if namespace.is_empty() {
            let problem = "an empty namespace may not be set when a resource name is provided";
            return Err(Error::Find(problem.to_owned()));
        }
        let mut service = Self {
            link,
            namespace: namespace.clone(),
            target: name.clone(),
        };
        let path = format!("/api/v1/namespaces/{namespace}/services/{name}");
        let found = service
            .send(&Method::GET, &path, "application/json", &[])
            .map_err(|refusal| Error::Find(refusal.message))?;
        let found: Value =
            serde_json::from_slice(&found).map_err(|error| Error::Find(error.to_string()))?;
        let port = found["spec"]["ports"][0]["name"]
            .as_str()
            .unwrap_or_default();
        service.target = format!("http:{name}:{port}");
        Ok(service)
    }

    /// The current certificate as the controller sends it.
    pub(super) fn certificate(&self) -> Result<Vec<u8>, Error> {
        self.send(
            &Method::GET,
            &self.path("/v1/cert.pem"),
            "application/x-pem-file, */*",
            &[],
        )
        .map_err(|refusal| Error::Certificate(refusal.message))
    }

    /// Whether the controller can open a SealedSecret, given as JSON.
    pub(super) fn verify(&self, name: &str, sealed: &str) -> Result<(), Error> {
        match self.post("/v1/verify", sealed) {
            Ok(_) => Ok(()),
            Err(Refusal {
                status: Some(StatusCode::CONFLICT),
                ..
            }) => Err(Error::Unopenable(name.to_owned())),
            Err(refusal) => Err(Error::Validate(refusal.message)),
        }
    }

    /// What the controller makes of a SealedSecret, given as JSON, with its current key.
    pub(super) fn rotate(&self, sealed: &str) -> Result<Vec<u8>, Error> {
        match self.post("/v1/rotate", sealed) {
            Ok(rotated) => Ok(rotated),
            Err(Refusal {
                status: Some(StatusCode::CONFLICT),
                ..
            }) => Err(Error::NotRotated),
            Err(refusal) => Err(Error::ReEncrypt(refusal.message)),
        }
    }

    fn post(&self, path: &str, body: &str) -> Result<Vec<u8>, Refusal> {
        self.send(
            &Method::POST,
            &self.path(path),
            "application/json, */*",
            body.as_bytes(),
        )
    }

    fn path(&self, path: &str) -> String {
        let Self {
            namespace, target, ..
        } = self;
        format!("/api/v1/namespaces/{namespace}/services/{target}/proxy{path}")
    }

    /// Sends a request until the server has time for it.
    fn send(
        &self,
        method: &Method,
        path: &str,
        accept: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        for _ in 0..MOST_RETRIES {
            let (answer, content) = self.send_once(method, path, accept, body)?;
            match pause_wanted(&answer) {
                Some(pause) => std::thread::sleep(pause),
                None => return self.read(method, &answer, content),
            }
        }
        let (answer, content) = self.send_once(method, path, accept, body)?;
        self.read(method, &answer, content)
    }

    fn send_once(
        &self,
        method: &Method,
        path: &str,
        accept: &str,
        body: &[u8],
    ) -> Result<(Parts, Vec<u8>), Refusal> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, accept)
            .body(body.to_vec());
        let answer = request
            .map_err(|error| error.to_string())
            .and_then(|request| {
                let answer = self.link.exchange(request);
                answer.map_err(|error| {
                    connection_error(self.link.server(), self.link.proxy(), &error)
                })
            });
        answer.map_err(|reason| Refusal {
            status: None,
            message: format!(
                "{} {}: {reason}",
                title(method),
                quote(format!(
                    "{}{path}",
                    self.link.server().trim_end_matches('/')
                ))
            ),
        })
    }

    fn read(&self, method: &Method, answer: &Parts, content: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        let status = answer.status;
        if status.is_success() {
            return Ok(content);
        }
        let object: Value = serde_json::from_slice(&content).unwrap_or_default();
        let message = match (object["kind"].as_str(), object["message"].as_str()) {
            (Some("Status"), Some(message)) => message.to_owned(),
            _ => format!(
                "{} ({} services {})",
                in_words(status, &said(answer, &content)),
                method.as_str().to_lowercase(),
                self.target
            ),
        };
        Err(Refusal {
            status: Some(status),
            message,
        })
    }
}

/// Only what answers with a time to wait for is asked again.
fn pause_wanted(answer: &Parts) -> Option<Duration> {
    let status = answer.status;
    if status != StatusCode::TOO_MANY_REQUESTS && !status.is_server_error() {
        return None;
    }
    let pause = answer.headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    pause.parse().ok().map(Duration::from_secs)
}

/// What an answer without a Status in it says: its text, if it is any.
fn said(answer: &Parts, content: &[u8]) -> String {
    let media = answer.headers.get(header::CONTENT_TYPE);
    let is_text = media.is_none_or(|media| media.as_bytes().starts_with(b"text/"));
    match is_text {
        true => {
            let content = &content[..content.len().min(MOST_SAID)];
            String::from_utf8_lossy(content).trim().to_owned()
        }
        false => "unknown".to_owned(),
    }
}

/// What client-go says of such an answer.
fn in_words(status: StatusCode, said: &str) -> String {
    match status.as_u16() {
        401 => "the server has asked for the client to provide credentials".to_owned(),
        400 => "the server rejected our request for an unknown reason".to_owned(),
        403 | 415 => said.to_owned(),
        406 if !matches!(said, "" | "unknown") => said.to_owned(),
        404 => "the server could not find the requested resource".to_owned(),
        405 => "the server does not allow this method on the requested resource".to_owned(),
        406 => "the server was unable to respond with a content type that the client supports".to_owned(),
        409 => "the server reported a conflict".to_owned(),
        422 => "the server rejected our request due to an error in our request".to_owned(),
        429 => "the server has received too many requests and has asked us to try again later".to_owned(),
        503 => "the server is currently unable to handle the request".to_owned(),
        504 => "the server was unable to return a response in the time allotted, but may still be processing the request".to_owned(),
        500.. => format!("an error on the server ({}) has prevented the request from succeeding", quote(said)),
        code => format!("the server responded with the status code {code} but did not return more information"),
    }
}

/// `Get`, as Go's HTTP client begins its errors.
fn title(method: &Method) -> &'static str {
    match *method {
        Method::POST => "Post",
        _ => "Get",
    }
}

fn connect(settings: &Settings) -> Result<Link, Error> {
    let connection = client_config::connection(&settings.cluster)?;
    let unusable = |error: &dyn std::error::Error| Error::Client(error.to_string());
    let runtime = Link::runtime().map_err(|error| unusable(&error))?;
    let config = match connection {
        Connection::InCluster => {
            let config = Config::incluster().map_err(|error| unusable(&error))?;
            let config = proxy::with_environment(with_token(config, &settings.cluster));
            config.map_err(|error| unusable(&error))?
        }
        Connection::Configured {
            kubeconfig,
            timeout,
        } => {
            let options = KubeConfigOptions::default();
            let config = runtime.block_on(proxy::configuration(*kubeconfig, &options));
            let mut config = config.map_err(|error| unusable(&error))?;
            config.read_timeout = timeout;
            config
        }
    };
    Link::new(runtime, config).map_err(|error| unusable(&error))
}

/// Of all flags, the token alone takes the place of what a pod finds, as in client-go.
fn with_token(mut config: Config, overrides: &Overrides) -> Config {
    if !overrides.token.is_empty() {
        config.auth_info.token = Some(overrides.token.clone().into());
        config.auth_info.token_file = None;
    }
    config
}

/// Why nothing came of a connection to the server of `url`, or to the proxy before it, in the words of Go's network library.
pub(super) fn connection_error(
    url: &str,
    proxy: Option<&str>,
    error: &(dyn std::error::Error + 'static),
) -> String {
    let (through, url) = proxy.map_or(("", url), |proxy| ("proxyconnect tcp: ", proxy));
    let mut cause = error;
    loop {
        if let Some(system) = cause.downcast_ref::<std::io::Error>()
            && system.raw_os_error().is_some()
        {
            return format!(
                "{through}dial tcp {}: connect: {}",
                address(url),
                system_error(system)
            );
        }
        match cause.source() {
            Some(deeper) => cause = deeper,
            None => return cause.to_string(),
        }
    }
}

/// Host and port of a URL.
fn address(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let has_port = host
        .rsplit(':')
        .next()
        .is_some_and(|port| host.contains(':') && port.bytes().all(|byte| byte.is_ascii_digit()));
    match (has_port, scheme) {
        (true, _) => host.to_owned(),
        (false, "https") => format!("{host}:443"),
        (false, _) => format!("{host}:80"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_without_a_status_are_told_in_client_go_s_words() {
        let told = |code: u16, media: &str, content: &str| {
            let answer = http::Response::builder().status(code);
            let answer = answer.header(header::CONTENT_TYPE, media).body(());
            let (parts, ()) = answer.expect("an answer").into_parts();
            in_words(parts.status, &said(&parts, content.as_bytes()))
        };
        let text = "text/plain; charset=utf-8";
        for (code, words) in [
            (400, "the server rejected our request for an unknown reason"),
            (403, "not you"),
            (406, "not you"),
            (
                413,
                "the server responded with the status code 413 but did not return more information",
            ),
            (415, "not you"),
            (
                500,
                "an error on the server (\"not you\") has prevented the request from succeeding",
            ),
        ] {
            assert_eq!(told(code, text, "not you\n"), words);
        }
        let json = "application/json";
        assert_eq!(told(403, json, "{}"), "unknown");
        let unable =
            "the server was unable to respond with a content type that the client supports";
        assert_eq!(told(406, json, "{}"), unable);
    }

    #[test]
    fn a_token_takes_the_place_of_a_pod_s_own() {
        let pod = || {
            let mut config = Config::new(http::Uri::from_static("https://10.0.0.1"));
            config.auth_info.token_file = Some("/of/the/pod".to_owned());
            config
        };
        let overrides = |token: &str| Overrides {
            token: token.to_owned(),
            ..Overrides::default()
        };
        let asked_for = with_token(pod(), &overrides("jane")).auth_info;
        assert!(asked_for.token.is_some() && asked_for.token_file.is_none());
        let own = with_token(pod(), &overrides("")).auth_info;
        assert!(own.token.is_none() && own.token_file.is_some());
    }
}
