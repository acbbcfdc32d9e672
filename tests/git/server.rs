//! A real Git server for tests: `git http-backend` behind a small HTTP server. Some paths misbehave on purpose.
//! None of it is fit for anything but tests.

use std::{
    io::Write,
    ops::Deref,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use rcgen::Certificate;

use crate::http_server::{HttpServer, Reply, Request};

/// `Authorization` that `/private/…` demands: `signet:testbed`, or `x-access-token:testbed` as from a GitHub App.
const ALLOWED: [&str; 2] = [
    "Basic c2lnbmV0OnRlc3RiZWQ=",
    "Basic eC1hY2Nlc3MtdG9rZW46dGVzdGJlZA==",
];
/// What a listing begins with, in its header.
const ADVERTISEMENT: (&str, &str) = (
    "Content-Type",
    "application/x-git-upload-pack-advertisement",
);

pub(crate) struct GitServer(HttpServer);

impl Deref for GitServer {
    type Target = HttpServer;

    fn deref(&self) -> &HttpServer {
        &self.0
    }
}

impl GitServer {
    /// Serves the repositories below `root`. `/private/…` demands a password, `/hang/…` never answers, `/drip/…` answers
    /// a byte at a time, `/status/N/…` answers N, `/moved/…` redirects to `elsewhere`, `/page/…` answers as a web page,
    /// `/renamed/…` to the path without it, `/round/…` to itself, `/bearer/…` demands a token, `/cut/…` breaks packs off,
    /// `/half/…` answers only the first request, `/old/…` knows no protocol version 2.
    pub(crate) fn start(root: PathBuf, elsewhere: String) -> Self {
        Self(HttpServer::start(move |request| {
            answer(request, &root, &elsewhere)
        }))
    }

    /// The same over TLS, see [`HttpServer::start_tls`].
    pub(crate) fn start_tls(root: PathBuf, clients: Option<&Certificate>) -> (Self, String) {
        let answer = move |request: &Request| answer(request, &root, "");
        let (server, certificate) = HttpServer::start_tls(clients, answer);
        (Self(server), certificate)
    }

    /// The URL of the repository at `root/NAME.git`.
    pub(crate) fn url_of(&self, name: &str) -> String {
        format!("{}/{name}.git", self.url)
    }
}

fn answer(request: &Request, root: &Path, elsewhere: &str) -> Reply {
    let auth = request.header("authorization");
    let without = |prefix| request.target.trim_start_matches(prefix).to_owned();
    let mut parts = request.target.split('/').skip(1);
    match (parts.next().unwrap_or(""), parts.next().unwrap_or("")) {
        ("hang", _) => Reply::Hang,
        ("drip", _) => Reply::Drip(vec![(ADVERTISEMENT.0, ADVERTISEMENT.1.to_owned())]),
        ("half", _) if request.method == "POST" => Reply::challenge("Basic realm=\"git\""),
        ("private", _) if !auth.is_some_and(|auth| ALLOWED.contains(&auth)) => {
            Reply::challenge("Basic realm=\"git\"")
        }
        ("status", code) => Reply::status(code.parse().unwrap()),
        ("moved", _) => Reply::redirect(format!("{elsewhere}{}", without("/moved"))),
        ("renamed", _) => Reply::redirect(without("/renamed")),
        ("round", _) => Reply::redirect(request.target.clone()),
        ("bearer", _) if auth != Some("Bearer testbed") => Reply::status(401),
        ("cut", _) if request.method == "POST" => {
            let mut whole = backend(request, root);
            // Packs, and not the refs before them.
            if whole.len() > 10_000 {
                whole.truncate(whole.len() / 2);
            }
            Reply::Whole(whole)
        }
        ("page", _) => Reply::with("hunter2", vec![("Content-Type", "text/html".to_owned())]),
        _ => Reply::Whole(backend(request, root)),
    }
}

fn backend(request: &Request, root: &Path) -> Vec<u8> {
    let (path, query) = request.parts();
    let header = |name| request.header(name).unwrap_or_default();
    let protocol = if path.starts_with("/old/") {
        ""
    } else {
        header("git-protocol")
    };
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", protocol)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let body = request.body.clone();
    let writer = thread::spawn(move || drop(stdin.write_all(&body)));
    let output = child.wait_with_output().unwrap().stdout;
    writer.join().unwrap();
    let split = output
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap_or(0);
    let head = String::from_utf8_lossy(&output[..split]).into_owned();
    let status = head
        .lines()
        .find_map(|line| line.strip_prefix("Status: "))
        .unwrap_or("200 OK")
        .to_owned();
    let mut reply =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\n{head}\r\n\r\n").into_bytes();
    reply.extend_from_slice(&output[split + 4..]);
    reply
}
