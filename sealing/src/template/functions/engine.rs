//! The way to the engine's own built-in functions, which it does not give out.
//! A template of one action is put around each call; no text of the engine's errors leaves this file.

use std::sync::{Arc, Mutex, PoisonError};

use gotmpl::parse::{ActionNode, CommandNode, Expr, ListNode, Node, PipeNode, Pos, SmolStr};
use gotmpl::{Template, Value};

/// Name of the function that takes the answer out.
const CAPTURE: &str = "\u{0}capture";

/// Nothing of the template around a call has a place in a source.
const NOWHERE: Pos = Pos { offset: 0, line: 1 };

/// Calls a built-in function. `None` when it refuses its arguments, which its message might quote.
pub(super) fn call(name: &str, args: &[Value]) -> Option<Value> {
    let answer = Arc::new(Mutex::new(None));
    let captured = Arc::clone(&answer);
    let capture = move |args: &[Value]| {
        *captured.lock().unwrap_or_else(PoisonError::into_inner) = args.first().cloned();
        Ok(Value::Nil)
    };
    let fields = (0..).map(field_name).zip(args.iter().cloned());
    let data = Value::Map(Arc::new(
        fields.map(|(key, value)| (key.into(), value)).collect(),
    ));
    Template::new(name)
        .func(CAPTURE, capture)
        .add_parse_tree(name, tree(name, args.len()))
        .execute_template_fmt(&mut String::new(), name, &data)
        .ok()?;
    answer.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn field_name(index: usize) -> String {
    index.to_string()
}

/// `{{ name .0 .1 … | capture }}`.
fn tree(name: &str, arguments: usize) -> ListNode {
    let function = |name: &str| Expr::Identifier(NOWHERE, SmolStr::new(name));
    let fields = (0..arguments).map(|index| Expr::Field(NOWHERE, vec![field_name(index).into()]));
    let command = |args| CommandNode { pos: NOWHERE, args };
    let commands = vec![
        command(std::iter::once(function(name)).chain(fields).collect()),
        command(vec![function(CAPTURE)]),
    ];
    let pipe = PipeNode {
        pos: NOWHERE,
        decl: Vec::new(),
        commands,
        is_assign: false,
    };
    ListNode {
        pos: NOWHERE,
        nodes: vec![Node::Action(ActionNode { pos: NOWHERE, pipe })],
    }
}
