//! The web server of our controller, behind the API server's service proxy.
//! Must not know of files, nor what is asked.

use std::time::Duration;

use serde_json::Value;

use super::{Cluster, Error};

/// Our Service, and the name of its port.
const SERVICE: &str = "signet-controller";
const PORT: &str = "web";

impl Cluster {
    /// Posts to a path of the web server, and waits so long for the answer. `action` completes the sentence "cannot …".
    pub(crate) fn post(
        &self,
        path: &str,
        action: &str,
        headers: &[(&str, &str)],
        body: &Value,
        time: Duration,
    ) -> Result<Value, Error> {
        let (namespace, name) = (self.namespace(), self.service.as_deref().unwrap_or(SERVICE));
        let url = format!("/api/v1/namespaces/{namespace}/services/http:{name}:{PORT}/proxy{path}");
        let request =
            http::Request::post(url).header(http::header::CONTENT_TYPE, "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let request = request.body(body.to_string().into_bytes());
        let answer = self.ask_within(time, action, self.send(request))?;
        serde_json::from_str(&answer).map_err(|source| Error::Answer {
            action: action.to_owned(),
            source,
        })
    }
}
