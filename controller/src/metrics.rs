//! What Prometheus may know: upstream's names for what upstream counts, ours for the rest.
//! It must not hold a fact that something else in the controller relies on.

use std::sync::{Mutex, PoisonError};

use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

mod format;
mod process;
mod server;

pub use server::run;

/// Prefix of everything that Sealed Secrets' controller counts too.
const UPSTREAM: &str = "sealed_secrets_controller";

/// Upper bounds of the latency buckets in seconds: those of Go's client, which upstream's dashboards expect.
pub(crate) const LATENCIES: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// All metrics, each updated where its fact arises.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    /// Attempts to open a SealedSecret, retries and deletions included.
    pub unseal_requests: Counter,
    /// Failed attempts by reason.
    pub unseal_errors: Family<UnsealErrorLabels, Counter>,
    /// The Synced condition of each SealedSecret: 1, 0 or -1.
    pub condition_info: Family<ConditionLabels, Gauge>,
    /// Requests to the sealing API.
    pub http_requests: Family<HttpRequestLabels, Counter>,
    /// Latencies of the sealing API.
    pub http_request_duration: Family<HttpDurationLabels, Histogram>,
    /// Sealing keys that are loaded.
    pub keys: Gauge,
    /// Secrets that look like sealing keys and can't be used.
    pub keys_unusable: Gauge,
    /// 1 while this process is the one that writes.
    pub leader: Gauge,
    /// Failed attempts to publish the certificate.
    pub certificate_publish_errors: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct UnsealErrorLabels {
    pub reason: &'static str,
    pub namespace: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ConditionLabels {
    pub namespace: String,
    pub name: String,
    pub condition: &'static str,
    pub ss_app_kubernetes_io_instance: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct HttpRequestLabels {
    pub path: String,
    pub code: u16,
    pub method: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct HttpDurationLabels {
    pub path: String,
    pub method: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BuildLabels {
    revision: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Mutex::new(Registry::default()),
            unseal_requests: Counter::default(),
            unseal_errors: Family::default(),
            condition_info: Family::default(),
            http_requests: Family::default(),
            http_request_duration: Family::new_with_constructor(|| Histogram::new(LATENCIES)),
            keys: Gauge::default(),
            keys_unusable: Gauge::default(),
            leader: Gauge::default(),
            certificate_publish_errors: Counter::default(),
        };
        metrics.register(|registry| metrics.add_to(registry));
        metrics
    }
}

impl Metrics {
    /// Lets a part add metrics of its own. Counters get `_total` appended to the name given.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Everything in the text format of OpenMetrics.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        match prometheus_client::encoding::text::encode(&mut text, &registry) {
            Ok(()) => text,
            Err(error) => format!("# {error}\n"),
        }
    }

    fn add_to(&self, registry: &mut Registry) {
        let build = Family::<BuildLabels, Gauge>::default();
        build
            .get_or_create(&BuildLabels {
                revision: env!("CARGO_PKG_VERSION"),
            })
            .set(0);
        let upstream = registry.sub_registry_with_prefix(UPSTREAM);
        add(upstream, "build_info", "Build information", &build);
        add(
            upstream,
            "unseal_requests",
            "Total number of sealed secret unseal requests",
            &self.unseal_requests,
        );
        add(
            upstream,
            "unseal_errors",
            "Total number of sealed secret unseal errors by reason",
            &self.unseal_errors,
        );
        let condition = "Current SealedSecret condition status. Values are -1 (false), 0 (unknown or absent), 1 (true)";
        add(upstream, "condition_info", condition, &self.condition_info);
        add(
            upstream,
            "http_requests",
            "A counter for requests to the wrapped handler",
            &self.http_requests,
        );
        add(
            upstream,
            "http_request_duration_seconds",
            "A histogram of latencies for requests",
            &self.http_request_duration,
        );
        add(
            registry,
            "signet_keys",
            "Sealing keys that are loaded",
            &self.keys,
        );
        add(
            registry,
            "signet_keys_unusable",
            "Secrets labelled as sealing key that can't be used",
            &self.keys_unusable,
        );
        add(
            registry,
            "signet_leader",
            "1 while this process is the one that writes",
            &self.leader,
        );
        add(
            registry,
            "signet_certificate_publish_errors",
            "Failed attempts to write the certificate's ConfigMap",
            &self.certificate_publish_errors,
        );
        registry.register_collector(Box::new(process::Process));
    }
}

fn add<M>(registry: &mut Registry, name: &str, help: &str, metric: &M)
where
    M: EncodeMetric + Clone + Send + Sync + std::fmt::Debug + 'static,
{
    registry.register(name, help, metric.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_upstreams_dashboards() {
        let metrics = Metrics::default();
        metrics.unseal_requests.inc();
        metrics
            .unseal_errors
            .get_or_create(&UnsealErrorLabels {
                reason: "unseal",
                namespace: "a".to_owned(),
            })
            .inc();
        let (path, method) = ("/v1/verify".to_owned(), "post".to_owned());
        let duration = HttpDurationLabels {
            path: path.clone(),
            method: method.clone(),
        };
        metrics
            .http_request_duration
            .get_or_create(&duration)
            .observe(0.003);
        let request = HttpRequestLabels {
            path,
            code: 200,
            method,
        };
        metrics.http_requests.get_or_create(&request).inc();
        let text = metrics.text();
        for line in [
            concat!(
                "sealed_secrets_controller_build_info{revision=\"",
                env!("CARGO_PKG_VERSION"),
                "\"} 0"
            ),
            "sealed_secrets_controller_http_requests_total{path=\"/v1/verify\",code=\"200\",method=\"post\"} 1",
            "sealed_secrets_controller_http_request_duration_seconds_bucket{le=\"0.005\",path=\"/v1/verify\",method=\"post\"} 1",
            "sealed_secrets_controller_unseal_requests_total 1",
            "sealed_secrets_controller_unseal_errors_total{reason=\"unseal\",namespace=\"a\"} 1",
            "# TYPE sealed_secrets_controller_build_info gauge",
            "# HELP sealed_secrets_controller_unseal_requests Total number of sealed secret unseal requests.",
        ] {
            assert!(text.contains(line), "{line:?} not in {text}");
        }
        assert!(
            !text.contains("condition_info{"),
            "a series before its fact"
        );
    }

    #[test]
    fn the_process_tells_its_own_weight() {
        let text = Metrics::default().text();
        for name in [
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_start_time_seconds",
        ] {
            assert!(text.contains(name), "{name} not in {text}");
        }
    }
}
