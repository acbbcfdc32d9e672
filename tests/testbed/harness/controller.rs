//! A `signet-controller` that the test itself starts, stops and kills.
//! It is the dev-profile program; nothing of it is linked into the test.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};

use super::{ADDRESS, Testbed, equal, eventually, get, program, unique};

/// A port the controller listens on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Port {
    Sealing,
    Metrics,
    Web,
}

/// A running controller. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Controller {
    child: Child,
    log: PathBuf,
    sealing: u16,
    metrics: u16,
    web: u16,
}

impl Controller {
    /// Starts the controller with the admin's kubeconfig, free ports, and `args`, which come last.
    /// It returns at once: `ready` awaits it.
    #[track_caller]
    pub(crate) fn start(args: &[&str]) -> Self {
        let kubeconfig = Testbed::get().kubeconfig().display().to_string();
        Self::start_with(&kubeconfig, args)
    }

    /// The same with another kubeconfig, for example a `Proxy`'s.
    #[track_caller]
    pub(crate) fn start_with(kubeconfig: &str, args: &[&str]) -> Self {
        Self::start_in(&[], kubeconfig, args)
    }

    /// The same with these variables in its environment.
    #[track_caller]
    pub(crate) fn start_in(environment: &[(&str, &str)], kubeconfig: &str, args: &[&str]) -> Self {
        let log = Testbed::get().path(&format!("logs/controller-{}.log", unique()));
        let output = std::fs::File::create(&log).expect("the testbed's folder is writable");
        let errors = output.try_clone().expect("a file can be opened twice");
        let [sealing, metrics, web] = [(); 3].map(|()| free_port());
        let child = Command::new(program(
            "SIGNET_CONTROLLER",
            option_env!("CARGO_BIN_EXE_signet-controller"),
            "signet-controller",
        ))
        .arg(format!("--kubeconfig={kubeconfig}"))
        .arg(format!("--listen-addr={ADDRESS}:{sealing}"))
        .arg(format!("--listen-metrics-addr={ADDRESS}:{metrics}"))
        .arg(format!("--web-addr={ADDRESS}:{web}"))
        .args(args)
        .env_remove("KUBECONFIG")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .expect("signet-controller can be started");
        Self {
            child,
            log,
            sealing,
            metrics,
            web,
        }
    }

    /// Waits until `/readyz` says 200, and fails at once when the controller ended.
    #[track_caller]
    pub(crate) fn ready(mut self) -> Self {
        let url = format!("{}/readyz", self.url(Port::Sealing));
        eventually("the controller is ready", || {
            let ended = self
                .child
                .try_wait()
                .expect("the state of a child can be read");
            assert!(
                ended.is_none(),
                "the controller ended: {ended:?}\n{}",
                self.log()
            );
            get(&url)
                .and_then(|(status, _)| equal(&status, &200))
                .map_err(|error| format!("{error}\n{}", self.log()))
        });
        self
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything it logged until now.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the controller's log is readable")
    }

    pub(crate) fn port(&self, port: Port) -> u16 {
        match port {
            Port::Sealing => self.sealing,
            Port::Metrics => self.metrics,
            Port::Web => self.web,
        }
    }

    /// `http://ADDRESS:PORT`, without a slash at the end.
    pub(crate) fn url(&self, port: Port) -> String {
        format!("http://{ADDRESS}:{}", self.port(port))
    }

    /// Sends it a signal, for example `STOP`; it must be there.
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill -\"$1\" \"$0\"", &pid, name])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "the controller had ended already\n{}",
            self.log()
        );
    }

    /// Asks it to end (SIGTERM) and waits until it did.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.wait().expect("a child can be waited for")
    }

    /// Kills it (SIGKILL).
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Waits until somebody else killed it.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().expect("a child can be waited for")
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A port that nobody listens on, and that no other test of this process was given: servers take theirs at different times.
fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let listener = TcpListener::bind((ADDRESS, 0)).expect("the testbed has free ports");
        let address = listener.local_addr().expect("a listener has an address");
        let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
        if given.insert(address.port()) {
            return address.port();
        }
    }
}
