//! The Secrets of an Application, and who has to do with each: where Git has it, which key opens it, what uses it.
//! It must not hold a value of one.

use std::collections::BTreeMap;

use super::Sides;
use super::answer::Secret;
use crate::sync::desired::Desired;
use crate::sync::desired::consumers::secrets_used;
use crate::sync::engine::Engine;
use crate::sync::key::ObjectKey;
use crate::sync::plan::order::is_sealed_secret;

impl Engine {
    /// Every wanted Secret and SealedSecret.
    pub(super) async fn secrets(
        &self,
        desired: &Desired,
        sides: &BTreeMap<ObjectKey, Sides>,
    ) -> Vec<Secret> {
        let mut secrets = known(desired, sides);
        for (key, secret) in &mut secrets {
            if let Some(wanted) = desired.objects.get(key).filter(|_| is_sealed_secret(key)) {
                secret.opened_by = self.opened_by(&wanted.object).await;
            }
        }
        secrets.into_values().collect()
    }
}

/// All but the keys.
fn known(desired: &Desired, sides: &BTreeMap<ObjectKey, Sides>) -> BTreeMap<ObjectKey, Secret> {
    let mut users: BTreeMap<(Option<&str>, &str), Vec<String>> = BTreeMap::new();
    let objects = desired
        .objects
        .values()
        .map(|wanted| (wanted, wanted.key.to_string()));
    let hooks = desired
        .hooks
        .values()
        .map(|hook| (&hook.wanted, hook.id.to_string()));
    for (wanted, user) in objects.chain(hooks) {
        for name in secrets_used(&wanted.object, &wanted.key) {
            let secret = (wanted.key.namespace(), name);
            users.entry(secret).or_default().push(user.clone());
        }
    }
    let is_secret = |key: &ObjectKey| is_sealed_secret(key) || key.is("", "Secret");
    let secrets = desired
        .objects
        .values()
        .filter(|wanted| is_secret(&wanted.key));
    let secret = |key: &ObjectKey, origin: String| Secret {
        kind: key.kind().to_owned(),
        namespace: key.namespace().map(str::to_owned),
        name: key.name().to_owned(),
        origin,
        opened_by: Vec::new(),
        used_by: users
            .get(&(key.namespace(), key.name()))
            .cloned()
            .unwrap_or_default(),
        last_change: sides.get(key).and_then(|sides| sides.applied.clone()),
    };
    secrets
        .map(|wanted| {
            (
                wanted.key.clone(),
                secret(&wanted.key, wanted.origin.to_string()),
            )
        })
        .collect()
}
