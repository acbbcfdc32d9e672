//! A small HTTP server that notes each request and answers as it is told, wrongly too.
//! None of it is fit for anything but tests.

#![allow(dead_code, reason = "each suite uses its part of it")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use rcgen::Certificate;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, server::WebPkiClientVerifier,
};

type Headers = Vec<(&'static str, String)>;

/// What a server is asked.
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path, with its query.
    pub(crate) target: String,
    pub(crate) body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Path and query.
    pub(crate) fn parts(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((&self.target, ""))
    }
}

/// What it says.
pub(crate) enum Reply {
    Answer {
        status: u16,
        headers: Headers,
        body: Vec<u8>,
    },
    /// These bytes, which somebody else made an answer of.
    Whole(Vec<u8>),
    /// Half of the body, though all of it was announced.
    Cut(Vec<u8>),
    /// Nothing at all.
    Hang,
    /// A byte at a time.
    Drip(Headers),
}

impl Reply {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::with(body, Vec::new())
    }

    pub(crate) fn with(body: impl Into<Vec<u8>>, headers: Headers) -> Self {
        Self::Answer {
            status: 200,
            headers,
            body: body.into(),
        }
    }

    /// With a body that must not be repeated.
    pub(crate) fn status(status: u16) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: b"hunter2".to_vec(),
        }
    }

    pub(crate) fn redirect(to: String) -> Self {
        Self::Answer {
            status: 302,
            headers: vec![("Location", to)],
            body: Vec::new(),
        }
    }

    pub(crate) fn challenge(how: impl Into<String>) -> Self {
        Self::Answer {
            status: 401,
            headers: vec![("WWW-Authenticate", how.into())],
            body: b"hunter2".to_vec(),
        }
    }

    fn send(self, stream: &mut impl Write) -> std::io::Result<()> {
        match self {
            Self::Answer {
                status,
                headers,
                body,
            } => {
                write!(stream, "HTTP/1.1 {status} Said\r\nConnection: close\r\n")?;
                write!(stream, "Content-Length: {}\r\n", body.len())?;
                end_of_head(stream, headers)?;
                stream.write_all(&body)
            }
            Self::Whole(bytes) => stream.write_all(&bytes),
            Self::Cut(body) => {
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"
                )?;
                stream.write_all(&body[..length / 2])
            }
            Self::Hang => loop {
                thread::park();
            },
            Self::Drip(headers) => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
                end_of_head(stream, headers)?;
                loop {
                    stream.write_all(b"1")?;
                    stream.flush()?;
                    thread::sleep(Duration::from_millis(50));
                }
            }
        }
    }
}

fn end_of_head(stream: &mut impl Write, headers: Headers) -> std::io::Result<()> {
    for (name, value) in headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")
}

pub(crate) struct HttpServer {
    /// Without a slash at its end.
    pub(crate) url: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl HttpServer {
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen("http", move |mut stream, log| {
            exchange(&mut stream, log, &answer)
        })
    }

    /// The same over TLS, with a certificate that signed itself; its PEM is the second part. With `clients`, whoever asks
    /// has to have a certificate of that authority.
    pub(crate) fn start_tls(
        clients: Option<&Certificate>,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> (Self, String) {
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
            exchange(&mut stream, log, &answer);
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

    /// Host and port.
    pub(crate) fn authority(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    /// `METHOD /path?query` of each request, with ` +auth` where it carried credentials.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn requests(&self, of: &str) -> usize {
        self.log().iter().filter(|line| line.contains(of)).count()
    }
}

fn exchange(
    stream: &mut (impl Read + Write),
    log: &Mutex<Vec<String>>,
    answer: impl Fn(&Request) -> Reply,
) {
    let Some(request) = read(stream) else { return };
    let auth = request.header("authorization").map_or("", |_| " +auth");
    let line = format!("{} {}{auth}", request.method, request.target);
    log.lock().unwrap().push(line);
    // Who asked may be gone.
    let _ = answer(&request).send(stream);
}

fn read(stream: &mut impl Read) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let first = line(&mut reader)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    // A proxy hands on whole URLs.
    let target = match target.strip_prefix("http://") {
        Some(rest) => &rest[rest.find('/')?..],
        None => target,
    };
    let mut request = Request {
        method,
        target: target.to_owned(),
        body: Vec::new(),
        headers: Vec::new(),
    };
    while let Some((name, value)) = line(&mut reader)?.split_once(':') {
        let header = (name.to_ascii_lowercase(), value.trim().to_owned());
        request.headers.push(header);
    }
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
            let size = u64::from_str_radix(&line(reader)?, 16).ok()?;
            reader.take(size).read_to_end(&mut body).ok()?;
            line(reader)?;
            if size == 0 {
                break;
            }
        }
    }
    Some(body)
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    Some(line.trim_end().to_owned())
}
