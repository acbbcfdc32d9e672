//! What the suite asks of charts, and the access that it asks with.

use std::{sync::Arc, time::Duration};

use controller::{
    charts::{Chart, ChartError, ChartOptions, Charts, Fetch},
    git::Freshness,
    repositories::{Access, Confidential, Login, Tls},
};

pub(crate) struct Bench {
    pub(crate) charts: Arc<Charts>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(ChartOptions::default())
    }

    pub(crate) fn impatient() -> Self {
        Self::with(ChartOptions {
            timeout: Duration::from_secs(1),
            ..ChartOptions::default()
        })
    }

    pub(crate) fn with(options: ChartOptions) -> Self {
        Self {
            charts: Arc::new(Charts::new(options)),
        }
    }

    /// The version of `nginx` that is meant now.
    pub(crate) async fn version(
        &self,
        url: &str,
        access: &Access,
        version: &str,
    ) -> Result<String, ChartError> {
        self.charts
            .resolve(url, access, "nginx", version, Freshness::Latest)
            .await
    }

    pub(crate) async fn fetch(
        &self,
        url: &str,
        access: &Access,
        version: &str,
    ) -> Result<Arc<Chart>, ChartError> {
        self.charts
            .fetch(url, access, "nginx", version, Fetch::default())
            .await
    }
}

/// Of servers on our own machine, without TLS or with any certificate.
pub(crate) fn anybody() -> Access {
    Access {
        tls: Tls {
            insecure: true,
            ..Tls::default()
        },
        plain_http: true,
        allow_local_addresses: true,
        ..Access::default()
    }
}

pub(crate) fn with_password(password: &str) -> Access {
    Access {
        secret: Some("signet/charts".to_owned()),
        login: Login::Basic {
            username: Confidential::of("signet".to_owned()),
            password: Confidential::of(password.to_owned()),
        },
        ..anybody()
    }
}

/// `Authorization` of `with_password("testbed")`.
pub(crate) const ALLOWED: &str = "Basic c2lnbmV0OnRlc3RiZWQ=";

/// What stands in the template of a chart.
pub(crate) fn text_of(chart: &Chart) -> String {
    let directory = tempfile::tempdir().unwrap();
    let root = chart.unpack(directory.path()).unwrap();
    std::fs::read_to_string(root.join("templates/text.yaml")).unwrap()
}

pub(crate) fn message<T: std::fmt::Debug>(result: Result<T, ChartError>) -> String {
    result.expect_err("an error was expected").to_string()
}
