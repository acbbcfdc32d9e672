//! Rows "verify" and "one opening": the sealing API with its limit off, and the arithmetic beside OpenSSL's.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::Instant;

use super::cluster::{Cluster, NAMESPACE, until};
use super::harness::{ADDRESS, Port};
use super::measure;
use super::sealed::{KeyPair, put_keys, sealed_secret};
use super::table::{Row, Table};
use super::unit_costs::UnitCosts;
use super::upstream::Upstream;

const CALLERS: usize = 8;
const REQUESTS: usize = 250;
/// Upstream has no flag that switches the limit off.
const UNLIMITED: [&str; 2] = ["--rate-limit=1000000", "--rate-limit-burst=1000000"];

pub(crate) fn rows(cluster: &Cluster, costs: &UnitCosts, table: &mut Table) {
    table.push(verify(cluster, costs));
    table.push(opening(costs));
}

fn verify(cluster: &Cluster, costs: &UnitCosts) -> Row {
    put_keys(cluster, NAMESPACE, &[KeyPair::oldest()]);
    let controller = cluster
        .controller(&[&["--only=sealing"], &UNLIMITED[..]].concat())
        .ready();
    let (before, memory) = (
        measure::cpu(controller.pid()),
        measure::peak_memory(controller.pid()),
    );
    let ours = call_at_once(controller.port(Port::Sealing));
    let cpu = measure::cpu(controller.pid()) - before;
    let memory = measure::peak_memory(controller.pid()).max(memory);
    controller.stop();
    let upstream = Upstream::start(cluster, &[KeyPair::oldest()], &UNLIMITED);
    until("upstream listens", || {
        TcpStream::connect((ADDRESS, 8080)).is_ok()
    });
    let before = measure::cpu(upstream.pid);
    let peer = call_at_once(8080);
    let (peer_cpu, peer_memory) = (
        measure::cpu(upstream.pid) - before,
        measure::peak_memory(upstream.pid),
    );
    upstream.stop();
    let requests = (CALLERS * REQUESTS) as f64;
    Row {
        work: "/v1/verify, 2,000 requests × 2 values, 8 callers, limit off",
        ours,
        floor: Some(requests * 2.0 * costs.open / costs.cores),
        peer: Some(peer),
        notes: format!(
            "{:.0} a second, {cpu:.2} CPU-s, {memory:.0} MiB; peer {:.0} a second, {peer_cpu:.2} CPU-s, {peer_memory:.0} MiB",
            requests / ours,
            requests / peer
        ),
    }
}

/// Seconds until every caller has had each of its requests answered with 200.
fn call_at_once(port: u16) -> f64 {
    let body = sealed_secret("bench", "verified").to_string();
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| call(port, &body));
        }
    });
    start.elapsed().as_secs_f64()
}

/// One caller: a connection that is kept, a request after the other.
fn call(port: u16, body: &str) {
    let mut stream = TcpStream::connect((ADDRESS, port)).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let request = format!(
        "POST /v1/verify HTTP/1.1\r\nHost: bench\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..REQUESTS {
        stream.write_all(request.as_bytes()).unwrap();
        // The answer has no body: it ends with the first empty line.
        let head: Vec<String> = answers
            .by_ref()
            .lines()
            .map(Result::unwrap)
            .take_while(|line| !line.is_empty())
            .collect();
        assert_eq!(head[0], "HTTP/1.1 200 OK", "{head:?}");
    }
}

fn opening(costs: &UnitCosts) -> Row {
    let peer = openssl();
    Row {
        work: "one opening, RSA-4096, one core",
        ours: costs.open,
        floor: None,
        peer: Some(peer),
        notes: format!(
            "{:.0} a second; `openssl speed rsa4096` {:.0} a second",
            1.0 / costs.open,
            1.0 / peer
        ),
    }
}

/// Seconds of one private-key operation as OpenSSL's own benchmark measures it.
fn openssl() -> f64 {
    let output = Command::new("openssl")
        .args(["speed", "-mr", "-seconds", "3", "rsa4096"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // `+F2:INDEX:BITS:SIGNATURES A SECOND:VERIFICATIONS A SECOND…`
    let line = text
        .lines()
        .find(|line| line.starts_with("+F2:"))
        .unwrap_or_else(|| panic!("openssl speed said: {text}"));
    let a_second: f64 = line.split(':').nth(3).unwrap().parse().unwrap();
    1.0 / a_second
}
