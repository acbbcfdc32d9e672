//! TLS: whom we trust, who we say we are, and the way through a proxy.

use std::sync::Arc;

use controller::{git::Repository, repositories::Known};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::{
    bench::{Bench, known, message, open, reached, secret, with_secret},
    forward_proxy::ForwardProxy,
    server::GitServer,
};

/// Which certificates the system trusts is fixed at the first connection of a process, so this one needs a process of
/// its own.
const TRUSTING: &str = "SIGNET_TEST_TRUSTING";

#[tokio::test]
async fn over_https_only_a_certificate_that_the_system_trusts_will_do() {
    let bench = Bench::new();
    bench.origin("app").commit(&[("a.yaml", "x")]);
    let (server, certificate) = GitServer::start_tls(bench.root.clone(), None);
    let url = server.url_of("app");
    let refused = message(bench.latest(&open(&url), "main").await);
    assert!(
        refused.starts_with(&format!(
            "{url}: unreachable: TLS: invalid peer certificate: "
        )),
        "{refused}"
    );

    let file = bench.root.join("trusted.pem");
    std::fs::write(&file, certificate).unwrap();
    let trusting = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "tls::in_a_process_that_trusts_the_certificate",
        ])
        .env("SSL_CERT_FILE", &file)
        .env(TRUSTING, &url)
        .output()
        .unwrap();
    assert!(
        trusting.status.success(),
        "{}",
        String::from_utf8_lossy(&trusting.stdout)
    );
    assert!(server.requests("POST /app.git/git-upload-pack") > 1);
}

#[tokio::test]
#[ignore = "over_https_only_a_certificate_that_the_system_trusts_will_do runs it"]
async fn in_a_process_that_trusts_the_certificate() {
    let url = std::env::var(TRUSTING).unwrap();
    let content = Bench::new().read(&open(&url), "main", "a.yaml").await;
    assert_eq!(content.unwrap(), "x");
}

/// The repository at `url` with these certificates for its host in the ConfigMap.
fn trusting(url: &str, pem: &str) -> Repository {
    let mut known: Known = known(secret(url, &[]));
    known
        .authorities
        .insert("127.0.0.1".to_owned(), Arc::from(pem));
    reached(&known, url).unwrap()
}

#[tokio::test]
async fn the_certificates_of_the_config_map_are_trusted_for_their_host_in_place_of_others() {
    let bench = Bench::new();
    bench.origin("app").commit(&[("a.yaml", "x")]);
    let (server, certificate) = GitServer::start_tls(bench.root.clone(), None);
    let (_, other) = GitServer::start_tls(bench.root.clone(), None);
    let url = server.url_of("app");
    let right = trusting(&url, &certificate);
    assert_eq!(bench.read(&right, "main", "a.yaml").await.unwrap(), "x");
    let both = trusting(&url, &format!("{other}{certificate}"));
    assert_eq!(bench.read(&both, "main", "a.yaml").await.unwrap(), "x");
    let wrong = message(bench.latest(&trusting(&url, &other), "main").await);
    assert!(wrong.contains("unreachable: TLS: "), "{wrong}");
}

#[tokio::test]
async fn insecure_takes_any_certificate() {
    let bench = Bench::new();
    bench.origin("app").commit(&[("a.yaml", "x")]);
    let (server, _) = GitServer::start_tls(bench.root.clone(), None);
    let repository = with_secret(&server.url_of("app"), &[("insecure", "true")]);
    assert_eq!(
        bench.read(&repository, "main", "a.yaml").await.unwrap(),
        "x"
    );
}

#[tokio::test]
async fn a_server_that_asks_for_our_certificate_gets_the_one_of_the_secret() {
    let bench = Bench::new();
    bench.origin("app").commit(&[("a.yaml", "x")]);
    let authority_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let ours = CertificateParams::new(["signet".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();

    let (server, _) = GitServer::start_tls(bench.root.clone(), Some(&authority));
    let url = server.url_of("app");
    let anonymous = with_secret(&url, &[("insecure", "true")]);
    assert!(message(bench.latest(&anonymous, "main").await).contains("unreachable"));
    let identified = with_secret(
        &url,
        &[
            ("insecure", "true"),
            ("tlsClientCertData", &ours.pem()),
            ("tlsClientCertKey", &key.serialize_pem()),
        ],
    );
    assert_eq!(
        bench.read(&identified, "main", "a.yaml").await.unwrap(),
        "x"
    );
}

#[tokio::test]
async fn the_proxy_of_the_secret_is_used_but_for_the_hosts_that_need_none() {
    let bench = Bench::new();
    bench.origin("app").commit(&[("a.yaml", "x")]);
    let proxy = ForwardProxy::start();
    let plain = bench.serve();
    let (encrypted, certificate) = GitServer::start_tls(bench.root.clone(), None);
    let host = |url: &str| url.split('/').nth(2).unwrap().to_owned();
    for (server, scheme) in [(&plain, "http"), (&encrypted, "https")] {
        let url = server.url_of("app");
        let mut known = known(secret(&url, &[("proxy", &proxy.url())]));
        known
            .authorities
            .insert("127.0.0.1".to_owned(), Arc::from(certificate.as_str()));
        let through = reached(&known, &url).unwrap();
        assert_eq!(
            bench.read(&through, "main", "a.yaml").await.unwrap(),
            "x",
            "{scheme}"
        );
        assert!(proxy.asked().contains(&host(&url)), "{scheme}");
    }
    let url = plain.url_of("app");
    let past = with_secret(&url, &[("proxy", &proxy.url()), ("noProxy", "127.0.0.1")]);
    assert_eq!(bench.read(&past, "main", "a.yaml").await.unwrap(), "x");
    assert!(proxy.asked().is_empty());
    let gone = with_secret(&url, &[("proxy", "http://127.0.0.1:1")]);
    let error = message(bench.latest(&gone, "main").await);
    assert!(
        error.starts_with(&format!("{url}: unreachable: ")),
        "{error}"
    );
}
