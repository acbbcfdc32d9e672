//! Where in an object one is: its path for messages, and what may stand there.

use std::fmt;

use serde_json::Value;

/// Maps of texts, whatever object they are in: no field of Kubernetes' own kinds of these names holds anything else.
const TEXTS: [&str; 6] = [
    "labels",
    "annotations",
    "matchLabels",
    "nodeSelector",
    "stringData",
    "binaryData",
];

/// A place in an object.
pub(super) struct Place {
    /// A Secret of the destination's namespace.
    secret: bool,
    config_map: bool,
    path: Vec<Step>,
}

enum Step {
    Field(String),
    Item(usize),
}

impl Place {
    /// The object itself.
    pub(super) fn of(object: &Value, namespace: &str) -> Self {
        let is = |kind: &str| object["apiVersion"] == "v1" && object["kind"] == kind;
        let own = &object["metadata"]["namespace"];
        Self {
            secret: is("Secret") && (own.is_null() || own == "" || own == namespace),
            config_map: is("ConfigMap"),
            path: Vec::new(),
        }
    }

    pub(super) fn enter(&mut self, field: &str) {
        self.path.push(Step::Field(field.to_owned()));
    }

    pub(super) fn enter_item(&mut self, index: usize) {
        self.path.push(Step::Item(index));
    }

    pub(super) fn leave(&mut self) {
        self.path.pop();
    }

    /// An item of a Secret.
    pub(super) fn holds_secrets(&self) -> bool {
        let items = matches!(self.field(0), Some("data" | "stringData"));
        self.secret && self.path.len() == 2 && items
    }

    /// A field that is text in every object: a value that looks like a number stays text there.
    pub(super) fn holds_text(&self) -> bool {
        let depth = self.path.len();
        let parent = |up: usize| depth.checked_sub(up + 1).and_then(|at| self.field(at));
        let in_texts = parent(1).is_some_and(|parent| TEXTS.contains(&parent));
        let in_data = depth == 2 && self.config_map && self.field(0) == Some("data");
        let in_metadata = depth == 2 && self.field(0) == Some("metadata");
        // `env: [{name: …, value: …}]`, `args: […]` and `command: […]`
        let in_env = parent(0) == Some("value") && parent(2) == Some("env");
        let in_command = matches!(parent(1), Some("args" | "command"));
        in_texts || in_data || in_metadata || in_env || in_command
    }

    fn field(&self, at: usize) -> Option<&str> {
        match self.path.get(at)? {
            Step::Field(field) => Some(field),
            Step::Item(_) => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.path.iter().enumerate() {
            match step {
                Step::Field(field) if at == 0 => write!(f, "{field}")?,
                Step::Field(field) if field.contains(['.', '/']) => write!(f, "[{field:?}]")?,
                Step::Field(field) => write!(f, ".{field}")?,
                Step::Item(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
