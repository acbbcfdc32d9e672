//! What the metrics say of Git: how often servers are asked.
//! It holds no fact that anything relies on.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// Metrics of all mirrors.
#[derive(Clone, Debug, Default)]
pub(crate) struct GitMetrics {
    requests: Family<RequestLabels, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    request_type: &'static str,
}

impl GitMetrics {
    pub(crate) fn add_to(&self, registry: &mut Registry) {
        registry.register(
            "signet_git_requests",
            "How often Git servers were asked, by what for",
            self.requests.clone(),
        );
    }

    /// Refs are listed.
    pub(super) fn listing(&self) {
        self.count("ls-remote");
    }

    /// A commit is fetched.
    pub(super) fn fetch(&self) {
        self.count("fetch");
    }

    fn count(&self, request_type: &'static str) {
        self.requests
            .get_or_create(&RequestLabels { request_type })
            .inc();
    }
}
