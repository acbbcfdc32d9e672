//! Ours and kubeseal take the same way to the cluster: through the proxy that flag, kubeconfig or environment name, or past it.
//! The rules of `NO_PROXY` have unit tests beside their code.

use std::collections::BTreeSet;
use std::process::Command;

use crate::harness::{ForwardProxy, Output, Testbed, run, signet_program, unique};
use crate::upstream;

/// Names in an environment that choose a proxy.
const VARIABLES: [&str; 6] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// A way to the cluster: flags and environment, `{proxy}` being the proxy, and whether it leads through it.
struct Way {
    flags: &'static str,
    environment: &'static [(&'static str, &'static str)],
    is_proxied: bool,
}

const WAYS: [Way; 9] = [
    Way {
        flags: "",
        environment: &[],
        is_proxied: false,
    },
    Way {
        flags: "",
        environment: &[("HTTPS_PROXY", "{proxy}")],
        is_proxied: true,
    },
    Way {
        flags: "",
        environment: &[
            ("https_proxy", "{proxy}"),
            ("NO_PROXY", "localhost, .example.com"),
        ],
        is_proxied: true,
    },
    Way {
        flags: "",
        environment: &[("HTTPS_PROXY", "{proxy}"), ("NO_PROXY", "10.200.0.0/16")],
        is_proxied: false,
    },
    // It is the server that is exempt or not, wherever the proxy is.
    Way {
        flags: "",
        environment: &[("HTTPS_PROXY", "{proxy}"), ("no_proxy", "127.0.0.0/8")],
        is_proxied: true,
    },
    // The API server speaks https.
    Way {
        flags: "",
        environment: &[("HTTP_PROXY", "{proxy}")],
        is_proxied: false,
    },
    Way {
        flags: "--proxy-url {proxy}",
        environment: &[],
        is_proxied: true,
    },
    Way {
        flags: "--proxy-url {proxy}",
        environment: &[("HTTPS_PROXY", "http://127.0.0.1:1"), ("NO_PROXY", "*")],
        is_proxied: true,
    },
    Way {
        flags: "--kubeconfig {kubeconfig}",
        environment: &[("NO_PROXY", "*")],
        is_proxied: true,
    },
];

struct Scene {
    proxy: ForwardProxy,
    /// Names the proxy beside the server.
    kubeconfig: String,
    /// Host and port of the API server.
    server: String,
}

impl Scene {
    fn new(testbed: &Testbed) -> Self {
        let proxy = ForwardProxy::start();
        let kubeconfig = testbed.path(&format!("proxied-{}.kubeconfig", unique()));
        std::fs::copy(testbed.kubeconfig(), &kubeconfig).expect("the testbed's folder is writable");
        let kubeconfig = kubeconfig.display().to_string();
        let file = format!("--kubeconfig={kubeconfig}");
        let read = |path: &str| {
            let path = format!("--output=jsonpath={path}");
            testbed.kubectl(&["config", "view", "--minify", &path])
        };
        let cluster = read("{.clusters[0].name}");
        let named = format!("--proxy-url={}", proxy.url());
        testbed.kubectl(&["config", &file, "set-cluster", &cluster, &named]);
        let server = read("{.clusters[0].cluster.server}");
        Self {
            proxy,
            kubeconfig,
            server: server.trim_start_matches("https://").to_owned(),
        }
    }

    fn filled(&self, text: &str) -> String {
        text.replace("{proxy}", &self.proxy.url())
            .replace("{kubeconfig}", &self.kubeconfig)
    }

    /// Runs a program on this way. Whom was the proxy asked for?
    #[track_caller]
    fn take(&self, way: &Way, command: &mut Command) -> (Output, BTreeSet<String>) {
        for name in VARIABLES {
            command.env_remove(name);
        }
        let environment = way.environment.iter();
        command.envs(environment.map(|(name, value)| (name, self.filled(value))));
        let output = run(command, None);
        (output, self.proxy.asked())
    }
}

#[test]
fn the_way_to_the_cluster_is_kubeseals() {
    let scene = Scene::new(upstream());
    for way in &WAYS {
        let flags = scene.filled(way.flags);
        let asked = match way.is_proxied {
            true => BTreeSet::from([scene.server.clone()]),
            false => BTreeSet::new(),
        };
        let told = format!("{flags} {:?}", way.environment);
        let mut ours = Command::new(signet_program());
        let commands = [Command::new("kubeseal"), {
            ours.arg("kubeseal");
            ours
        }];
        for mut command in commands {
            command.arg("--fetch-cert").args(flags.split_whitespace());
            let (output, seen) = scene.take(way, &mut command);
            assert!(output.success().contains("BEGIN CERTIFICATE"), "{told}");
            assert_eq!(seen, asked, "{told}: {command:?}");
        }
    }
}

#[test]
fn signets_own_commands_take_the_same_way() {
    let scene = Scene::new(upstream());
    for way in WAYS.iter().filter(|way| !way.flags.contains("--proxy-url")) {
        let mut command = Command::new(signet_program());
        let flags = scene.filled(way.flags);
        command
            .args(["cert", "fetch"])
            .args(flags.split_whitespace());
        let (output, asked) = scene.take(way, &mut command);
        assert!(output.success().contains("BEGIN CERTIFICATE"));
        assert_eq!(!asked.is_empty(), way.is_proxied, "{:?}", way.environment);
    }
}

#[test]
fn a_certificate_at_a_url_is_fetched_through_the_proxy_of_its_scheme() {
    let testbed = upstream();
    let scene = Scene::new(testbed);
    let url = format!("{}/nothing-here.pem", testbed.git);
    let address = testbed.git.trim_start_matches("http://").to_owned();
    let refusal = format!("error: cannot fetch \"{url}\": 404 Not Found\n");
    let ways = [
        (&[("http_proxy", "{proxy}")][..], true),
        (&[("HTTPS_PROXY", "{proxy}")][..], false),
        (
            &[("HTTP_PROXY", "{proxy}"), ("NO_PROXY", "10.200.0.1")][..],
            false,
        ),
    ];
    for (environment, is_proxied) in ways {
        let way = Way {
            flags: "",
            environment,
            is_proxied,
        };
        let mut ours = Command::new(signet_program());
        ours.arg("kubeseal");
        for mut command in [Command::new("kubeseal"), ours] {
            command.args(["--fetch-cert", "--cert", &url]);
            let (output, asked) = scene.take(&way, &mut command);
            assert_eq!((output.code, &output.stderr), (Some(1), &refusal));
            let expected = is_proxied.then(|| address.clone());
            assert_eq!(asked, expected.into_iter().collect(), "{environment:?}");
        }
    }
}

#[test]
fn a_proxy_that_is_away_is_named() {
    let scene = Scene::new(upstream());
    let ways = [
        ("--proxy-url http://127.0.0.1:1", &[][..]),
        ("", &[("HTTPS_PROXY", "http://127.0.0.1:1")]),
        (
            "--cert http://10.200.0.1/c.pem",
            &[("HTTP_PROXY", "127.0.0.1:1")],
        ),
    ];
    for (flags, environment) in ways {
        let way = Way {
            flags,
            environment,
            is_proxied: false,
        };
        let mut ours = Command::new(signet_program());
        ours.arg("kubeseal");
        let said = [Command::new("kubeseal"), ours].map(|mut command| {
            command.arg("--fetch-cert").args(flags.split_whitespace());
            scene.take(&way, &mut command).0.stderr
        });
        assert!(said[0].contains("proxyconnect tcp: dial tcp 127.0.0.1:1: connect"));
        assert_eq!(said[0], said[1]);
    }
}
