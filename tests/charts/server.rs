//! A small HTTP server for tests that notes each request and answers as it is told, wrongly too.
//! None of it is fit for anything but tests.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What a server is asked.
pub(crate) struct Request {
    /// With its query.
    pub(crate) path: String,
    headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What it says.
pub(crate) enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// Half of the body, though all of it was announced.
    Cut(Vec<u8>),
    /// Nothing at all.
    Hang,
    /// A byte at a time.
    Drip,
}

impl Reply {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::with(body, Vec::new())
    }

    pub(crate) fn with(body: impl Into<Vec<u8>>, headers: Vec<(&'static str, String)>) -> Self {
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

    pub(crate) fn challenge(how: String) -> Self {
        Self::Answer {
            status: 401,
            headers: vec![("WWW-Authenticate", how)],
            body: b"hunter2".to_vec(),
        }
    }
}

pub(crate) struct Server {
    /// Without a slash at its end.
    pub(crate) url: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen("http", move |mut stream, log| {
            exchange(&mut stream, log, &answer)
        })
    }

    /// The same over TLS, with a certificate that signed itself.
    pub(crate) fn start_tls(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let pair = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = pair.signing_key.serialize_der().try_into().unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![pair.cert.der().clone()], key);
        let config = Arc::new(config.unwrap());
        Self::listen("https", move |stream, log| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            exchange(&mut stream, log, &answer);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        })
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

    /// `/path?query` of each request, with ` +auth` where it carried credentials.
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
    let marked = if request.header("authorization").is_some() {
        " +auth"
    } else {
        ""
    };
    log.lock()
        .unwrap()
        .push(format!("{}{marked}", request.path));
    match answer(&request) {
        Reply::Answer {
            status,
            headers,
            body,
        } => {
            let mut head = format!(
                "HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Length: {}\r\n",
                body.len()
            );
            for (name, value) in headers {
                head += &format!("{name}: {value}\r\n");
            }
            let _ = stream.write_all(format!("{head}\r\n").as_bytes());
            let _ = stream.write_all(&body);
        }
        Reply::Cut(body) => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&body[..body.len() / 2]);
        }
        Reply::Hang => thread::park(),
        Reply::Drip => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while stream.write_all(b"#").and_then(|()| stream.flush()).is_ok() {
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

fn read(stream: &mut impl Read) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect();
    Some(Request { path, headers })
}
