//! A plan in words: names of items and what happens to them.
//! It must not print a value.

use std::collections::BTreeMap;
use std::fmt;

use crds::names::CHANGED;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Plan, Write, entries, owners};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.write {
            Write::Nothing => {}
            Write::Create(secret) => {
                writeln!(f, "create Secret {}", place(secret))?;
                items(f, &None, &secret.data)?;
            }
            Write::Update { new, old } => {
                writeln!(f, "update Secret {}", place(new))?;
                items(f, &old.data, &new.data)?;
                metadata(f, &old.metadata, &new.metadata)?;
            }
        }
        match &self.refusal {
            Some(reason) => writeln!(f, "refused: {reason}"),
            None => Ok(()),
        }
    }
}

/// Names of items with what happens to them; never their values.
fn items(
    f: &mut fmt::Formatter<'_>,
    old: &Option<BTreeMap<String, ByteString>>,
    new: &Option<BTreeMap<String, ByteString>>,
) -> fmt::Result {
    let (none_old, none_new) = (BTreeMap::new(), BTreeMap::new());
    let (old, new) = (
        old.as_ref().unwrap_or(&none_old),
        new.as_ref().unwrap_or(&none_new),
    );
    for (key, value) in new {
        match old.get(key) {
            None => writeln!(f, "  item {key} added")?,
            Some(other) if other != value => writeln!(f, "  item {key} changed")?,
            Some(_) => {}
        }
    }
    old.keys()
        .filter(|key| !new.contains_key(*key))
        .try_for_each(|key| writeln!(f, "  item {key} removed"))
}

fn metadata(f: &mut fmt::Formatter<'_>, old: &ObjectMeta, new: &ObjectMeta) -> fmt::Result {
    let differs = [
        ("labels", entries(&old.labels) != entries(&new.labels)),
        ("annotations", said(old) != said(new)),
        ("owners", owners(old) != owners(new)),
    ];
    differs
        .iter()
        .filter(|(_, differs)| *differs)
        .try_for_each(|(field, _)| writeln!(f, "  {field} changed"))
}

/// What is noted about changed items follows from the items.
fn said(metadata: &ObjectMeta) -> Vec<(&String, &String)> {
    let mut annotations = entries(&metadata.annotations);
    annotations.retain(|(key, _)| *key != CHANGED);
    annotations
}

fn place(secret: &Secret) -> String {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    format!(
        "{}/{}",
        part(&secret.metadata.namespace),
        part(&secret.metadata.name)
    )
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Create(secret) => write!(f, "Create({})", place(secret)),
            Self::Update { new, .. } => write!(f, "Update({})", place(new)),
        }
    }
}
