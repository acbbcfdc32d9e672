//! A forward proxy as companies put before their clusters: it connects to whom it is asked for, and remembers the asking.
//! It looks into nothing that passes.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use super::relay::{listen, relay};

/// A running proxy. It ends with the test.
#[derive(Debug)]
pub(crate) struct ForwardProxy {
    address: SocketAddr,
    asked: Asked,
}

/// Whom it was asked for, as `HOST:PORT`.
type Asked = Arc<Mutex<BTreeSet<String>>>;

impl ForwardProxy {
    /// A proxy on the loopback address, which is no server's here.
    #[track_caller]
    pub(crate) fn start() -> Self {
        let asked = Asked::default();
        let memory = Arc::clone(&asked);
        let address = listen(move |client| serve(client, &memory));
        Self { address, asked }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whom it was asked for since the last time.
    #[track_caller]
    pub(crate) fn asked(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.asked.lock().expect("no holder panics"))
    }
}

/// `CONNECT HOST:PORT` makes a tunnel; any other request names a whole URL and is handed on as it is.
fn serve(mut client: TcpStream, memory: &Asked) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let target = text.split(' ').nth(1).unwrap_or_default();
    let is_tunnel = text.starts_with("CONNECT ");
    let host = target.trim_start_matches("http://");
    let host = host.split('/').next().unwrap_or_default();
    memory
        .lock()
        .expect("no holder panics")
        .insert(host.to_owned());
    let mut server = TcpStream::connect(host)?;
    match is_tunnel {
        true => client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?,
        false => server.write_all(&head)?,
    }
    relay(client, server)
}
