//! TLS: whom we trust, and who we say we are.

use crate::{bench::{Bench, message, open}, server::GitServer};

#[tokio::test]
async fn over_https_only_a_trusted_certificate_will_do() {
    let bench = Bench::new();
    bench.origin("app").commit(&[("a.yaml", "x")]);
    let (server, certificate) = GitServer::start_tls(bench.root.clone());
    let url = format!("{}/app.git", server.url);
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
            "in_a_process_that_trusts_the_certificate",
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
#[ignore = "over_https_only_a_trusted_certificate_will_do runs it"]
async fn in_a_process_that_trusts_the_certificate() {
    let url = std::env::var(TRUSTING).unwrap();
    let content = Bench::new().read(&open(&url), "main", "a.yaml").await;
    assert_eq!(content.unwrap(), "x");
}
