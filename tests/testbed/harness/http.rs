//! As much of an HTTP client as a test needs, so that suites bring no dependency of their own.
//! It speaks plain HTTP to one address and reads whole answers; it is no client for anything else.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Status and body of a GET. The error is for `eventually`: nobody listens yet.
pub(crate) fn get(url: &str) -> Result<(u16, String), String> {
    request("GET", url, &[], "")
}

/// Status and body of a POST without a body.
pub(super) fn post(url: &str) -> Result<(u16, String), String> {
    send(url, &[], "")
}

/// Status and body of the answer to a POST with these headers and this body.
pub(crate) fn send(
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<(u16, String), String> {
    request("POST", url, headers, body)
}

fn request(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<(u16, String), String> {
    let rest = url
        .strip_prefix("http://")
        .ok_or_else(|| format!("{url}: expected http://"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let failed = |error: std::io::Error| format!("{method} {url}: {error}");
    let mut stream = TcpStream::connect(host).map_err(failed)?;
    // HTTP/1.0: the answer is whole, unchunked, and ends with the connection.
    let headers = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"));
    let (headers, length) = (headers.collect::<String>(), body.len());
    write!(
        stream,
        "{method} /{path} HTTP/1.0\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .map_err(failed)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(failed)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| format!("{method} {url}: no answer"))?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok((
        status.ok_or_else(|| format!("{method} {url}: {head}"))?,
        body.to_owned(),
    ))
}
