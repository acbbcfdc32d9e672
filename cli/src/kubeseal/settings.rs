//! What a run of kubeseal is asked for, typed.
//! Must not check what belongs to a mode: the modes do.

use std::path::PathBuf;

use sealing::Scope;

use super::flags::Flags;

/// Everything that the flags say, apart from what only the parser needs.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) certificate: String,
    pub(super) controller_namespace: String,
    pub(super) controller_name: String,
    pub(super) format: String,
    pub(super) output: Option<PathBuf>,
    pub(super) input: Option<PathBuf>,
    pub(super) fetch_certificate: bool,
    pub(super) allow_empty_data: bool,
    pub(super) validate: bool,
    pub(super) merge_into: Option<PathBuf>,
    pub(super) raw: bool,
    pub(super) name: String,
    pub(super) from_file: Vec<String>,
    pub(super) scope: Scope,
    pub(super) re_encrypt: bool,
    pub(super) unseal: bool,
    pub(super) private_keys: Vec<PathBuf>,
    pub(super) cluster: Overrides,
}

/// kubectl's flags: what to use in place of what the kubeconfig says. Empty means: as the kubeconfig says.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    pub(super) kubeconfig: String,
    pub(super) context: String,
    pub(super) cluster: String,
    pub(super) user: String,
    pub(super) namespace: String,
    pub(super) server: String,
    pub(super) certificate_authority: String,
    pub(super) insecure: bool,
    pub(super) tls_server_name: String,
    pub(super) proxy: String,
    pub(super) disable_compression: bool,
    pub(super) client_certificate: String,
    pub(super) client_key: String,
    pub(super) token: String,
    pub(super) username: String,
    pub(super) password: String,
    pub(super) impersonate: String,
    pub(super) impersonate_uid: String,
    pub(super) impersonate_groups: Vec<String>,
    pub(super) timeout: String,
}

impl Settings {
    pub(super) fn new(flags: &Flags) -> Self {
        let path = |name| {
            Some(PathBuf::from(flags.text(name))).filter(|path| !path.as_os_str().is_empty())
        };
        Self {
            certificate: flags.text("cert"),
            controller_namespace: flags.text("controller-namespace"),
            controller_name: flags.text("controller-name"),
            format: flags.text("format"),
            output: path("sealed-secret-file"),
            input: path("secret-file"),
            fetch_certificate: flags.switch("fetch-cert"),
            allow_empty_data: flags.switch("allow-empty-data"),
            validate: flags.switch("validate"),
            merge_into: path("merge-into"),
            raw: flags.switch("raw"),
            name: flags.text("name"),
            from_file: flags.list("from-file"),
            scope: flags.text("scope").parse().unwrap_or_default(),
            re_encrypt: flags.switch("re-encrypt"),
            unseal: flags.switch("recovery-unseal"),
            private_keys: flags
                .list("recovery-private-key")
                .into_iter()
                .map(PathBuf::from)
                .collect(),
            cluster: Overrides::new(flags),
        }
    }
}

impl Overrides {
    fn new(flags: &Flags) -> Self {
        Self {
            kubeconfig: flags.text("kubeconfig"),
            context: flags.text("context"),
            cluster: flags.text("cluster"),
            user: flags.text("user"),
            namespace: flags.text("namespace"),
            server: flags.text("server"),
            certificate_authority: flags.text("certificate-authority"),
            insecure: flags.switch("insecure-skip-tls-verify"),
            tls_server_name: flags.text("tls-server-name"),
            proxy: flags.text("proxy-url"),
            disable_compression: flags.switch("disable-compression"),
            client_certificate: flags.text("client-certificate"),
            client_key: flags.text("client-key"),
            token: flags.text("token"),
            username: flags.text("username"),
            password: flags.text("password"),
            impersonate: flags.text("as"),
            impersonate_uid: flags.text("as-uid"),
            impersonate_groups: flags.list("as-group"),
            timeout: flags.text("request-timeout"),
        }
    }
}
