//! Which wanted SealedSecrets stand behind the Secrets that objects and hooks use.
//! A Secret that no wanted SealedSecret makes is nobody's business here.

use std::collections::BTreeSet;

use super::{Desired, Wanted, consumers::secrets_used};
use crate::sync::key::{GroupKind, ObjectKey};
use crate::sync::plan::order::is_sealed_secret;

pub(super) fn link_secrets(desired: &mut Desired) {
    let keys = desired.objects.keys();
    let there: BTreeSet<ObjectKey> = keys.filter(|key| is_sealed_secret(key)).cloned().collect();
    let used = |wanted: &Wanted| -> BTreeSet<ObjectKey> {
        let sealed = sealed_secrets(wanted);
        sealed.filter(|key| there.contains(key)).collect()
    };
    let uses = desired.objects.iter();
    let uses = uses.map(|(key, wanted)| (key.clone(), used(wanted)));
    desired.uses = uses.filter(|(_, secrets)| !secrets.is_empty()).collect();
    for hook in desired.hooks.values_mut() {
        hook.secrets = used(&hook.wanted);
    }
}

/// The SealedSecrets, wanted or not, that would make the Secrets which an object uses.
fn sealed_secrets(wanted: &Wanted) -> impl Iterator<Item = ObjectKey> {
    use crds::names::sealed_secret::{GROUP, KIND};
    let kind = GroupKind::new(GROUP, KIND);
    let names = secrets_used(&wanted.object, &wanted.key).into_iter();
    names.map(move |name| ObjectKey::new(&kind, wanted.key.namespace(), name))
}
