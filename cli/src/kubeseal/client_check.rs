//! What client-go finds wrong with a user and a cluster of a kubeconfig, in its words.
//! Must not read more of a file than that it can be opened.

use std::fs::File;

use kube::config::{AuthInfo, Cluster};

use super::go_text::{quote, system_error};

/// Said of a cluster of which nothing is known.
pub(super) const EMPTY_CLUSTER: &str = "cluster has no server defined";

fn is_said(field: Option<&String>) -> bool {
    field.is_some_and(|text| !text.is_empty())
}

pub(super) fn user(name: &str, user: &AuthInfo) -> Vec<String> {
    let mut problems = client_certificate(name, user);
    let has_token = user.token.is_some();
    let has_password = is_said(user.username.as_ref()) || user.password.is_some();
    if has_token && has_password {
        problems.push(format!(
            "more than one authentication method found for {name}; found [token basicAuth], only one is allowed"
        ));
    }
    let asks_for_more = is_said(user.impersonate_uid.as_ref())
        || user
            .impersonate_groups
            .as_ref()
            .is_some_and(|groups| !groups.is_empty())
        || user
            .impersonate_user_extra
            .as_ref()
            .is_some_and(|extra| !extra.is_empty());
    if asks_for_more && !is_said(user.impersonate.as_ref()) {
        problems.push(format!(
            "requesting uid, groups or user-extra for {name} without impersonating a user"
        ));
    }
    problems
}

fn client_certificate(name: &str, user: &AuthInfo) -> Vec<String> {
    let mut problems = Vec::new();
    if !is_said(user.client_certificate.as_ref()) && !is_said(user.client_certificate_data.as_ref())
    {
        return problems;
    }
    if !is_said(user.client_key.as_ref()) && user.client_key_data.is_none() {
        problems.push(format!(
            "client-key-data or client-key must be specified for {name} to use the clientCert authentication method."
        ));
    }
    problems.extend(unreadable(
        "client-cert",
        name,
        user.client_certificate.as_ref(),
    ));
    problems.extend(unreadable("client-key", name, user.client_key.as_ref()));
    problems
}

/// `is_unknown`: a flag names a cluster that is in no file.
pub(super) fn cluster(name: &str, cluster: &Cluster, is_unknown: bool) -> Vec<String> {
    let mut problems = Vec::new();
    let is_empty = !is_said(cluster.server.as_ref())
        && !is_said(cluster.proxy_url.as_ref())
        && !is_said(cluster.tls_server_name.as_ref())
        && !is_said(cluster.certificate_authority.as_ref())
        && !is_said(cluster.certificate_authority_data.as_ref())
        && !cluster.insecure_skip_tls_verify.unwrap_or(false)
        && !cluster.disable_compression.unwrap_or(false);
    if is_empty && !is_unknown {
        problems.push(EMPTY_CLUSTER.to_owned());
        return problems;
    }
    if !is_said(cluster.server.as_ref()) {
        problems.push(match name {
            "" => "default cluster has no server defined".to_owned(),
            name => format!("no server found for cluster {}", quote(name)),
        });
    }
    if let Some(proxy) = cluster.proxy_url.as_ref().filter(|proxy| !proxy.is_empty()) {
        let scheme = proxy.split_once("://").map_or("", |(scheme, _)| scheme);
        if !matches!(scheme, "http" | "https" | "socks5") {
            problems.push(format!(
                "invalid 'proxy-url' {} for cluster {}: unsupported scheme {}, must be http, https, or socks5",
                quote(proxy),
                quote(name),
                quote(scheme)
            ));
        }
    }
    problems.extend(unreadable(
        "certificate-authority",
        name,
        cluster.certificate_authority.as_ref(),
    ));
    problems
}

fn unreadable(what: &str, name: &str, path: Option<&String>) -> Option<String> {
    let path = path.filter(|path| !path.is_empty())?;
    let error = File::open(path).err()?;
    let reason = system_error(&error);
    Some(format!(
        "unable to read {what} {path} for {name} due to open {path}: {reason}"
    ))
}
