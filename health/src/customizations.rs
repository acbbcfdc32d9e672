//! Which kinds have a script of their own: the keys `resource.customizations…` of Argo CD's settings that speak of health.
//! It runs none, and passes over what those keys say of other things.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use globset::{GlobBuilder, GlobMatcher};
use serde_json::Value;

use crate::argocd;
use crate::script::Script;

/// The scripts of the settings.
#[derive(Clone, Debug, Default)]
pub struct Customizations {
    /// By `group/Kind`, the kind alone in the core group.
    exact: HashMap<String, Script>,
    /// The most specific first.
    patterns: Vec<(GlobMatcher, Script)>,
}

/// A setting that can't be used; the others count.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SettingsProblem {
    /// The combined key holds something else.
    #[error("{key} is no map of group/Kind to customizations: {problem}")]
    NotAMap {
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A field of an entry has another type.
    #[error("{key} has no {expected}")]
    NotOfType {
        /// The key, with entry and field.
        key: String,
        /// What stands there in a good one.
        expected: &'static str,
    },
    /// The key of one kind does not end in it.
    #[error("{key} names no kind, expected it to end in <group>_<Kind>")]
    NoKind {
        /// The key.
        key: String,
    },
    /// The key of an entry has wildcards that can't be read.
    #[error("{key} is no pattern: {problem}")]
    NotAPattern {
        /// The key, with the entry.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// What the settings say of one key of kinds.
#[derive(Debug, Default)]
struct Entry {
    /// The setting that holds the source, as messages name it.
    setting: String,
    source: String,
    open_libs: bool,
}

impl Customizations {
    /// Reads the `data` of the ConfigMap `argocd-cm`. What can't be used is told, and the rest counts.
    #[must_use]
    pub fn read(data: &BTreeMap<String, String>) -> (Self, Vec<SettingsProblem>) {
        let mut problems = Vec::new();
        let mut entries = BTreeMap::new();
        if let Some(text) = data.get(argocd::CUSTOMIZATIONS) {
            combined(text, &mut entries, &mut problems);
        }
        for (key, value) in data {
            if let Some(kind) = key.strip_prefix(argocd::HEALTH) {
                match split(kind) {
                    Some(name) => {
                        let entry: &mut Entry = entries.entry(name).or_default();
                        (entry.setting, entry.source) = (key.clone(), value.clone());
                    }
                    None => problems.push(SettingsProblem::NoKind { key: key.clone() }),
                }
            } else if let Some(kind) = key.strip_prefix(argocd::USE_OPEN_LIBS) {
                match (split(kind), boolean(value)) {
                    (Some(name), Some(open)) => entries.entry(name).or_default().open_libs = open,
                    (None, _) => problems.push(SettingsProblem::NoKind { key: key.clone() }),
                    (_, None) => problems.push(not_of_type(key, "\"true\" or \"false\"")),
                }
            }
        }
        (Self::of(entries, &mut problems), problems)
    }

    fn of(entries: BTreeMap<String, Entry>, problems: &mut Vec<SettingsProblem>) -> Self {
        let mut found = Self::default();
        for (name, entry) in entries {
            if entry.source.trim().is_empty() {
                continue;
            }
            let is_pattern = name.contains(['*', '?', '[', '{']);
            let script = Script::new(entry.setting, entry.source, entry.open_libs);
            if !is_pattern {
                found.exact.insert(name, script);
                continue;
            }
            match GlobBuilder::new(&name).literal_separator(false).build() {
                Ok(glob) => found.patterns.push((glob.compile_matcher(), script)),
                Err(error) => problems.push(SettingsProblem::NotAPattern {
                    key: entry_name(&name),
                    problem: error.kind().to_string(),
                }),
            }
        }
        // Argo CD takes any that fits; the longest says the most, and equals keep the order of their names.
        let length = |(glob, _): &(GlobMatcher, Script)| Reverse(glob.glob().glob().len());
        found.patterns.sort_by_key(length);
        found
    }

    /// The script for a kind: that for exactly this kind, else the one of the longest pattern that fits.
    pub(crate) fn script(&self, group: &str, kind: &str) -> Option<&Script> {
        if self.exact.is_empty() && self.patterns.is_empty() {
            return None;
        }
        let name = match group {
            "" => kind.to_owned(),
            group => format!("{group}/{kind}"),
        };
        let fitting = || self.patterns.iter().find(|(glob, _)| glob.is_match(&name));
        let exact = self.exact.get(&name);
        exact.or_else(|| fitting().map(|(_, script)| script))
    }

    /// Whether both judge this kind by the same script, or by none.
    #[must_use]
    pub fn agree_on(&self, other: &Self, group: &str, kind: &str) -> bool {
        self.script(group, kind) == other.script(group, kind)
    }

    /// Whether the kind has a script.
    #[must_use]
    pub fn has_script(&self, group: &str, kind: &str) -> bool {
        self.script(group, kind).is_some()
    }
}

/// Takes in the entries of the combined key.
fn combined(
    text: &str,
    entries: &mut BTreeMap<String, Entry>,
    problems: &mut Vec<SettingsProblem>,
) {
    let not_a_map = |problem: String| SettingsProblem::NotAMap {
        key: argocd::CUSTOMIZATIONS.to_owned(),
        problem,
    };
    if text.trim().is_empty() {
        return;
    }
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
    };
    let map = match serde_saphyr::from_str_with_options(text, options) {
        Ok(Value::Object(map)) => map,
        Ok(Value::Null) => return,
        Ok(_) => return problems.push(not_a_map("it is something else".to_owned())),
        Err(error) => return problems.push(not_a_map(error.to_string())),
    };
    for (name, customization) in map {
        let field = |field: &str| format!("{} {field}", entry_name(&name));
        let mut entry = Entry {
            setting: field(argocd::HEALTH_LUA),
            ..Entry::default()
        };
        match &customization[argocd::HEALTH_LUA] {
            Value::String(source) => entry.source.clone_from(source),
            Value::Null => {}
            _ => problems.push(not_of_type(&field(argocd::HEALTH_LUA), "text")),
        }
        match &customization[argocd::HEALTH_LUA_USE_OPEN_LIBS] {
            Value::Bool(open) => entry.open_libs = *open,
            Value::Null => {}
            _ => problems.push(not_of_type(
                &field(argocd::HEALTH_LUA_USE_OPEN_LIBS),
                "true or false",
            )),
        }
        entries.insert(name, entry);
    }
}

/// How messages name an entry of the combined key.
fn entry_name(name: &str) -> String {
    format!("{} {name}", argocd::CUSTOMIZATIONS)
}

fn not_of_type(key: &str, expected: &'static str) -> SettingsProblem {
    SettingsProblem::NotOfType {
        key: key.to_owned(),
        expected,
    }
}

/// `<group>_<Kind>` and `<Kind>` as the combined key spells them.
fn split(kind: &str) -> Option<String> {
    match kind.split_once('_') {
        None | Some(("", _)) => {
            let kind = kind.trim_start_matches('_');
            (!kind.is_empty() && !kind.contains('_')).then(|| kind.to_owned())
        }
        Some((group, kind)) => {
            (!kind.is_empty() && !kind.contains('_')).then(|| format!("{group}/{kind}"))
        }
    }
}

/// As Go reads a boolean.
fn boolean(text: &str) -> Option<bool> {
    match text.trim() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
#[path = "customizations_tests.rs"]
mod tests;
