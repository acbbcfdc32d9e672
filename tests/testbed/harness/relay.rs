//! What stands between a client and a server, on the loopback address, where nobody listens otherwise: it hears and hands on bytes.
//! It looks into nothing that passes.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Serves each client in a thread of its own, until the test ends. Returns where.
#[track_caller]
pub(crate) fn listen(
    serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the testbed has free ports");
    let address = listener.local_addr().expect("a listener has an address");
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            // Who leaves in the middle is no failure of the test's.
            thread::spawn(move || drop(serve(client)));
        }
    });
    address
}

/// Hands on what the two say to each other.
pub(crate) fn relay(mut client: TcpStream, mut server: TcpStream) -> io::Result<()> {
    let (mut questions, mut asked) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        drop(io::copy(&mut questions, &mut asked));
        drop(asked.shutdown(Shutdown::Write));
    });
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Both)
}
