//! A way to the testbed's Git server that can be shut: who comes then waits in front of it until it is opened.
//! It looks into nothing that passes.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use crate::harness::{Testbed, listen, relay};

/// A door, which is there until the test ends.
#[derive(Debug)]
pub(crate) struct Door {
    address: SocketAddr,
    /// Host and port of the Git server.
    server: String,
    place: Arc<Place>,
}

/// The place in front of it.
#[derive(Debug, Default)]
struct Place {
    state: Mutex<State>,
    opens: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_shut: bool,
    /// So many wait.
    waiting: usize,
}

impl Door {
    /// A door that is open, on the loopback address, where no controller listens.
    #[track_caller]
    pub(crate) fn new() -> Self {
        let server = Testbed::get().git.replace("http://", "");
        let place = Arc::new(Place::default());
        let (front, behind) = (Arc::clone(&place), server.clone());
        let address = listen(move |client| {
            front.wait();
            relay(client, TcpStream::connect(&behind)?)
        });
        Self {
            address,
            server,
            place,
        }
    }

    /// The URL under which what is at `url` of the Git server is found through the door.
    pub(crate) fn before(&self, url: &str) -> String {
        url.replace(&self.server, &self.address.to_string())
    }

    #[track_caller]
    pub(crate) fn shut(&self) {
        self.place.set(true);
    }

    #[track_caller]
    pub(crate) fn open(&self) {
        self.place.set(false);
    }

    /// How many wait in front of it.
    #[track_caller]
    pub(crate) fn waiting(&self) -> usize {
        let state = self.place.state.lock();
        state.expect("no holder panics").waiting
    }
}

impl Place {
    fn set(&self, is_shut: bool) {
        let mut state = self.state.lock().expect("no holder panics");
        state.is_shut = is_shut;
        self.opens.notify_all();
    }

    fn wait(&self) {
        let mut state = self.state.lock().expect("no holder panics");
        state.waiting += 1;
        while state.is_shut {
            state = self.opens.wait(state).expect("no holder panics");
        }
        state.waiting -= 1;
    }
}
