//! Every flag of kubeseal: its own, kubectl's, and those of the logging library, in the order in which help lists them.
//! Names, kinds and defaults are the contract; the descriptions are ours.

use super::flag_value::Kind;

/// One flag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    pub(super) name: &'static str,
    pub(super) shorthand: Option<u8>,
    pub(super) kind: Kind,
    /// As help shows it; empty for what needs no mention.
    pub(super) default: &'static str,
    pub(super) help: &'static str,
    /// Name of the flag whose value this one sets: its own, except for an alias.
    pub(super) variable: &'static str,
    /// What to use instead. Such a flag is not listed.
    pub(super) deprecated: Option<&'static str>,
}

impl Flag {
    /// `-n, --namespace`, as in messages.
    pub(super) fn spelling(&self) -> String {
        match self.shorthand {
            Some(letter) => format!("-{}, --{}", char::from(letter), self.name),
            None => format!("--{}", self.name),
        }
    }

    /// Options of the logging library are not read from the environment.
    pub(super) fn has_variable(&self) -> bool {
        !self.kind.is_log_option()
    }
}

const fn flag(name: &'static str, kind: Kind, help: &'static str) -> Flag {
    Flag {
        name,
        shorthand: None,
        kind,
        default: "",
        help,
        variable: name,
        deprecated: None,
    }
}

const fn short(letter: u8, flag: Flag) -> Flag {
    Flag {
        shorthand: Some(letter),
        ..flag
    }
}

const fn default(default: &'static str, flag: Flag) -> Flag {
    Flag { default, ..flag }
}

/// What every option of the logging library does here.
const NOTHING_IS_LOGGED: &str = "Accepted and without effect: nothing is logged";

pub(super) static FLAGS: [Flag; 55] = [
    flag("add_dir_header", Kind::LogSwitch, NOTHING_IS_LOGGED),
    flag(
        "allow-empty-data",
        Kind::Switch,
        "Seal a Secret without a single item too",
    ),
    flag("alsologtostderr", Kind::LogSwitch, NOTHING_IS_LOGGED),
    flag(
        "alsologtostderrthreshold",
        Kind::LogSeverity,
        NOTHING_IS_LOGGED,
    ),
    flag(
        "as",
        Kind::Text,
        "Ask the API server in the name of this user",
    ),
    flag(
        "as-group",
        Kind::StringArray,
        "Ask the API server as a member of this group; may be repeated",
    ),
    flag(
        "as-uid",
        Kind::Text,
        "Ask the API server in the name of the user with this UID",
    ),
    flag(
        "cert",
        Kind::Text,
        "Seal with the certificate in this file or at this URL, and do not ask the cluster for one",
    ),
    flag(
        "certificate-authority",
        Kind::Text,
        "Trust an API server whose certificate is signed by one in this file",
    ),
    flag(
        "client-certificate",
        Kind::Text,
        "Show the API server the client certificate in this file",
    ),
    flag(
        "client-key",
        Kind::Text,
        "Prove the client certificate with the private key in this file",
    ),
    flag("cluster", Kind::Text, "Use this cluster of the kubeconfig"),
    flag("context", Kind::Text, "Use this context of the kubeconfig"),
    default(
        "sealed-secrets-controller",
        flag(
            "controller-name",
            Kind::Text,
            "Reach the controller through the Service of this name",
        ),
    ),
    default(
        "kube-system",
        flag(
            "controller-namespace",
            Kind::Text,
            "Look for the controller's Service in this namespace",
        ),
    ),
    flag(
        "disable-compression",
        Kind::Switch,
        "Do not ask the API server for compressed answers",
    ),
    flag(
        "fetch-cert",
        Kind::Switch,
        "Print the certificate instead of sealing, to be used with --cert later",
    ),
    short(
        b'o',
        default("json", flag("format", Kind::Text, "Write json or yaml")),
    ),
    flag(
        "from-file",
        Kind::Strings,
        "With --raw: seal the content of this file, written as PATH or KEY=PATH; the key does not matter",
    ),
    flag("help", Kind::Switch, "Print this list"),
    flag(
        "insecure-skip-tls-verify",
        Kind::Switch,
        "Trust the API server whatever certificate it shows. Who sits between reads and changes everything",
    ),
    flag(
        "kubeconfig",
        Kind::Text,
        "Use this kubeconfig file instead of $KUBECONFIG or ~/.kube/config",
    ),
    default(
        "true",
        flag(
            "legacy_stderr_threshold_behavior",
            Kind::LogSwitch,
            NOTHING_IS_LOGGED,
        ),
    ),
    default(
        ":0",
        flag("log_backtrace_at", Kind::LogLocation, NOTHING_IS_LOGGED),
    ),
    flag("log_dir", Kind::LogPath, NOTHING_IS_LOGGED),
    flag("log_file", Kind::LogPath, NOTHING_IS_LOGGED),
    default(
        "1800",
        flag("log_file_max_size", Kind::LogSize, NOTHING_IS_LOGGED),
    ),
    default(
        "true",
        flag("logtostderr", Kind::LogSwitch, NOTHING_IS_LOGGED),
    ),
    flag(
        "merge-into",
        Kind::Text,
        "Seal the items of the input into this SealedSecret file, in place",
    ),
    flag(
        "name",
        Kind::Text,
        "Seal under this name instead of the one in the input; --raw in strict scope needs it",
    ),
    short(
        b'n',
        flag(
            "namespace",
            Kind::Namespace,
            "Seal for this namespace; refuse a Secret of another one",
        ),
    ),
    flag("one_output", Kind::LogSwitch, NOTHING_IS_LOGGED),
    flag(
        "password",
        Kind::Text,
        "Sign in to the API server with this password",
    ),
    flag(
        "proxy-url",
        Kind::Text,
        "Reach the API server through this proxy",
    ),
    flag(
        "raw",
        Kind::Switch,
        "Seal one value as it is, and print it in base64",
    ),
    flag(
        "re-encrypt",
        Kind::Switch,
        "Have the controller bring SealedSecrets to its newest key; --secret-file is changed in place",
    ),
    flag(
        "recovery-private-key",
        Kind::Strings,
        "With --recovery-unseal: open with the keys in this file, a PEM file or key Secrets as YAML or JSON; may be repeated",
    ),
    flag(
        "recovery-unseal",
        Kind::Switch,
        "Unseal without a cluster, with the keys in --recovery-private-key. The output is plain text",
    ),
    default(
        "0",
        flag(
            "request-timeout",
            Kind::Text,
            "Give up on a request after this time, such as 30s or 2m; 0 waits for ever",
        ),
    ),
    Flag {
        variable: "re-encrypt",
        deprecated: Some("please use --re-encrypt instead"),
        ..flag("rotate", Kind::Switch, "")
    },
    default(
        "strict",
        flag(
            "scope",
            Kind::Scope,
            "Say where the result may be opened: strict (this name in this namespace), namespace-wide (any name in this namespace) or cluster-wide (anywhere). With strict, annotations of the input may widen it",
        ),
    ),
    short(
        b'w',
        flag(
            "sealed-secret-file",
            Kind::Text,
            "Write this file instead of standard output, once all went well; .yaml and .yml mean --format yaml",
        ),
    ),
    short(
        b'f',
        flag(
            "secret-file",
            Kind::Text,
            "Read this file instead of standard input",
        ),
    ),
    flag("server", Kind::Text, "Ask the API server at this address"),
    flag("skip_headers", Kind::LogSwitch, NOTHING_IS_LOGGED),
    flag("skip_log_headers", Kind::LogSwitch, NOTHING_IS_LOGGED),
    default(
        "2",
        flag("stderrthreshold", Kind::LogSeverity, NOTHING_IS_LOGGED),
    ),
    flag(
        "tls-server-name",
        Kind::Text,
        "Expect this name in the API server's certificate instead of the host's",
    ),
    flag(
        "token",
        Kind::Text,
        "Sign in to the API server with this bearer token",
    ),
    flag("user", Kind::Text, "Use this user of the kubeconfig"),
    flag(
        "username",
        Kind::Text,
        "Sign in to the API server as this user with --password",
    ),
    short(b'v', flag("v", Kind::LogLevel, NOTHING_IS_LOGGED)),
    flag(
        "validate",
        Kind::Switch,
        "Ask the controller whether it can open a SealedSecret",
    ),
    flag(
        "version",
        Kind::Switch,
        "Print which version of kubeseal this behaves as",
    ),
    flag("vmodule", Kind::LogModules, NOTHING_IS_LOGGED),
];
