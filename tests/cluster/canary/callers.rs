//! What callers bring to the controller: webhooks with right and wrong secrets, and bodies that are none of its business.
//! It looks into the answers alone.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::json;

use crate::canaries::Canaries;
use crate::harness::{Controller, Port, equal, eventually, send};
use crate::scene::Scene;
use crate::search::Search;
use crate::sources::apply;

pub(crate) fn call(
    scene: &Scene,
    controller: &Controller,
    canaries: &Canaries,
    search: &mut Search<'_>,
) {
    webhooks(scene, controller, canaries, search);
    sealing(scene, controller, canaries, search);
    diff(scene, controller, canaries, search);
}

/// Of each way to prove that one knows the secret: once with the right one, once with a wrong one.
fn webhooks(scene: &Scene, controller: &Controller, canaries: &Canaries, search: &mut Search<'_>) {
    let of = |place: &str| canaries.value(place);
    apply(
        scene,
        &json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "argocd-secret", "namespace": scene.own},
            "stringData": {
                "webhook.gitea.secret": of("a secret of a webhook"),
                "webhook.gitlab.secret": of("a token of a webhook"),
                "webhook.azuredevops.username": "signet",
                "webhook.azuredevops.password": of("a password of a webhook"),
            },
        }),
    );
    let login = format!("://signet:{}@", of("a login in a webhook"));
    let url = scene.repository.url().replacen("://", &login, 1);
    let gitea = json!({"repository": {"clone_url": url}}).to_string();
    let gitlab = json!({"project": {"git_http_url": url}}).to_string();
    let azure = json!({"eventType": "git.push", "resource": {"repository": {"remoteUrl": url}}})
        .to_string();
    let senders = [
        (
            ("X-Gitea-Event", "push"),
            SIGNATURE,
            "a secret of a webhook",
            gitea,
        ),
        (
            ("X-Gitlab-Event", "Push Hook"),
            "X-Gitlab-Token",
            "a token of a webhook",
            gitlab,
        ),
        (
            ("X-VSS-ActivityId", "1"),
            BASIC,
            "a password of a webhook",
            azure,
        ),
    ];
    let webhook = format!("{}/api/webhook", controller.url(Port::Web));
    for (event, header, place, body) in senders {
        for (secret, status) in [(of(place), 200), (of("a wrong secret of a webhook"), 403)] {
            let proof = proof(header, secret, &body);
            let headers = [
                ("Content-Type", "application/json"),
                event,
                (header, proof.as_str()),
            ];
            let answer = eventually(&format!("a webhook is answered with {status}"), || {
                let (found, answer) = send(&webhook, &headers, &body)?;
                equal(&found, &status).map(|()| answer)
            });
            search.nothing_in("the answer to a webhook", answer);
        }
    }
}

const SIGNATURE: &str = "X-Gitea-Signature";
const BASIC: &str = "Authorization";

/// What stands in this header of somebody who knows the secret.
fn proof(header: &str, secret: &str, body: &str) -> String {
    match header {
        SIGNATURE => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            let tag = hmac::sign(&key, body.as_bytes());
            tag.as_ref().iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
        }
        BASIC => format!(
            "Basic {}",
            BASE64_STANDARD.encode(format!("signet:{secret}"))
        ),
        _ => secret.to_owned(),
    }
}

/// A SealedSecret that is opened to be sealed anew, and a Secret that nobody sealed.
fn sealing(scene: &Scene, controller: &Controller, canaries: &Canaries, search: &mut Search<'_>) {
    let sealed = scene.seal(controller, "db", canaries.value("a sealed value"));
    let plain = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": scene.to},
        "stringData": {"password": canaries.value("a Secret for the sealing API")},
    });
    for path in ["/v1/verify", "/v1/rotate"] {
        let url = format!("{}{path}", controller.url(Port::Sealing));
        for (body, expected) in [(sealed.clone(), 200), (plain.to_string(), 500)] {
            let (status, answer) = send(&url, &[], &body).expect("an answer");
            assert_eq!(status, expected, "{path}: {answer}");
            search.nothing_in(path, answer);
        }
    }
}

/// A question of somebody who can't prove that they may ask it.
fn diff(scene: &Scene, controller: &Controller, canaries: &Canaries, search: &mut Search<'_>) {
    let application = format!("{}/app", scene.own);
    // A proof has this length.
    let proof = format!("{:x<64}", canaries.value("a proof of a diff"));
    let headers = [
        ("signet-application", application.as_str()),
        ("signet-proof", proof.as_str()),
    ];
    let url = format!("{}/api/diff", controller.url(Port::Web));
    let (status, answer) = send(&url, &headers, r#"{"sync": {}}"#).expect("an answer");
    assert_eq!(status, 409, "{answer}");
    search.nothing_in("/api/diff", answer);
}
