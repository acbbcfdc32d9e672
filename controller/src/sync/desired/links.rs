//! Which wanted SealedSecrets stand behind the Secrets that objects and hooks use.
//! A Secret that no wanted SealedSecret makes is nobody's business here.

use std::collections::BTreeSet;

use super::{Desired, Wanted, consumers::secrets_used};
use crate::sync::key::{GroupKind, ObjectKey};
use crate::sync::plan::order::is_sealed_secret;

pub(super) fn link_secrets(desired: &mut Desired) {
    let sealed = desired.objects.keys().filter(|key| is_sealed_secret(key));
    desired.users = sealed.map(|key| (key.clone(), BTreeSet::new())).collect();
    for (key, wanted) in &desired.objects {
        for sealed in sealed_secrets(wanted) {
            if let Some(users) = desired.users.get_mut(&sealed) {
                users.insert(key.clone());
                desired.uses.entry(key.clone()).or_default().insert(sealed);
            }
        }
    }
    for hook in desired.hooks.values_mut() {
        let wanted = sealed_secrets(&hook.wanted).filter(|key| desired.users.contains_key(key));
        let wanted = wanted.collect();
        hook.secrets = wanted;
    }
}

/// The SealedSecrets, wanted or not, that would make the Secrets which an object uses.
fn sealed_secrets(wanted: &Wanted) -> impl Iterator<Item = ObjectKey> {
    use crds::names::sealed_secret::{GROUP, KIND};
    let kind = GroupKind::new(GROUP, KIND);
    let names = secrets_used(&wanted.object, &wanted.key).into_iter();
    names.map(move |name| ObjectKey::new(&kind, wanted.key.namespace.as_deref(), name))
}
