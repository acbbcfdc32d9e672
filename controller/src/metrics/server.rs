//! The server of `/metrics`, which counts its own answers as Go's client does.
//! It must not serve anything else.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::Metrics;
use super::format::Format;
use crate::context::Context;
use crate::run::Error;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CodeLabels {
    code: &'static str,
}

/// Answers to scrapes.
#[derive(Clone, Debug)]
struct Scrapes {
    metrics: Arc<Metrics>,
    answered: Counter,
    in_flight: Gauge,
}

impl Scrapes {
    fn new(metrics: Arc<Metrics>) -> Self {
        let by_code = Family::<CodeLabels, Counter>::default();
        let scrapes = Self {
            metrics,
            // All of them succeed: an answer is made in memory.
            answered: by_code.get_or_create_owned(&CodeLabels { code: "200" }),
            in_flight: Gauge::default(),
        };
        scrapes.metrics.register(|registry| {
            registry.register(
                "promhttp_metric_handler_requests",
                "Total number of scrapes by HTTP status code",
                by_code,
            );
            registry.register(
                "promhttp_metric_handler_requests_in_flight",
                "Current number of scrapes being served",
                scrapes.in_flight.clone(),
            );
        });
        scrapes
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let format = Format::accepted(headers);
        self.in_flight.inc();
        let text = format.of(self.metrics.text());
        self.in_flight.dec();
        self.answered.inc();
        ([(CONTENT_TYPE, format.content_type())], text).into_response()
    }
}

/// Serves `/metrics` until shutdown.
pub async fn run(context: Arc<Context>) -> Result<(), Error> {
    let address = &context.settings.api.listen_metrics_addr;
    let listener = address.bind().await.map_err(|source| Error::Listen {
        address: address.to_string(),
        source,
    })?;
    tracing::info!(addr = %address, "HTTP metrics server serving");
    let scrapes = Scrapes::new(Arc::clone(&context.metrics));
    let router = axum::Router::new().route(
        "/metrics",
        any(async move |headers: HeaderMap| scrapes.answer(&headers)),
    );
    let shutdown = context.shutdown.clone().cancelled_owned();
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown)
        .await
        .map_err(Error::Serve)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_sees_the_ones_before_it_and_itself_in_flight() {
        let scrapes = Scrapes::new(Arc::default());
        let answer = scrapes.answer(&HeaderMap::new());
        let type_ = &answer.headers()[CONTENT_TYPE];
        assert_eq!(type_, "text/plain; version=0.0.4; charset=utf-8");
        scrapes.in_flight.inc();
        let text = scrapes.metrics.text();
        for line in [
            "promhttp_metric_handler_requests_total{code=\"200\"} 1\n",
            "promhttp_metric_handler_requests_in_flight 1\n",
        ] {
            assert!(text.contains(line), "{line:?} not in {text}");
        }
    }
}
