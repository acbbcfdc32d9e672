//! What does not count of a wanted object, and the hash of the rest.
//! It looks at no live object: what its managers own is found when the two are compared.

use super::{Wanted, WantedHash};
use crate::dialect::Refusal;
use crate::ignore::{Problem, Rules};

/// Notes what of a wanted object does not count. Where that can't be told, the object is refused; true when it may be told
/// another time, because a rule was not done within its limits.
pub(super) fn leave_out(rules: &Rules, application: &str, wanted: &mut Wanted) -> bool {
    let key = &wanted.key;
    let namespace = key.namespace_or_empty();
    let ignored = match rules.of(application, key.group(), key.kind(), namespace, key.name()) {
        Ok(ignored) if ignored.is_empty() => return false,
        Ok(ignored) => ignored,
        Err(problem) => {
            refuse(wanted, problem);
            return false;
        }
    };
    match ignored.strip(&wanted.object, &[]) {
        Ok(counts) => {
            wanted.hash = WantedHash::of(&counts);
            wanted.ignored = ignored;
            false
        }
        Err(problem) => {
            refuse(wanted, problem);
            true
        }
    }
}

fn refuse(wanted: &mut Wanted, Problem { field, message }: Problem) {
    let refusal = Refusal::invalid(field, message);
    match &mut wanted.policy {
        Err(refusals) => refusals.push(refusal),
        policy => *policy = Err(vec![refusal]),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::dialect::{ObjectDefaults, object_policy};
    use crate::ignore::{Ignored, Rule};
    use crate::sync::desired::Origin;
    use crate::sync::key::{GroupKind, ObjectKey};
    use crate::sync::plan::Slot;

    fn rules(written: Value) -> Rules {
        let rule = Rule::new("rules".into(), serde_json::from_value(written).unwrap());
        Rules {
            rules: vec![Arc::new(rule.unwrap())],
            respected: true,
        }
    }

    fn wanted(size: &str, color: &str) -> Wanted {
        let object = json!({"metadata": {"name": "a"}, "data": {"size": size, "color": color}});
        Wanted {
            key: ObjectKey::new(&GroupKind::new("", "ConfigMap"), Some("demo"), "a"),
            version: "v1".into(),
            hash: WantedHash::of(&object),
            object,
            ignored: Ignored::default(),
            predecessor: None,
            origin: Origin::default(),
            policy: object_policy(&json!({}), ObjectDefaults::default()),
            slot: Slot::sync(0),
        }
    }

    #[test]
    fn what_does_not_count_is_no_part_of_the_hash() {
        let hash = |rules: &Rules, size: &str, color: &str| {
            let mut wanted = wanted(size, color);
            assert!(!leave_out(rules, "shop", &mut wanted));
            wanted.hash
        };
        let size = rules(json!({"kind": "ConfigMap", "jsonPointers": ["/data/size"]}));
        assert_eq!(hash(&size, "1", "red"), hash(&size, "2", "red"));
        assert_ne!(hash(&size, "1", "red"), hash(&size, "1", "blue"));
        let none = Rules::default();
        assert_ne!(hash(&none, "1", "red"), hash(&none, "2", "red"));
    }

    #[test]
    fn only_a_rule_that_overran_may_do_another_time() {
        let runs_away = format!(".data | select({} | false)", ["(.,.,.,.)"; 10].join("|"));
        for (written, another_time) in [
            (
                json!({"kind": "ConfigMap", "jqPathExpressions": [runs_away]}),
                true,
            ),
            (
                json!({"kind": "ConfigMap", "jsonPointers": ["data"]}),
                false,
            ),
        ] {
            let mut wanted = wanted("1", "red");
            assert_eq!(
                leave_out(&rules(written), "shop", &mut wanted),
                another_time
            );
            assert!(wanted.policy.is_err());
        }
    }
}
