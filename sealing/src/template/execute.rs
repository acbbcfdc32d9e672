//! Runs a template and, when it fails, says where in words that hold no value.
//! Bounded in output, in the work of functions and in rounds of loops.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gotmpl::{Template, TemplateError as EngineError, Value};

use super::error::TemplateError;
use super::functions::{Arity, Call, CallError};
use super::instrument::{
    Argument, CallSite, Instrumented, PRINT, Site, call_name, instrument, node_name, nothing,
};
use super::parse::Trees;
use super::{MAX_OUTPUT, escape, value};
use crate::secret_bytes::SecretBytes;

/// Rounds of all `range` loops of one template together.
const MAX_ROUNDS: u64 = 1_000_000;

/// What all calls and nodes of one template may produce together, in bytes: a guard against templates that double a
/// text in each round of a loop, or their own calls in each call.
const MAX_WORK: usize = 64 << 20;

/// What a value costs of [`MAX_WORK`] besides its text, about its size in memory.
const ELEMENT_WORK: usize = 32;

/// What the functions of one run share.
struct Run {
    calls: Vec<CallSite>,
    nodes: Vec<Site>,
    dot: Value,
    /// The node that runs now.
    node: AtomicUsize,
    /// Bytes that functions have produced.
    work: AtomicUsize,
    failure: Mutex<Option<Failure>>,
}

/// The first thing that went wrong in a function of ours.
enum Failure {
    Call { index: usize, error: CallError },
    TooMuch,
}

/// Runs the tree of the template's own name.
pub(super) fn execute(
    name: &str,
    source: &str,
    trees: Trees,
    dot: &Value,
) -> Result<SecretBytes, TemplateError> {
    let Instrumented {
        trees,
        calls,
        nodes,
    } = instrument(trees, source);
    let run = Arc::new(Run {
        calls,
        nodes,
        dot: dot.clone(),
        node: AtomicUsize::new(0),
        work: AtomicUsize::new(0),
        failure: Mutex::new(None),
    });
    let mut template = with_functions(Template::new(name).max_range_iters(MAX_ROUNDS), &run);
    for (tree_name, tree) in trees {
        template = template.add_parse_tree(&tree_name, tree);
    }
    let mut output = Output(String::new());
    match template.execute_template_fmt(&mut output, name, dot) {
        Ok(()) => Ok(SecretBytes::from(&*escape::decode(&output.0))),
        Err(error) => Err(run.explain(name, source, &error)),
    }
}

/// Registers the functions that [`instrument`] has put in.
fn with_functions(mut template: Template, run: &Arc<Run>) -> Template {
    for index in 0..run.calls.len() {
        let run = Arc::clone(run);
        template = template.func(&call_name(index), move |args| run.call(index, args));
    }
    for index in 0..run.nodes.len() {
        let run = Arc::clone(run);
        template = template.func(&node_name(index), move |_| {
            run.node.store(index, Ordering::Relaxed);
            run.count(&nothing()).map(|()| nothing())
        });
    }
    let run = Arc::clone(run);
    template.func(PRINT, move |args| run.print(args))
}

impl Run {
    fn call(&self, index: usize, args: &[Value]) -> Result<Value, EngineError> {
        let function = self.calls[index].function;
        let call = Call {
            name: function.name,
            args,
            dot: &self.dot,
        };
        if !function.arity.admits(args.len()) {
            return Err(self.fail(Failure::Call {
                index,
                error: CallError::ArgumentCount(args.len()),
            }));
        }
        let value =
            (function.call)(&call).map_err(|error| self.fail(Failure::Call { index, error }))?;
        self.count(&value)?;
        Ok(value)
    }

    /// The text of a value; nil stays nil, for which the engine prints `<no value>`.
    fn print(&self, args: &[Value]) -> Result<Value, EngineError> {
        match args {
            [Value::Nil] | [] => Ok(Value::Nil),
            [value, ..] => {
                let text =
                    value::text(value, MAX_OUTPUT).map_err(|_| self.fail(Failure::TooMuch))?;
                Ok(Value::String(text.into()))
            }
        }
    }

    fn count(&self, value: &Value) -> Result<(), EngineError> {
        let spent = self.work.load(Ordering::Relaxed);
        let total = weigh(value, spent);
        self.work.store(total, Ordering::Relaxed);
        if total > MAX_WORK {
            return Err(self.fail(Failure::TooMuch));
        }
        Ok(())
    }

    /// Remembers a failure. The engine gets an empty error, since its texts go nowhere.
    fn fail(&self, failure: Failure) -> EngineError {
        let mut first = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(failure);
        EngineError::Exec(String::new())
    }

    fn explain(&self, name: &str, source: &str, error: &EngineError) -> TemplateError {
        let failure = self
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Failure::Call { index, error }) = failure {
            let (site, message) = explain_call(&self.calls[index], &error);
            return TemplateError::execution(name, source, &site, &message);
        }
        let message = match failure {
            Some(Failure::TooMuch) => {
                "the template makes more text than a Secret can hold".to_owned()
            }
            _ => explain_engine(error),
        };
        match self.nodes.get(self.node.load(Ordering::Relaxed)) {
            Some(site) => TemplateError::execution(name, source, site, &message),
            None => TemplateError::execution(name, source, &whole(name), &message),
        }
    }
}

/// The site of a failure in a template without any action.
fn whole(name: &str) -> Site {
    Site {
        tree: name.to_owned(),
        offset: 0,
        text: name.to_owned(),
    }
}

/// Adds the size of a value to what is spent, and stops counting when that is too much.
fn weigh(value: &Value, spent: usize) -> usize {
    let spent = spent.saturating_add(ELEMENT_WORK);
    if spent > MAX_WORK {
        return spent;
    }
    match value {
        Value::String(text) => spent.saturating_add(text.len()),
        Value::List(items) => items.iter().fold(spent, |spent, item| weigh(item, spent)),
        Value::Map(entries) => entries
            .values()
            .fold(spent, |spent, item| weigh(item, spent)),
        _ => spent,
    }
}

/// Where a call failed and why, in Go's words.
fn explain_call(call: &CallSite, error: &CallError) -> (Site, String) {
    let name = call.function.name;
    match error {
        CallError::Argument {
            index,
            expected,
            found,
        } => {
            let argument = call.arguments.get(*index);
            let site = argument.map_or_else(|| named(call), |argument| argument.site.clone());
            (site, explain_argument(argument, expected, *found))
        }
        CallError::ArgumentCount(count) => {
            let wanted = match call.function.arity {
                Arity::Exactly(wanted) => wanted.to_string(),
                Arity::AtLeast(least) => format!("at least {least}"),
            };
            (
                named(call),
                format!("wrong number of args for {name}: want {wanted} got {count}"),
            )
        }
        CallError::Failed(message) => (
            call.site.clone(),
            format!("error calling {name}: {message}"),
        ),
        CallError::Echo(message) if call.literal => (
            call.site.clone(),
            format!("error calling {name}: {message}"),
        ),
        CallError::Echo(_) => {
            let message = format!(
                "error calling {name}: (its message is not shown, since it may hold a secret)"
            );
            (call.site.clone(), message)
        }
    }
}

/// The name of a called function alone.
fn named(call: &CallSite) -> Site {
    Site {
        text: call.function.name.to_owned(),
        ..call.site.clone()
    }
}

/// A literal is shown, of any other argument only the type.
fn explain_argument(argument: Option<&Argument>, expected: &str, found: Option<&str>) -> String {
    match (argument, found) {
        (Some(argument), _) if argument.literal => {
            let expected = match expected {
                "int" => "integer",
                "float64" => "float",
                other => other,
            };
            format!("expected {expected}; found {}", argument.site.text)
        }
        (_, Some(found)) => format!("wrong type for value; expected {expected}; got {found}"),
        (_, None) => format!("invalid value; expected {expected}"),
    }
}

/// Failures outside functions. The engine's free texts may quote a value, so only those made of the template's own
/// words and of types are shown.
fn explain_engine(error: &EngineError) -> String {
    match error {
        EngineError::UndefinedTemplate(name) => format!("template {name:?} not defined"),
        EngineError::NotIterable(kind) => {
            format!("range can't iterate over a value of type {kind}")
        }
        EngineError::RangeIterLimit => "the template loops too often".to_owned(),
        EngineError::RecursionLimit => "exceeded maximum template depth".to_owned(),
        EngineError::Write => "the template makes more text than a Secret can hold".to_owned(),
        EngineError::Exec(message)
            if message.ends_with(" to iterate over more than one variable") =>
        {
            "can't use an integer to iterate over more than one variable".to_owned()
        }
        EngineError::Exec(message) if is_public(message) => message.clone(),
        _ => "the template can't be executed (details are not shown, since they may hold a secret)"
            .to_owned(),
    }
}

fn is_public(message: &str) -> bool {
    [
        "can't evaluate field ",
        "can't give argument to non-function ",
        "nil is not a command",
    ]
    .iter()
    .any(|start| message.starts_with(start))
}

/// The rendered text, up to [`MAX_OUTPUT`].
struct Output(String);

impl fmt::Write for Output {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.0.len() + part.len() > MAX_OUTPUT {
            return Err(fmt::Error);
        }
        self.0.push_str(part);
        Ok(())
    }
}
