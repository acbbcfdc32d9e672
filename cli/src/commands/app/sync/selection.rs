//! Which objects a sync is asked for. Must not know what becomes of them.

use serde_json::{Value, json};

use crate::application::text;

/// What `--resource` says: an object, or all but that one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Only(Object),
    AllBut(Object),
}

/// An object as people name it; of any namespace where they name none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    group: String,
    kind: String,
    namespace: Option<String>,
    name: String,
}

/// A label and its value.
pub(super) type Label = (String, String);

/// Objects by name and label.
pub(super) struct Selection<'a> {
    pub(super) resources: &'a [Resource],
    pub(super) labels: &'a [Label],
}

impl Selection<'_> {
    pub(super) fn is_everything(&self) -> bool {
        self.resources.is_empty() && self.labels.is_empty()
    }

    /// The objects as a request lists them, where they are named one by one.
    pub(super) fn named(&self) -> Option<Vec<Value>> {
        let only = |resource: &Resource| match resource {
            Resource::Only(object) => Some(object.requested()),
            Resource::AllBut(_) => None,
        };
        match self.labels.is_empty() {
            true => self.resources.iter().map(only).collect(),
            false => None,
        }
    }

    /// Those of the objects of a diff that a sync would write or delete, as a request lists them.
    pub(super) fn of(&self, objects: &Value) -> Vec<Value> {
        let objects = objects.as_array().into_iter().flatten();
        let chosen = objects.filter(|object| {
            let differs = ["create", "update", "delete"].contains(&text(object, "change"));
            differs && self.covers(object)
        });
        chosen
            .map(|object| Object::of(object).requested())
            .collect()
    }

    /// How many of the objects of a diff that are chosen can't be synced as they are, or can't be compared.
    pub(super) fn problems(&self, objects: &Value) -> Option<usize> {
        let objects = objects.as_array().into_iter().flatten();
        let has_problem = |object: &&Value| object["problem"].is_string() && self.covers(object);
        let problems = objects.filter(has_problem).count();
        (problems > 0).then_some(problems)
    }

    fn covers(&self, object: &Value) -> bool {
        let (mut named, mut is_named, mut is_left_out) = (false, false, false);
        for resource in self.resources {
            match resource {
                Resource::Only(wanted) => {
                    named = true;
                    is_named |= wanted.is(object);
                }
                Resource::AllBut(unwanted) => is_left_out |= unwanted.is(object),
            }
        }
        let has = |(label, value): &Label| object["labels"][label] == **value;
        (is_named || !named) && !is_left_out && self.labels.iter().all(has)
    }
}

impl Object {
    /// Of an object of a diff.
    fn of(object: &Value) -> Self {
        let field = |name: &str| text(object, name).to_owned();
        Self {
            group: field("group"),
            kind: field("kind"),
            namespace: object["namespace"].as_str().map(str::to_owned),
            name: field("name"),
        }
    }

    fn is(&self, object: &Value) -> bool {
        let other = Self::of(object);
        let elsewhere = self.namespace.is_some() && self.namespace != other.namespace;
        !elsewhere
            && (&self.group, &self.kind, &self.name) == (&other.group, &other.kind, &other.name)
    }

    fn requested(&self) -> Value {
        let Self {
            group,
            kind,
            namespace,
            name,
        } = self;
        let mut requested = json!({ "group": group, "kind": kind, "name": name });
        if let Some(namespace) = namespace {
            requested["namespace"] = json!(namespace);
        }
        requested
    }
}

/// Reads `[!]GROUP:KIND:[NAMESPACE/]NAME`.
pub(super) fn resource(text: &str) -> Result<Resource, String> {
    match text.strip_prefix('!') {
        Some(unwanted) => object(unwanted).map(Resource::AllBut),
        None => object(text).map(Resource::Only),
    }
}

fn object(text: &str) -> Result<Object, String> {
    let parts: Vec<&str> = text.splitn(3, ':').collect();
    let [group, kind, name] = parts[..] else {
        return Err("expected GROUP:KIND:NAME, such as apps:Deployment:web or :Service:web".into());
    };
    let (namespace, name) = match name.split_once('/') {
        Some((namespace, name)) => (Some(namespace).filter(|text| !text.is_empty()), name),
        None => (None, name),
    };
    if kind.is_empty() || name.is_empty() {
        return Err("expected a kind and a name, such as :Service:web".into());
    }
    Ok(Object {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    })
}

/// Reads `LABEL=VALUE`.
pub(super) fn label(text: &str) -> Result<Label, String> {
    match text.split_once('=') {
        Some((label, value)) if !label.is_empty() => Ok((label.to_owned(), value.to_owned())),
        _ => Err("expected LABEL=VALUE, such as tier=web".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(resources: &[&str], labels: &[&str]) -> Vec<String> {
        let objects = json!([
            {"group": "", "kind": "ConfigMap", "namespace": "shop", "name": "a", "change": "create", "labels": {"tier": "web"}},
            {"group": "", "kind": "ConfigMap", "namespace": "other", "name": "a", "change": "update", "labels": {"tier": "web", "team": "x"}},
            {"group": "", "kind": "ConfigMap", "namespace": "shop", "name": "old", "change": "delete"},
            {"group": "", "kind": "ConfigMap", "namespace": "shop", "name": "kept", "change": "none", "labels": {"tier": "web"}},
        ]);
        let resources: Vec<Resource> = resources
            .iter()
            .map(|text| resource(text).unwrap())
            .collect();
        let labels: Vec<Label> = labels.iter().map(|text| label(text).unwrap()).collect();
        let selection = Selection {
            resources: &resources,
            labels: &labels,
        };
        let name =
            |object: &Value| format!("{}/{}", text(object, "namespace"), text(object, "name"));
        selection.of(&objects).iter().map(name).collect()
    }

    #[test]
    fn all_but_some_are_chosen_of_what_differs() {
        assert_eq!(chosen(&["!:ConfigMap:a"], &[]), ["shop/old"]);
        assert_eq!(
            chosen(&["!:ConfigMap:shop/a"], &[]),
            ["other/a", "shop/old"]
        );
        assert_eq!(
            chosen(&[":ConfigMap:a", "!:ConfigMap:other/a"], &[]),
            ["shop/a"]
        );
    }

    #[test]
    fn what_is_chosen_and_has_a_problem_is_counted() {
        let problems = |labels: &[&str]| {
            let labels: Vec<Label> = labels.iter().map(|text| label(text).unwrap()).collect();
            let objects = json!([
                {"group": "", "kind": "ConfigMap", "name": "a", "change": "none", "labels": {"tier": "web"}, "problem": "it is refused"},
            ]);
            let selection = Selection {
                resources: &[],
                labels: &labels,
            };
            selection.problems(&objects)
        };
        assert_eq!(problems(&["tier=web"]), Some(1));
        assert_eq!(problems(&["tier=db"]), None);
    }

    #[test]
    fn each_label_has_to_fit() {
        assert_eq!(chosen(&[], &["tier=web"]), ["shop/a", "other/a"]);
        assert_eq!(chosen(&[], &["tier=web", "team=x"]), ["other/a"]);
        assert!(chosen(&[], &["tier=db"]).is_empty());
    }

    #[test]
    fn what_names_no_object_is_refused() {
        for wrong in ["web", "a:b", "::web", ":Service:", "!", "!:Service:shop/"] {
            assert!(resource(wrong).is_err(), "{wrong}");
        }
        for wrong in ["tier", "=web"] {
            assert!(label(wrong).is_err(), "{wrong}");
        }
    }
}
