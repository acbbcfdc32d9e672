//! Values of flags in Go's spelling: booleans, durations, dates, addresses and maps.
//! It must not know any flag: texts here speak of values only.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::fmt::rfc2822;

/// A boolean as Go's `strconv.ParseBool` reads it.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    sealing::go::boolean::parse(text).ok_or_else(|| "expected true or false".to_owned())
}

/// A duration as Go's `time.ParseDuration` reads it, such as `720h`, `1h30m`, `1.5s` or a bare `0`; not negative.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let nanos = sealing::go::duration::parse(text).and_then(|nanos| u64::try_from(nanos).ok());
    nanos.map(Duration::from_nanos).ok_or_else(|| {
        "expected a duration such as 720h, 90m or 30s; units are h, m, s, ms, us, ns".to_owned()
    })
}

/// A date as `date -R` prints it; nothing for an empty text.
pub(super) fn date(text: &str) -> Result<Option<Timestamp>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let zoned = rfc2822::parse(text).map_err(
        |_| "expected a date as `date -R` prints it, such as Mon, 02 Jan 2006 15:04:05 -0700",
    )?;
    Ok(Some(zoned.timestamp()))
}

/// `k=v,k=v`; the value is everything after the first `=`.
pub(super) fn map(text: &str) -> Result<BTreeMap<String, String>, String> {
    let entries = text
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty());
    entries
        .map(|entry| match entry.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => Err(format!("expected key=value, got {entry:?}")),
        })
        .collect()
}

/// A comma list; blanks around entries and empty entries are dropped.
pub(super) fn list(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Where a server listens: `:8080` means port 8080 of every address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    host: Option<String>,
    port: u16,
}

impl ListenAddress {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let expected = || "expected an address such as :8080 or 127.0.0.1:8080".to_owned();
        let (host, port) = text.rsplit_once(':').ok_or_else(expected)?;
        let port = port.parse().map_err(|_| expected())?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Self {
            host: (!host.is_empty()).then(|| host.to_owned()),
            port,
        })
    }

    /// Opens the socket: on IPv6 and IPv4 at once where no host is named and the machine has IPv6.
    pub async fn bind(&self) -> std::io::Result<tokio::net::TcpListener> {
        match &self.host {
            Some(host) => tokio::net::TcpListener::bind((host.as_str(), self.port)).await,
            None => {
                let every = [
                    SocketAddr::from((Ipv6Addr::UNSPECIFIED, self.port)),
                    SocketAddr::from((Ipv4Addr::UNSPECIFIED, self.port)),
                ];
                tokio::net::TcpListener::bind(every.as_slice()).await
            }
        }
    }
}

impl std::fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}:{}",
            self.host.as_deref().unwrap_or_default(),
            self.port
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_not_negative() {
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert!(duration("-1s").is_err() && duration("1").is_err());
    }

    #[test]
    fn booleans_are_those_of_parse_bool() {
        assert_eq!(boolean("T"), Ok(true));
        assert_eq!(boolean("0"), Ok(false));
        assert!(boolean("yes").is_err() && boolean("").is_err() && boolean("tRUE").is_err());
    }

    #[test]
    fn dates_are_those_of_date_r() {
        assert_eq!(date("").unwrap(), None);
        let cutoff = date("Mon, 02 Jan 2006 15:04:05 -0700").unwrap().unwrap();
        assert_eq!(cutoff.to_string(), "2006-01-02T22:04:05Z");
        assert!(date("2006-01-02").is_err());
    }

    #[test]
    fn a_map_entry_without_equals_is_refused() {
        assert_eq!(map("a=b,c=d=e").unwrap().get("c").unwrap(), "d=e");
        assert!(map("a").unwrap_err().contains("\"a\""));
    }

    #[test]
    fn an_address_without_host_means_every_address() {
        assert_eq!(ListenAddress::parse(":8080").unwrap().to_string(), ":8080");
        assert_eq!(
            ListenAddress::parse("[::1]:80").unwrap().host.as_deref(),
            Some("::1")
        );
        assert!(ListenAddress::parse("8080").is_err());
    }
}
