use k8s_openapi::{ByteString, api::core::v1::Secret};

use super::*;
use crate::dialect::repository_config::{REPOSITORY, REPOSITORY_CREDENTIALS, SECRET_TYPE};
use crate::repositories::ALLOW_LOCAL_ADDRESSES;

const URL: &str = "https://git.example/team/a";

fn labelled(name: &str, kind: &str, values: &[(&str, &str)]) -> Secret {
    let data = values
        .iter()
        .map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
    let mut secret = Secret {
        data: Some(data.collect()),
        ..Secret::default()
    };
    secret.metadata.name = Some(name.to_owned());
    secret.metadata.namespace = Some("signet".to_owned());
    secret.metadata.labels = Some(BTreeMap::from([(SECRET_TYPE.to_owned(), kind.to_owned())]));
    secret
}

fn entry(name: &str, values: &[(&str, &str)]) -> RepositorySecret {
    RepositorySecret::decode(&labelled(name, REPOSITORY, values)).unwrap()
}

fn template(name: &str, values: &[(&str, &str)]) -> RepositorySecret {
    RepositorySecret::decode(&labelled(name, REPOSITORY_CREDENTIALS, values)).unwrap()
}

fn basic(name: &str, url: &str, project: &str) -> RepositorySecret {
    let values = [
        ("url", url),
        ("username", "u"),
        ("password", "hunter2"),
        ("project", project),
    ];
    entry(name, &values)
}

fn known(secrets: &[RepositorySecret]) -> Known {
    Known {
        secrets: secrets.to_vec(),
        ..Known::default()
    }
}

fn access(url: &str, project: &str, secrets: &[RepositorySecret]) -> Result<Access, AccessError> {
    known(secrets).access(RepositoryKind::Git, url, project)
}

/// The Secret whose login is used, or the error.
fn used(url: &str, project: &str, secrets: &[RepositorySecret]) -> String {
    match access(url, project, secrets) {
        Ok(access) if access.login == Login::None => "none".to_owned(),
        Ok(access) => access.secret.unwrap_or_default(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_secret_serves_its_url_however_it_is_spelled() {
    let secrets = [basic("a", "https://git.example/a.git", "")];
    for url in [
        "https://git.example/a",
        "https://git.example/a.git/",
        "https://GIT.example:443/a.git",
    ] {
        assert_eq!(used(url, "default", &secrets), "signet/a");
    }
    assert_eq!(used("https://git.example/ab", "default", &secrets), "none");
    assert_eq!(used("http://git.example/a", "default", &secrets), "none");
}

#[test]
fn the_secret_of_the_project_wins_and_serves_no_other_project() {
    let secrets = [basic("all", URL, ""), basic("team", URL, "team")];
    assert_eq!(used(URL, "team", &secrets), "signet/team");
    assert_eq!(used(URL, "other", &secrets), "signet/all");
    assert_eq!(used(URL, "other", &secrets[1..]), "none");
}

#[test]
fn a_secret_of_another_kind_of_repository_does_not_count() {
    let charts = entry("c", &[("url", URL), ("type", "helm"), ("password", "x")]);
    assert_eq!(used(URL, "default", std::slice::from_ref(&charts)), "none");
    let helm = known(&[charts]).access(RepositoryKind::Helm, URL, "default");
    assert_eq!(helm.unwrap().secret.as_deref(), Some("signet/c"));
    let registry = entry(
        "r",
        &[
            ("url", "r.example/charts"),
            ("type", "helm"),
            ("enableOCI", "true"),
            ("insecureOCIForceHttp", "true"),
        ],
    );
    let oci = known(&[registry]).access(RepositoryKind::Oci, "oci://r.example/charts", "default");
    assert!(oci.unwrap().plain_http);
}

#[test]
fn a_template_serves_what_is_below_it_and_has_no_login_of_its_own() {
    let secrets = [
        template("host", &[("url", "https://git.example"), ("password", "x")]),
        template(
            "team",
            &[("url", "https://git.example/team"), ("password", "x")],
        ),
        template(
            "others",
            &[("url", "https://git.example/tea"), ("password", "x")],
        ),
        basic("own", "https://git.example/team/own", ""),
        entry(
            "bare",
            &[
                ("url", "https://git.example/team/bare"),
                ("proxy", "http://p:1"),
            ],
        ),
    ];
    for (url, expected) in [
        ("https://git.example/team/a", "signet/team"),
        ("https://git.example/teams/a", "signet/host"),
        ("https://git.example/team/own", "signet/own"),
        ("https://git.example/team/bare", "signet/team"),
        ("http://git.example/team/a", "none"),
        ("https://git.example.evil/team/a", "none"),
    ] {
        assert_eq!(used(url, "default", &secrets), expected, "{url}");
    }
    let bare = access("https://git.example/team/bare", "default", &secrets).unwrap();
    assert_eq!(bare.settings.as_deref(), Some("signet/bare"));
    assert!(bare.proxy.is_some(), "the repository's own settings stay");
}

#[test]
fn a_template_of_a_project_serves_no_other_project() {
    let values = [
        ("url", "https://git.example"),
        ("password", "x"),
        ("project", "team"),
    ];
    let secrets = [template("t", &values)];
    assert_eq!(used(URL, "team", &secrets), "signet/t");
    assert_eq!(used(URL, "other", &secrets), "none");
}

#[test]
fn what_is_not_honoured_or_contradicts_itself_is_refused_by_name() {
    for (values, problem) in [
        (
            &[("gcpServiceAccountKey", "hunter2")][..],
            "not supported yet: key gcpServiceAccountKey of Secret signet/a",
        ),
        (
            &[("enableLfs", "true")],
            "not supported yet: key enableLfs of Secret signet/a",
        ),
        (
            &[("password", "hunter2"), ("bearerToken", "hunter2")],
            "Secret signet/a: it holds both password and bearerToken",
        ),
        (
            &[("sshPrivateKey", "hunter2")],
            "Secret signet/a: key sshPrivateKey can not be used: it is not a private key in PEM",
        ),
        (
            &[("insecure", "perhaps")],
            "Secret signet/a: key insecure is neither true nor false",
        ),
        (
            &[("tlsClientCertData", "hunter2")],
            "Secret signet/a: it holds only one of tlsClientCertData and tlsClientCertKey",
        ),
        (
            &[
                ("tlsClientCertData", "hunter2"),
                ("tlsClientCertKey", "hunter2"),
            ],
            "Secret signet/a: tlsClientCertData and tlsClientCertKey are not a PEM certificate and its key",
        ),
        (
            &[("proxy", "://hunter2")],
            "Secret signet/a: key proxy is not the URL of a proxy",
        ),
    ] {
        let values: Vec<_> = [("url", URL)].iter().chain(values).copied().collect();
        let message = used(URL, "default", &[entry("a", &values)]);
        assert_eq!(message, format!("{URL}: {problem}"));
    }
    let harmless = [
        ("url", URL),
        ("insecure", "false"),
        ("enableLfs", "false"),
        ("name", "a"),
        ("type", "git"),
        ("depth", "1"),
        ("forceHttpBasicAuth", "true"),
    ];
    assert_eq!(used(URL, "default", &[entry("a", &harmless)]), "none");
}

#[test]
fn a_login_that_the_scheme_has_no_use_for_is_refused() {
    let url = "git@git.example:team/a";
    let password = entry("a", &[("url", url), ("password", "x")]);
    assert_eq!(
        used(url, "default", &[password]),
        "git@git.example:team/a: not supported yet: key password of Secret signet/a for a repository over ssh"
    );
    let name_alone = entry("a", &[("url", url), ("username", "git")]);
    assert_eq!(used(url, "default", &[name_alone]), "none");
}

#[test]
fn certificates_are_those_of_the_host_and_must_be_some() {
    let mut known = known(&[]);
    let access =
        |known: &Known| known.access(RepositoryKind::Git, "https://git.example:8443/a", "p");
    assert_eq!(access(&known).unwrap().tls.authorities, None);
    known
        .authorities
        .insert("git.example".to_owned(), Arc::from("nothing"));
    assert_eq!(
        access(&known).unwrap_err().to_string(),
        "https://git.example:8443/a: key git.example of ConfigMap argocd-tls-certs-cm holds no PEM certificate"
    );
    let pem = rcgen::generate_simple_self_signed(["git.example".to_owned()]).unwrap();
    let pem: Arc<str> = Arc::from(pem.cert.pem());
    known
        .authorities
        .insert("git.example".to_owned(), Arc::clone(&pem));
    assert_eq!(access(&known).unwrap().tls.authorities, Some(pem));
}

#[test]
fn host_keys_are_known_unless_the_secret_takes_any() {
    for key in ["insecure", "insecureIgnoreHostKey"] {
        let secret = entry("a", &[("url", URL), (key, "true")]);
        let access = access(URL, "default", &[secret]).unwrap();
        assert_eq!(access.host_keys, HostKeys::Any);
        assert_eq!(access.tls.insecure, key == "insecure");
    }
    let mut known = known(&[]);
    known.host_keys = Arc::from("h ssh-ed25519 AAAA");
    let access = known.access(RepositoryKind::Git, URL, "p").unwrap();
    assert_eq!(
        access.host_keys,
        HostKeys::Known(Arc::clone(&known.host_keys))
    );
}

#[test]
fn local_addresses_need_the_annotation_and_nothing_but_true() {
    for (value, allowed) in [("true", true), ("yes", false)] {
        let mut secret = labelled("a", REPOSITORY, &[("url", URL)]);
        let annotation = (ALLOW_LOCAL_ADDRESSES.to_owned(), value.to_owned());
        secret.metadata.annotations = Some(BTreeMap::from([annotation]));
        let secret = RepositorySecret::decode(&secret).unwrap();
        let access = access(URL, "default", &[secret]).unwrap();
        assert_eq!(access.allow_local_addresses, allowed);
    }
}

#[test]
fn nothing_confidential_is_in_a_debug_text() {
    let values = [
        ("url", URL),
        ("username", "hunter2"),
        ("password", "hunter2"),
        ("proxy", "http://hunter2:hunter2@proxy.example"),
    ];
    let secret = entry("a", &values);
    let access = access(URL, "default", std::slice::from_ref(&secret)).unwrap();
    for text in [format!("{secret:?}"), format!("{access:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}
