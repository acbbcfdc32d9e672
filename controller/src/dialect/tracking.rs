//! The tracking id: the annotation that says to which Application a live object belongs.
//! It must not decide what happens to an object: that needs the inventory too.

/// The annotation that holds the tracking id.
pub const TRACKING_ANNOTATION: &str = "argocd.argoproj.io/tracking-id";

/// A tracking id, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tracking {
    /// The Application: its name, or `<namespace>_<name>` when it is not in the controller's namespace.
    pub application: String,
    /// API group of the object; empty for the core group.
    pub group: String,
    /// Kind of the object.
    pub kind: String,
    /// Namespace of the object; the destination's for a cluster-scoped one.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
}

impl Tracking {
    /// Whether the id speaks of the object it sits on: copies of an object carry the original's id.
    /// `namespace` is `None` for a cluster-scoped object.
    pub fn names(&self, group: &str, kind: &str, namespace: Option<&str>, name: &str) -> bool {
        self.group == group
            && self.kind == kind
            && namespace.is_none_or(|namespace| self.namespace == namespace)
            && self.name == name
    }
}

/// The tracking id of an object of `application`: its name, or `<namespace>_<name>` outside our own namespace. `namespace` is the destination's for a
/// cluster-scoped object, `group` is empty for the core group.
pub fn tracking_value(
    application: &str,
    group: &str,
    kind: &str,
    namespace: &str,
    name: &str,
) -> String {
    format!("{application}:{group}/{kind}:{namespace}/{name}")
}

/// Takes a tracking id apart; `None` when it is none. A name may contain colons, as RBAC's do.
pub fn parse_tracking(value: &str) -> Option<Tracking> {
    let mut parts = value.splitn(3, ':');
    let application = parts.next().filter(|part| !part.is_empty())?;
    let (group, kind) = pair(parts.next()?)?;
    let (namespace, name) = pair(parts.next()?)?;
    Some(Tracking {
        application: application.to_owned(),
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
}

fn pair(text: &str) -> Option<(&str, &str)> {
    let (first, second) = text.split_once('/')?;
    (!second.is_empty() && !second.contains('/')).then_some((first, second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracking_id_comes_back_as_it_was_built() {
        for (application, group, kind, namespace, name) in [
            ("shop", "", "Service", "web", "front"),
            ("team_shop", "apps", "Deployment", "web", "front"),
            (
                "shop",
                "rbac.authorization.k8s.io",
                "ClusterRole",
                "web",
                "system:shop:reader",
            ),
        ] {
            let value = tracking_value(application, group, kind, namespace, name);
            let tracking = parse_tracking(&value).expect("a built id");
            assert_eq!(tracking.application, application);
            assert!(tracking.names(group, kind, Some(namespace), name));
        }
    }

    #[test]
    fn what_is_no_tracking_id_is_ignored() {
        for value in [
            "",
            "shop",
            "shop:/Service",
            "shop:Service:web/front",
            "shop:/Service:web",
            "shop:a/b/c:web/front",
            "shop:/Service:web/a/b",
            ":/Service:web/front",
            "shop:/Service:web/",
        ] {
            assert_eq!(parse_tracking(value), None, "{value}");
        }
    }

    #[test]
    fn an_id_that_was_copied_to_another_object_does_not_name_it() {
        let tracking = parse_tracking("shop:/Secret:web/tls").expect("an id");
        assert!(tracking.names("", "Secret", Some("web"), "tls"));
        assert!(!tracking.names("", "Secret", Some("other"), "tls"));
        assert!(!tracking.names("", "ConfigMap", Some("web"), "tls"));
    }

    #[test]
    fn a_cluster_scoped_object_carries_the_destination_namespace() {
        let value = tracking_value("shop", "", "Namespace", "web", "extra");
        assert_eq!(value, "shop:/Namespace:web/extra");
        assert!(
            parse_tracking(&value)
                .expect("an id")
                .names("", "Namespace", None, "extra")
        );
    }
}
