//! Which differences between a wanted and a live object don't count: fields named by JSON pointers, by jq paths, or by the
//! managers who own them. It reads no cluster, and what it says names rules and never shows a value.

mod body;
mod fields;
mod jq;
mod managers;
mod pointer;

use std::fmt;
use std::sync::Arc;

use crds::IgnoreDifferences;
use globset::{GlobBuilder, GlobMatcher};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::Value;

use fields::Paths;
use jq::{Expression, TooLong};
use pointer::Pointer;

pub(crate) use body::body;

/// One rule: which fields of which objects.
pub struct Rule {
    /// Where it is written: `spec.ignoreDifferences[0]`.
    pub origin: String,
    written: IgnoreDifferences,
    objects: Objects,
    fields: Result<Fields, Problem>,
}

/// Why a rule can't be used, or was not done within its limits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Problem {
    /// Where it is written: `spec.ignoreDifferences[0].jqPathExpressions[1]`.
    pub field: String,
    /// What stands there, and what was expected.
    pub message: String,
}

struct Objects {
    group: Pattern,
    kind: Pattern,
}

/// Rules are read at every look at an Application, and most of them name one kind.
enum Pattern {
    Any,
    Exactly(String),
    Glob(GlobMatcher),
}

impl Pattern {
    fn is_match(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(text) => text == name,
            Self::Glob(glob) => glob.is_match(name),
        }
    }
}

struct Fields {
    pointers: Vec<Pointer>,
    expressions: Vec<Arc<Expression>>,
}

impl Rule {
    /// Reads a rule. One of whose fields some can't be used is a rule still: it is the problem of the objects it is about.
    ///
    /// # Errors
    /// When it does not say which objects it is about.
    pub fn new(origin: String, written: IgnoreDifferences) -> Result<Self, Problem> {
        Ok(Self {
            objects: objects(&origin, &written)?,
            fields: fields(&origin, &written),
            origin,
            written,
        })
    }

    /// A rule that could not be read beyond which objects it is about.
    ///
    /// # Errors
    /// When it does not say that either.
    pub fn unreadable(
        origin: String,
        about: IgnoreDifferences,
        message: String,
    ) -> Result<Self, Problem> {
        Ok(Self {
            objects: objects(&origin, &about)?,
            fields: Err(Problem {
                field: origin.clone(),
                message,
            }),
            origin,
            written: about,
        })
    }

    /// Why it can't be used.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        self.fields.as_ref().err()
    }

    pub(crate) fn is_about(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        let named = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        self.objects.group.is_match(group)
            && self.objects.kind.is_match(kind)
            && named(&self.written.namespace, namespace)
            && named(&self.written.name, name)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rule = f.debug_struct("Rule");
        rule.field("origin", &self.origin);
        rule.field("written", &self.written).finish()
    }
}

/// A rule is what is written, and where.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.origin == other.origin
            && self.written == other.written
            && self.problem() == other.problem()
    }
}

impl Eq for Rule {}

/// The rules of an Application: its own, and those for the whole cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// In the order in which they are written.
    pub rules: Vec<Arc<Rule>>,
    /// Fields that don't count are also left as they are when the object is applied.
    pub respected: bool,
}

impl Rules {
    /// What does not count of one object of an Application.
    ///
    /// # Errors
    /// What is wrong with the first of its rules that can't be used.
    pub fn of(
        &self,
        application: &str,
        group: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Ignored, Problem> {
        let about = |rule: &&Arc<Rule>| rule.is_about(group, kind, namespace, name);
        let rules: Vec<_> = self.rules.iter().filter(about).cloned().collect();
        match rules.iter().find_map(|rule| rule.problem()) {
            Some(problem) => Err(problem.clone()),
            None => Ok(Ignored {
                application: application.to_owned(),
                rules,
                respected: self.respected,
            }),
        }
    }
}

/// What does not count of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    application: String,
    rules: Vec<Arc<Rule>>,
    respected: bool,
}

impl Ignored {
    /// Everything counts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Something is left as it is when the object is applied.
    #[must_use]
    pub fn leaves_alone(&self) -> bool {
        self.respected && !self.is_empty()
    }

    /// Fields of this manager don't count.
    #[must_use]
    pub fn spares(&self, manager: &str) -> bool {
        self.managers().any(|spared| spared == manager)
    }

    /// What does not count depends on who owns it in the cluster.
    #[must_use]
    pub fn has_managers(&self) -> bool {
        self.managers().next().is_some()
    }

    /// An object, live or wanted, but for what does not count; `managed` says who owns what of the live one.
    ///
    /// # Errors
    /// When a jq path is not done within its limits.
    pub fn strip(&self, object: &Value, managed: &[ManagedFieldsEntry]) -> Result<Value, Problem> {
        let mut stripped = object.clone();
        if self.is_empty() {
            return Ok(stripped);
        }
        fields::remove(&mut stripped, &self.paths(object, managed)?);
        fields::restore_identity(&mut stripped, object);
        Ok(stripped)
    }

    fn managers(&self) -> impl Iterator<Item = &str> {
        let rules = self.rules.iter();
        rules
            .flat_map(|rule| &rule.written.managed_fields_managers)
            .map(String::as_str)
    }

    /// Where in this object stands what does not count.
    fn paths(&self, object: &Value, managed: &[ManagedFieldsEntry]) -> Result<Paths, Problem> {
        let mut found = Paths::new();
        for rule in &self.rules {
            let Ok(fields) = &rule.fields else { continue };
            found.extend(fields.pointers.iter().filter_map(|one| one.path(object)));
            for (index, expression) in fields.expressions.iter().enumerate() {
                let too_long = |TooLong| Problem {
                    field: expression_field(&rule.origin, index),
                    message: "not done within its limits, expected a simpler path".to_owned(),
                };
                let paths = expression.paths(object, &self.application);
                found.extend(paths.map_err(too_long)?);
            }
        }
        let spared = managed.iter().filter(|entry| {
            let manager = entry.manager.as_deref().unwrap_or_default();
            self.spares(manager)
        });
        spared.for_each(|entry| managers::owned(entry, object, &mut found));
        Ok(found)
    }
}

fn objects(origin: &str, written: &IgnoreDifferences) -> Result<Objects, Problem> {
    if written.kind.is_empty() {
        return Err(Problem {
            field: format!("{origin}.kind"),
            message: "it is empty, expected a kind, or * for all".to_owned(),
        });
    }
    Ok(Objects {
        group: pattern(format!("{origin}.group"), &written.group)?,
        kind: pattern(format!("{origin}.kind"), &written.kind)?,
    })
}

fn pattern(field: String, pattern: &str) -> Result<Pattern, Problem> {
    if pattern == "*" {
        return Ok(Pattern::Any);
    }
    if !pattern.contains(['*', '?', '[', '{', '\\']) {
        return Ok(Pattern::Exactly(pattern.to_owned()));
    }
    let glob = GlobBuilder::new(pattern).literal_separator(false).build();
    match glob {
        Ok(glob) => Ok(Pattern::Glob(glob.compile_matcher())),
        Err(error) => Err(Problem {
            field,
            message: format!("found \"{pattern}\", which is no pattern: {}", error.kind()),
        }),
    }
}

fn fields(origin: &str, written: &IgnoreDifferences) -> Result<Fields, Problem> {
    let pointer = |(index, text): (usize, &String)| {
        Pointer::parse(text).map_err(|message| Problem {
            field: format!("{origin}.jsonPointers[{index}]"),
            message,
        })
    };
    let expression = |(index, text): (usize, &String)| {
        Expression::of(text).map_err(|message| Problem {
            field: expression_field(origin, index),
            message,
        })
    };
    let pointers = written.json_pointers.iter().enumerate();
    let expressions = written.jq_path_expressions.iter().enumerate();
    Ok(Fields {
        pointers: pointers.map(pointer).collect::<Result<_, _>>()?,
        expressions: expressions.map(expression).collect::<Result<_, _>>()?,
    })
}

fn expression_field(origin: &str, index: usize) -> String {
    format!("{origin}.jqPathExpressions[{index}]")
}

#[cfg(test)]
mod tests;
