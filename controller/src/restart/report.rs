//! What is told of a workload that was started anew, or could not be.
//! It names Secrets and items and never a value.

use std::collections::{BTreeMap, BTreeSet};

use crate::events::{Component, Event, EventType};

/// Its Pods are started anew.
pub(super) fn restarted(changed: &BTreeMap<String, BTreeSet<String>>) -> Event {
    let of = |(secret, items): (&String, &BTreeSet<String>)| {
        let items: Vec<_> = items.iter().map(String::as_str).collect();
        format!("{secret} ({})", items.join(", "))
    };
    let secrets: Vec<_> = changed.iter().map(of).collect();
    let secrets = secrets.join(", ");
    Event {
        type_: EventType::Normal,
        component: Component::Signet,
        reason: "Restarted",
        message: format!("started its Pods anew, since Secrets have changed: {secrets}"),
    }
}

/// They are not.
pub(super) fn failed(error: &str) -> Event {
    Event {
        type_: EventType::Warning,
        component: Component::Signet,
        reason: "RestartFailed",
        message: format!("can't note which Secrets its Pods were started with: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_the_items_that_have_changed() {
        let items = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        let changed = [
            ("db".to_owned(), items(&["password", "user"])),
            ("tls".to_owned(), items(&["tls.key"])),
        ];
        assert_eq!(
            restarted(&changed.into()).message,
            "started its Pods anew, since Secrets have changed: db (password, user), tls (tls.key)"
        );
    }
}
