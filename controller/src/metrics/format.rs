//! The text formats of a scrape: OpenMetrics for who asks for it, else that of Prometheus, as upstream's controller answers.
//! It must not change what is counted.

use std::collections::BTreeSet;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// How a scrape is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    OpenMetrics,
    Prometheus,
}

impl Format {
    /// What the caller can read.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let mut accepted = headers.get_all(ACCEPT).iter();
        let asks = accepted.any(|value| {
            value
                .to_str()
                .is_ok_and(|value| value.contains("application/openmetrics-text"))
        });
        if asks {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// Rewrites a text in OpenMetrics.
    pub(super) fn of(self, open_metrics: String) -> String {
        match self {
            Self::OpenMetrics => open_metrics,
            Self::Prometheus => prometheus(&open_metrics),
        }
    }
}

/// Counters are described under the whole name of their series, bounds are whole numbers where they can be, and nothing
/// marks the end.
fn prometheus(open_metrics: &str) -> String {
    let types = open_metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    let counters: BTreeSet<_> = types
        .filter_map(|line| line.strip_suffix(" counter"))
        .collect();
    let mut text = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines().filter(|line| *line != "# EOF") {
        text.push_str(&prometheus_line(line, &counters));
        text.push('\n');
    }
    text
}

fn prometheus_line(line: &str, counters: &BTreeSet<&str>) -> String {
    for kind in ["# HELP ", "# TYPE "] {
        let described = line
            .strip_prefix(kind)
            .and_then(|line| line.split_once(' '));
        if let Some((name, text)) = described.filter(|(name, _)| counters.contains(name)) {
            return format!("{kind}{name}_total {text}");
        }
    }
    match line.split_once("_bucket{le=\"") {
        Some((name, rest)) if !line.starts_with('#') => {
            let (bound, labels) = rest.split_once('"').unwrap_or((rest, ""));
            let bound = bound.strip_suffix(".0").unwrap_or(bound);
            format!("{name}_bucket{{le=\"{bound}\"{labels}")
        }
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_for_who_asks_for_it() {
        let format = |values: &[&'static str]| {
            let headers = values.iter().map(|value| {
                let value = http::HeaderValue::from_static(value);
                (ACCEPT, value)
            });
            Format::accepted(&headers.collect())
        };
        for values in [
            &[][..],
            &["*/*"],
            &["text/plain;version=0.0.4"],
            &["application/json", "text/html"],
        ] {
            assert_eq!(format(values), Format::Prometheus, "{values:?}");
        }
        for values in [
            &["application/openmetrics-text"][..],
            &["application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"],
            &["text/plain", "application/openmetrics-text;version=1.0.0"],
        ] {
            assert_eq!(format(values), Format::OpenMetrics, "{values:?}");
        }
    }

    #[test]
    fn prometheus_describes_counters_by_their_whole_name_and_has_no_end() {
        let open_metrics = "# HELP a_requests Requests.\n# TYPE a_requests counter\na_requests_total{path=\"/\"} 7\n\
                            # HELP a_requests_now Requests in hand.\n# TYPE a_requests_now gauge\na_requests_now 1\n\
                            # HELP a_time Time.\n# TYPE a_time histogram\na_time_sum{path=\"/\"} 1.5\n\
                            a_time_bucket{le=\"0.5\",path=\"/\"} 1\na_time_bucket{le=\"10.0\",path=\"/\"} 2\na_time_bucket{le=\"+Inf\",path=\"/\"} 2\n# EOF\n";
        let expected = "# HELP a_requests_total Requests.\n# TYPE a_requests_total counter\na_requests_total{path=\"/\"} 7\n\
                        # HELP a_requests_now Requests in hand.\n# TYPE a_requests_now gauge\na_requests_now 1\n\
                        # HELP a_time Time.\n# TYPE a_time histogram\na_time_sum{path=\"/\"} 1.5\n\
                        a_time_bucket{le=\"0.5\",path=\"/\"} 1\na_time_bucket{le=\"10\",path=\"/\"} 2\na_time_bucket{le=\"+Inf\",path=\"/\"} 2\n";
        assert_eq!(Format::Prometheus.of(open_metrics.to_owned()), expected);
        assert_eq!(
            Format::OpenMetrics.of(open_metrics.to_owned()),
            open_metrics
        );
    }
}
