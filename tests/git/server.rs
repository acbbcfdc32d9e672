//! A real Git server for tests: `git http-backend` behind a small HTTP server that notes each request.
//! Some paths misbehave on purpose; none of it is fit for anything but tests.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use rcgen::Certificate;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, server::WebPkiClientVerifier,
};

/// `Authorization` that `/private/…` demands: `signet:testbed`, or `x-access-token:testbed` as from a GitHub App.
const ALLOWED: [&str; 2] = [
    "Basic c2lnbmV0OnRlc3RiZWQ=",
    "Basic eC1hY2Nlc3MtdG9rZW46dGVzdGJlZA==",
];

pub(crate) struct GitServer {
    pub(crate) url: String,
    /// `METHOD /path?query`, with ` +auth` where a request carried credentials.
    log: Arc<Mutex<Vec<String>>>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl GitServer {
    /// Serves the repositories below `root`. `/private/…` demands a password, `/hang/…` never answers, `/drip/…` answers
    /// a byte at a time, `/status/N/…` answers N, `/moved/…` redirects to `elsewhere`, `/page/…` answers as a web page,
    /// `/renamed/…` to the path without it, `/round/…` to itself, `/bearer/…` demands a token, `/cut/…` breaks packs off,
    /// `/half/…` answers only the first request, `/old/…` knows no protocol version 2.
    pub(crate) fn start(root: PathBuf, elsewhere: String) -> Self {
        Self::listen("http", move |mut stream, log| {
            answer(&mut stream, &root, &elsewhere, log)
        })
    }

    /// The same over TLS, with a certificate that signed itself; its PEM is the second part. With `clients`, whoever asks
    /// has to have a certificate of that authority.
    pub(crate) fn start_tls(root: PathBuf, clients: Option<&Certificate>) -> (Self, String) {
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let pair = rcgen::generate_simple_self_signed(names).unwrap();
        let key = pair.signing_key.serialize_der().try_into().unwrap();
        let builder = match clients {
            None => ServerConfig::builder().with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build();
                ServerConfig::builder().with_client_cert_verifier(verifier.unwrap())
            }
        };
        let config = builder.with_single_cert(vec![pair.cert.der().clone()], key);
        let config = Arc::new(config.unwrap());
        let server = Self::listen("https", move |stream, log| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            answer(&mut stream, &root, "", log);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        });
        (server, pair.cert.pem())
    }

    fn listen(
        scheme: &str,
        serve: impl Fn(TcpStream, &Mutex<Vec<String>>) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (noted, serve) = (Arc::clone(&log), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (noted, serve) = (Arc::clone(&noted), Arc::clone(&serve));
                thread::spawn(move || serve(stream.unwrap(), &noted));
            }
        });
        Self { url, log }
    }

    /// The URL of the repository at `root/NAME.git`.
    pub(crate) fn url_of(&self, name: &str) -> String {
        format!("{}/{name}.git", self.url)
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// How often the refs were listed: each listing begins with the server's capabilities and goes on with one POST.
    pub(crate) fn requests(&self, of: &str) -> usize {
        self.log().iter().filter(|line| line.contains(of)).count()
    }
}

fn answer(
    stream: &mut (impl Read + Write),
    root: &Path,
    elsewhere: &str,
    log: &Mutex<Vec<String>>,
) {
    let Some(request) = read(stream) else { return };
    let auth = request.header("authorization");
    let marked = if auth.is_some() { " +auth" } else { "" };
    log.lock().unwrap().push(format!(
        "{} {}?{}{marked}",
        request.method, request.path, request.query
    ));
    let mut parts = request.path.split('/').skip(1);
    let reply = match (parts.next().unwrap_or(""), parts.next().unwrap_or("")) {
        ("hang", _) => return thread::park(),
        ("drip", _) => return drip(stream),
        ("half", _) if request.method == "POST" => {
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\n\r\n".into()
        }
        ("private", _) if !auth.as_deref().is_some_and(|auth| ALLOWED.contains(&auth)) => {
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 7\r\n\r\nhunter2".into()
        }
        ("status", code) => format!("HTTP/1.1 {code} No\r\nContent-Length: 7\r\n\r\nhunter2").into_bytes(),
        ("moved", _) => {
            redirect(&format!("{elsewhere}{}?{}", request.path.trim_start_matches("/moved"), request.query))
        }
        ("renamed", _) => redirect(&format!("{}?{}", request.path.trim_start_matches("/renamed"), request.query)),
        ("round", _) => redirect(&format!("{}?{}", request.path, request.query)),
        ("bearer", _) if auth.as_deref() != Some("Bearer testbed") => "HTTP/1.1 401 Unauthorized\r\nContent-Length: 7\r\n\r\nhunter2".into(),
        ("cut", _) if request.method == "POST" => {
            let mut whole = backend(&request, root);
            // Packs, and not the refs before them.
            if whole.len() > 10_000 {
                whole.truncate(whole.len() / 2);
            }
            whole
        }
        ("page", _) => "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 7\r\n\r\nhunter2".into(),
        _ => backend(&request, root),
    };
    let _ = stream.write_all(&reply);
}

fn redirect(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

fn drip(stream: &mut impl Write) {
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n";
    for byte in head.bytes().chain(std::iter::repeat(b'0')) {
        if stream.write_all(&[byte]).is_err() {
            return;
        }
        thread::sleep(std::time::Duration::from_millis(50));
    }
}

fn read(stream: &mut impl Read) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    // A proxy hands on whole URLs.
    let target = match target.strip_prefix("http://") {
        Some(rest) => rest[rest.find('/')?..].to_owned(),
        None => target,
    };
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let mut request = Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Vec::new(),
    };
    request.body = body(&mut reader, &request)?;
    Some(request)
}

fn body(reader: &mut impl BufRead, request: &Request) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    if let Some(length) = request.header("content-length") {
        body.resize(length.parse().ok()?, 0);
        reader.read_exact(&mut body).ok()?;
    } else if request.header("transfer-encoding").is_some() {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let size = u64::from_str_radix(line.trim(), 16).ok()?;
            reader.take(size).read_to_end(&mut body).ok()?;
            reader.read_line(&mut line).ok()?;
            if size == 0 {
                break;
            }
        }
    }
    Some(body)
}

impl Request {
    fn header(&self, name: &str) -> Option<String> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    }
}

fn backend(request: &Request, root: &Path) -> Vec<u8> {
    let asked = request.header("git-protocol").unwrap_or_default();
    let protocol = if request.path.starts_with("/old/") {
        String::new()
    } else {
        asked
    };
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("REQUEST_METHOD", &request.method)
        .env(
            "CONTENT_TYPE",
            request.header("content-type").unwrap_or_default(),
        )
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env(
            "HTTP_CONTENT_ENCODING",
            request.header("content-encoding").unwrap_or_default(),
        )
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
