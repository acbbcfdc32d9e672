//! The reverse proxy between a controller and the API server that kills the controller after its K-th write.
//! Its other half is `testbed proxy`; here is only the remote control.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::{Controller, Testbed, get, http, unique};

/// A running proxy. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Proxy {
    child: Child,
    url: String,
    kubeconfig: PathBuf,
}

impl Proxy {
    /// Starts a proxy. A controller that uses it is the owner of `token`, or the admin.
    #[track_caller]
    pub(crate) fn start(token: Option<&str>) -> Self {
        Self::start_with(&[], token)
    }

    /// The same, and each write waits so long before the API server hears of it.
    #[track_caller]
    pub(crate) fn slow(milliseconds: u32, token: Option<&str>) -> Self {
        Self::start_with(&["--slow", &format!("{milliseconds}ms")], token)
    }

    #[track_caller]
    fn start_with(args: &[&str], token: Option<&str>) -> Self {
        let mut child = Command::new("testbed")
            .arg("proxy")
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("`testbed` is on the PATH inside the testbed");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("the output is a pipe");
        BufReader::new(stdout)
            .read_line(&mut url)
            .expect("the proxy says its address");
        let kubeconfig = Testbed::get().path(&format!("proxy-{}.kubeconfig", unique()));
        let proxy = Self {
            child,
            url: url.trim().to_owned(),
            kubeconfig,
        };
        let user = token.map_or_else(|| "{}".to_owned(), |token| format!("{{token: {token}}}"));
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: proxy\ncontexts: [{{name: proxy, context: {{cluster: proxy, user: proxy}}}}]\n\
             clusters: [{{name: proxy, cluster: {{server: \"{}\"}}}}]\nusers: [{{name: proxy, user: {user}}}]\n",
            proxy.url
        );
        std::fs::write(&proxy.kubeconfig, text).expect("the testbed's folder is writable");
        proxy
    }

    /// For `Controller::start_with`.
    pub(crate) fn kubeconfig(&self) -> String {
        self.kubeconfig.display().to_string()
    }

    /// Kills the controller after its `step`-th write from now on, before it hears that the write succeeded.
    #[track_caller]
    pub(crate) fn kill_after(&self, controller: &Controller, step: usize) {
        let url = format!(
            "{}/testbed/kill?pid={}&after={step}",
            self.url,
            controller.pid()
        );
        let (status, body) = http::post(&url).expect("the proxy answers");
        assert_eq!(status, 204, "{body}");
    }

    /// The writes since the start or the last `kill_after`, as `METHOD PATH`. Events, leases and dry-runs don't count.
    #[track_caller]
    pub(crate) fn writes(&self) -> Vec<String> {
        serde_json::from_value(self.state()["writes"].clone()).unwrap_or_default()
    }

    /// Whether the kill has happened.
    #[track_caller]
    pub(crate) fn has_killed(&self) -> bool {
        self.state()["killed"] == true
    }

    #[track_caller]
    fn state(&self) -> serde_json::Value {
        let (_, body) = get(&format!("{}/testbed/writes", self.url)).expect("the proxy answers");
        serde_json::from_str(&body).expect("the proxy answers in JSON")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
