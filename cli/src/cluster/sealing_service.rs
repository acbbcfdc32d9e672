//! The sealing API of whichever controller the cluster has: where it is, its certificate, and re-sealing.
//! Must not know of files, and takes nothing else from an answer than what was asked for.

use std::fmt;
use std::time::{Duration, Instant};

use crds::names::CERTIFICATE_CONFIG_MAP;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::Api;
use serde_json::Value;

use super::{Cluster, Error, OWN_NAMESPACE};

/// Namespace of upstream's plain install and Helm chart.
const UPSTREAM_NAMESPACE: &str = "kube-system";
/// Services behind which the sealing API may be: ours, upstream's manifest, upstream's Helm chart.
const SERVICES: [&str; 3] = [
    "signet-controller",
    "sealed-secrets-controller",
    "sealed-secrets",
];
/// Item of the ConfigMap that holds the certificate.
const CERTIFICATE_ITEM: &str = "cert.pem";

/// Upstream's controller takes two requests a second and says `Retry-After: 1` to more.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// A certificate as the cluster keeps it.
pub(crate) struct Found {
    /// Where it was found, such as `ConfigMap signet/signet-certificate`.
    pub(crate) origin: String,
    pub(crate) pem: String,
}

/// The sealing API behind the API server's service proxy.
#[derive(Clone, Debug)]
pub(crate) struct SealingService {
    pub(crate) namespace: String,
    name: String,
    port: String,
}

impl fmt::Display for SealingService {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Service {}/{}", self.namespace, self.name)
    }
}

impl Cluster {
    /// The current certificate: from the ConfigMap that everybody may read, else from the sealing API.
    pub(crate) fn certificate(&self) -> Result<Found, Error> {
        if let Some(pem) = self.published_certificate()? {
            let origin = format!("ConfigMap {}/{CERTIFICATE_CONFIG_MAP}", self.namespace());
            return Ok(Found { origin, pem });
        }
        let (service, pem) = self.serving()?;
        Ok(Found {
            origin: service.to_string(),
            pem,
        })
    }

    /// The certificate that our controller publishes. `None` where it publishes none, or not to this user.
    pub(crate) fn published_certificate(&self) -> Result<Option<String>, Error> {
        let api = Api::<ConfigMap>::namespaced(self.client(), self.namespace());
        let action = format!(
            "read ConfigMap {}/{CERTIFICATE_CONFIG_MAP}",
            self.namespace()
        );
        match self.ask(&action, api.get_opt(CERTIFICATE_CONFIG_MAP)) {
            Ok(map) => Ok(map.and_then(certificate_in)),
            Err(error) if error.looks_on() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The sealing API to work with.
    pub(crate) fn sealing_service(&self) -> Result<SealingService, Error> {
        self.serving().map(|(service, _)| service)
    }

    /// The first Service, of those that an install makes, behind which there is a certificate, and that certificate.
    /// Ours has none while it only watches upstream's at work.
    fn serving(&self) -> Result<(SealingService, String), Error> {
        let mut looked = Vec::new();
        let mut refused = None;
        for (namespace, name) in self.candidates() {
            match self.certificate_behind(&namespace, &name) {
                Err(error) if error.is_missing() => {
                    looked.push(format!("Service {namespace}/{name}"));
                }
                Err(error @ (Error::Refused { .. } | Error::Forbidden { .. })) => {
                    refused.get_or_insert(error);
                }
                found => return found,
            }
        }
        Err(refused.unwrap_or(Error::NoController { looked }))
    }

    fn certificate_behind(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<(SealingService, String), Error> {
        let api = Api::<Service>::namespaced(self.client(), namespace);
        let found = self.ask(&format!("read Service {namespace}/{name}"), api.get(name))?;
        let service = SealingService {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            port: port_name(&found),
        };
        let request = http::Request::get(service.path("/v1/cert.pem")).body(Vec::new());
        let action = format!("fetch the certificate from {service}");
        let pem = self.ask(&action, self.send(request))?;
        Ok((service, pem))
    }

    fn candidates(&self) -> Vec<(String, String)> {
        let at = |namespace: &str, name: &str| (namespace.to_owned(), name.to_owned());
        match (&self.namespace, &self.service) {
            (_, Some(service)) => vec![at(self.namespace(), service)],
            (Some(namespace), None) => SERVICES.iter().map(|name| at(namespace, name)).collect(),
            (None, None) => {
                let mut candidates = vec![at(OWN_NAMESPACE, SERVICES[0])];
                candidates.extend(
                    SERVICES[1..]
                        .iter()
                        .map(|name| at(UPSTREAM_NAMESPACE, name)),
                );
                candidates
            }
        }
    }

    /// Posts a SealedSecret to `/v1/rotate` and gives back what the controller made of it.
    pub(crate) fn rotate(
        &self,
        service: &SealingService,
        action: &str,
        sealed: &Value,
    ) -> Result<Value, Error> {
        let deadline = Instant::now() + self.answer_timeout;
        loop {
            let request = http::Request::post(service.path("/v1/rotate"))
                .header(http::header::CONTENT_TYPE, "application/json")
                .body(sealed.to_string().into_bytes());
            match self.ask(action, self.send(request)) {
                Err(Error::Refused { code: 429, .. }) if Instant::now() < deadline => {
                    std::thread::sleep(BUSY_PAUSE)
                }
                answer => {
                    let answer = answer?;
                    return serde_json::from_str(&answer).map_err(|source| Error::Answer {
                        action: action.to_owned(),
                        source,
                    });
                }
            }
        }
    }
}

impl SealingService {
    fn path(&self, path: &str) -> String {
        let Self {
            namespace,
            name,
            port,
        } = self;
        format!("/api/v1/namespaces/{namespace}/services/http:{name}:{port}/proxy{path}")
    }
}

pub(crate) fn certificate_in(map: ConfigMap) -> Option<String> {
    map.data?.remove(CERTIFICATE_ITEM)
}

fn port_name(service: &Service) -> String {
    let port = service
        .spec
        .as_ref()
        .and_then(|spec| spec.ports.as_ref()?.first());
    port.and_then(|port| port.name.clone()).unwrap_or_default()
}
