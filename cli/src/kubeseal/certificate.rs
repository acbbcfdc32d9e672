//! The certificate to seal with: from a file, a URL, or the cluster.
//! Must not make an HTTP or cluster client while the certificate is a file.

use std::path::Path;

use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::fmt::strtime;
use sealing::{Certificate, CertificateError};

use super::go_text::{quote, system_error};
use super::service::Service;
use super::settings::Settings;
use super::texts::Error;
use crate::{certificate_source, proxy};

/// The bytes of the certificate file, whatever they are.
pub(super) fn fetch(settings: &Settings) -> Result<Vec<u8>, Error> {
    match settings.certificate.as_str() {
        "" => Ok(Service::find(settings)?.certificate()?),
        name => match scheme(name)? {
            // One letter is a drive of Windows.
            None => read(Path::new(name)),
            Some(letter) if letter.len() == 1 => read(Path::new(name)),
            Some("file") => read_url(name),
            Some("http" | "https") => get(name),
            Some(scheme) => Err(Error::Get {
                url: quote(name),
                reason: format!("unsupported protocol scheme {}", quote(scheme)),
            }),
        },
    }
}

/// A certificate that is good today.
pub(super) fn parse(pem: &[u8]) -> Result<Certificate, Error> {
    let certificate = Certificate::from_pem(pem).map_err(Error::Certificate)?;
    match certificate.check_valid_at(Timestamp::now()) {
        Err(CertificateError::Expired { not_after }) => Err(Error::Expired(
            strtime::format("%B %-d, %Y", not_after).unwrap_or_else(|_| not_after.to_string()),
        )),
        checked => checked.map(|()| certificate).map_err(Error::Certificate),
    }
}

/// The scheme of a URL as Go finds it; none for what has no colon behind letters.
fn scheme(name: &str) -> Result<Option<&str>, Error> {
    let wrong = |problem: String| Error::Url {
        url: quote(name),
        problem,
    };
    if name.starts_with(':') {
        return Err(wrong("missing protocol scheme".to_owned()));
    }
    if let Some(escape) = bad_escape(name) {
        return Err(wrong(format!("invalid URL escape {}", quote(escape))));
    }
    let end = name
        .find(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '+' | '-' | '.'));
    Ok(match end {
        Some(end)
            if name[end..].starts_with(':')
                && name.starts_with(|first: char| first.is_ascii_alphabetic()) =>
        {
            Some(&name[..end])
        }
        _ => None,
    })
}

fn bad_escape(name: &str) -> Option<&str> {
    let (at, _) = name.match_indices('%').find(|(at, _)| {
        let digits = name.as_bytes().get(at + 1..at + 3);
        digits.is_none_or(|digits| !digits.iter().all(u8::is_ascii_hexdigit))
    })?;
    let end = name[at..]
        .char_indices()
        .nth(3)
        .map_or(name.len(), |(end, _)| at + end);
    Some(&name[at..end])
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let operation = |path: &Path| if path.is_dir() { "read" } else { "open" };
    std::fs::read(path).map_err(|error| Error::file(operation(path), path, &error))
}

/// `file:///path`, rooted at `/` whatever the host.
fn read_url(url: &str) -> Result<Vec<u8>, Error> {
    let rest = url.strip_prefix("file:").unwrap_or(url);
    let path = match rest.strip_prefix("//") {
        Some(rest) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => rest,
    };
    std::fs::read(path).map_err(|error| Error::Fetch {
        url: quote(url),
        status: match error.kind() {
            std::io::ErrorKind::NotFound => "404 Not Found".to_owned(),
            std::io::ErrorKind::PermissionDenied => "403 Forbidden".to_owned(),
            _ => format!("500 Internal Server Error: {}", system_error(&error)),
        },
    })
}

fn proxy_before(url: &str) -> Option<String> {
    proxy::of_environment(&url.parse().ok()?)
}

fn get(url: &str) -> Result<Vec<u8>, Error> {
    let host = url.split_once("//").map_or("", |(_, rest)| rest);
    if host.is_empty() || host.starts_with(['/', '?', '#']) {
        return Err(Error::Get {
            url: quote(url),
            reason: "http: no Host in request URL".to_owned(),
        });
    }
    let (status, body) = certificate_source::get(url).map_err(|error| Error::Get {
        url: quote(url),
        reason: super::service::connection_error(url, proxy_before(url).as_deref(), &error),
    })?;
    match status.as_u16() {
        200 => Ok(body),
        _ => Err(Error::Fetch {
            url: quote(url),
            status: status.to_string(),
        }),
    }
}
