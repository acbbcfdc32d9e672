//! Items that would be different each time they are rendered: `randAlphaNum`, `genCA`, `now` and their kin.
//! They are rendered once and stay while what they were made from stays; it must not look at any other item.

use std::collections::BTreeMap;

use crds::names::RENDERED;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use sealing::Rendering;

/// Puts the values that the Secret has into the wanted one, where they came of the same rendering; and the digest by
/// which this is known the next time.
///
/// A Secret without a digest was written by upstream's controller. Its values stay too where the SealedSecret is known to
/// be in effect as it is, and without a write.
pub(super) fn keep(
    wanted: &mut Secret,
    rendering: &Rendering,
    existing: Option<&Secret>,
    settled: bool,
) {
    let annotations = existing.and_then(|secret| secret.metadata.annotations.as_ref());
    let noted = annotations.and_then(|annotations| annotations.get(RENDERED));
    let live = existing.and_then(|secret| secret.data.as_ref());
    let fits = match (digest(rendering, live), noted) {
        (Some(digest), Some(noted)) => digest == *noted,
        (Some(_), None) => settled,
        (None, _) => false,
    };
    if let Some(live) = live.filter(|_| fits) {
        let kept = live
            .iter()
            .filter(|(item, _)| rendering.items().contains(*item));
        let kept = kept.map(|(item, value)| (item.clone(), value.clone()));
        wanted.data.get_or_insert_default().extend(kept);
        if noted.is_none() {
            return;
        }
    }
    if let Some(digest) = digest(rendering, wanted.data.as_ref()) {
        let annotations = wanted.metadata.annotations.get_or_insert_default();
        annotations.insert(RENDERED.to_owned(), digest);
    }
}

fn digest(rendering: &Rendering, data: Option<&BTreeMap<String, ByteString>>) -> Option<String> {
    rendering.digest(|item| data?.get(item).map(|value| value.0.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendering(source: &str) -> Rendering {
        let items = ["token".to_owned()].into();
        Rendering::new(items, [("token", source.as_bytes())].into_iter()).unwrap()
    }

    fn secret(items: &[(&str, &str)]) -> Secret {
        let item = |(key, value): &(&str, &str)| {
            ((*key).to_owned(), ByteString(value.as_bytes().to_vec()))
        };
        Secret {
            data: Some(items.iter().map(item).collect()),
            ..Secret::default()
        }
    }

    /// What `keep` makes of a newly rendered token beside a user who is renamed.
    fn kept(source: &str, existing: Option<&Secret>, settled: bool) -> Secret {
        let mut wanted = secret(&[("token", "new"), ("user", "bob")]);
        keep(&mut wanted, &rendering(source), existing, settled);
        wanted
    }

    fn item<'a>(secret: &'a Secret, key: &str) -> &'a [u8] {
        &secret.data.as_ref().unwrap()[key].0
    }

    fn written() -> Secret {
        let mut first = secret(&[("token", "old"), ("user", "ann")]);
        keep(&mut first, &rendering("a"), None, false);
        first
    }

    #[test]
    fn what_was_rendered_from_the_same_stays_and_the_rest_follows() {
        let again = kept("a", Some(&written()), false);
        assert_eq!(
            (item(&again, "token"), item(&again, "user")),
            (&b"old"[..], &b"bob"[..])
        );
        assert_eq!(again.metadata.annotations, written().metadata.annotations);
    }

    #[test]
    fn another_source_or_another_value_is_rendered_anew() {
        assert_eq!(item(&kept("b", Some(&written()), true), "token"), b"new");
        let mut tampered = written();
        tampered
            .data
            .as_mut()
            .unwrap()
            .insert("token".to_owned(), ByteString(b"x".to_vec()));
        assert_eq!(item(&kept("a", Some(&tampered), true), "token"), b"new");
        assert_eq!(
            item(&kept("a", Some(&secret(&[("user", "ann")])), true), "token"),
            b"new"
        );
    }

    #[test]
    fn what_upstream_rendered_stays_while_its_sealed_secret_is_in_effect() {
        let upstream = secret(&[("token", "old"), ("user", "ann")]);
        let taken = kept("a", Some(&upstream), true);
        assert_eq!(
            (item(&taken, "token"), &taken.metadata.annotations),
            (&b"old"[..], &None)
        );
        assert_eq!(item(&kept("a", Some(&upstream), false), "token"), b"new");
    }
}
