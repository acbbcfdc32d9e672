//! Go's built-in functions: ours where the engine's differ from Go, the engine's own otherwise.
//! `and` and `or` are not here: the engine evaluates their arguments lazily.

use std::sync::{Arc, Mutex, PoisonError};

use gotmpl::parse::{ActionNode, CommandNode, Expr, ListNode, Node, PipeNode, Pos, SmolStr};
use gotmpl::{Template, TemplateError, Value};

use super::Arity::{AtLeast, Exactly};
use super::{Call, CallError, Function, TOO_LONG, check_length, display, text};
use crate::template::{escape, value};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "call",
        arity: AtLeast(1),
        call: |_| Err(CallError::Failed("non-function value")),
    },
    Function {
        name: "eq",
        arity: AtLeast(1),
        call: engine,
    },
    Function {
        name: "ge",
        arity: Exactly(2),
        call: engine,
    },
    Function {
        name: "gt",
        arity: Exactly(2),
        call: engine,
    },
    Function {
        name: "html",
        arity: AtLeast(0),
        call: escaped,
    },
    Function {
        name: "index",
        arity: AtLeast(1),
        call: index,
    },
    Function {
        name: "js",
        arity: AtLeast(0),
        call: escaped,
    },
    Function {
        name: "le",
        arity: Exactly(2),
        call: engine,
    },
    Function {
        name: "len",
        arity: Exactly(1),
        call: len,
    },
    Function {
        name: "lt",
        arity: Exactly(2),
        call: engine,
    },
    Function {
        name: "ne",
        arity: Exactly(2),
        call: engine,
    },
    Function {
        name: "not",
        arity: Exactly(1),
        call: |call| Ok(Value::Bool(!call.args[0].is_truthy())),
    },
    Function {
        name: "print",
        arity: AtLeast(0),
        call: |call| text(printed(call.args)?),
    },
    Function {
        name: "printf",
        arity: AtLeast(1),
        call: printf,
    },
    Function {
        name: "println",
        arity: AtLeast(0),
        call: println,
    },
    Function {
        name: "urlquery",
        arity: AtLeast(0),
        call: escaped,
    },
];

/// Length in bytes, elements or entries.
fn len(call: &Call<'_>) -> Result<Value, CallError> {
    let length = match &call.args[0] {
        Value::String(text) => escape::decode(text).len(),
        Value::List(items) => items.len(),
        Value::Map(entries) => entries.len(),
        _ => return Err(CallError::Failed("len of a value that has none")),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// `index x k…`: a list's element, a text's byte, a map's entry. An absent entry of dot is empty text, since dot maps
/// text to text in Go; of another map it is nil.
fn index(call: &Call<'_>) -> Result<Value, CallError> {
    call.args[1..]
        .iter()
        .try_fold(call.args[0].clone(), |subject, key| match (&subject, key) {
            (Value::Map(entries), Value::String(key)) => Ok(match entries.get(&**key) {
                Some(found) => found.clone(),
                None if value::is_same(&subject, call.dot) => Value::String("".into()),
                None => Value::Nil,
            }),
            (Value::List(items), Value::Int(index)) => element(items, *index).cloned(),
            (Value::String(text), Value::Int(index)) => {
                element(&escape::decode(text), *index).map(|byte| Value::Int(i64::from(*byte)))
            }
            (Value::Map(_), _) => Err(CallError::Failed(
                "value has another type than the map's keys",
            )),
            (Value::List(_) | Value::String(_), _) => {
                Err(CallError::Failed("cannot index slice/array with this type"))
            }
            (Value::Nil, _) => Err(CallError::Failed("index of untyped nil")),
            _ => Err(CallError::Failed("can't index item of this type")),
        })
}

fn element<T>(items: &[T], index: i64) -> Result<&T, CallError> {
    let found = usize::try_from(index)
        .ok()
        .and_then(|index| items.get(index));
    found.ok_or(CallError::Failed("index out of range"))
}

/// Go's `Sprint`: a space between operands when neither is text.
fn printed(values: &[Value]) -> Result<String, CallError> {
    let mut out = String::new();
    let mut after_text = true;
    for (index, value) in values.iter().enumerate() {
        let is_text = matches!(value, Value::String(_));
        if index > 0 && !is_text && !after_text {
            out.push(' ');
        }
        out.push_str(&display(value)?);
        check_length(Some(out.len()))?;
        after_text = is_text;
    }
    Ok(out)
}

fn println(call: &Call<'_>) -> Result<Value, CallError> {
    let texts: Vec<String> = call.args.iter().map(display).collect::<Result<_, _>>()?;
    let line = format!("{}\n", texts.join(" "));
    check_length(Some(line.len()))?;
    text(line)
}

/// The engine's own, for a first argument that is text.
fn printf(call: &Call<'_>) -> Result<Value, CallError> {
    call.text(0)?;
    engine(call)
}

/// `html`, `js` and `urlquery` escape what `print` would give of all their arguments.
fn escaped(call: &Call<'_>) -> Result<Value, CallError> {
    let value = text(printed(call.args)?)?;
    engine(&Call {
        args: &[value],
        ..*call
    })
}

/// Name of the function that takes the answer out of the engine.
const CAPTURE: &str = "\u{0}capture";

/// Calls the engine's built-in function of the same name. The engine does not give out its functions, so a template of
/// one action is put together around them.
fn engine(call: &Call<'_>) -> Result<Value, CallError> {
    let position = Pos::new(0, 1);
    let command = |args| CommandNode {
        pos: position,
        args,
    };
    let pipe = |commands| PipeNode {
        pos: position,
        decl: Vec::new(),
        commands,
        is_assign: false,
    };
    let name = |name: &str| Expr::Identifier(position, SmolStr::new(name));
    let field = |index: usize| Expr::Field(position, vec![SmolStr::new(index.to_string())]);
    let inner = std::iter::once(name(call.name))
        .chain((0..call.args.len()).map(field))
        .collect();
    let action = Node::Action(ActionNode {
        pos: position,
        pipe: pipe(vec![command(inner), command(vec![name(CAPTURE)])]),
    });
    let answer = Arc::new(Mutex::new(None));
    let captured = Arc::clone(&answer);
    let arguments = call
        .args
        .iter()
        .enumerate()
        .map(|(index, value)| (Arc::from(index.to_string()), value.clone()));
    Template::new("")
        .func(CAPTURE, move |args| {
            *captured.lock().unwrap_or_else(PoisonError::into_inner) = args.first().cloned();
            Ok(Value::Nil)
        })
        .add_parse_tree(
            "call",
            ListNode {
                pos: position,
                nodes: vec![action],
            },
        )
        .execute_template_fmt(
            &mut String::new(),
            "call",
            &Value::Map(Arc::new(arguments.collect())),
        )
        .map_err(|error| engine_error(&error))?;
    let value = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
    value.ok_or(TOO_LONG)
}

/// The engine's message may quote an argument, so only its kind is kept.
fn engine_error(error: &TemplateError) -> CallError {
    match error {
        TemplateError::ArgCount { .. } => CallError::Failed("missing argument"),
        _ => CallError::Failed("incompatible arguments"),
    }
}
