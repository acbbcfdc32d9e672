//! Parts of a template as text, the way Go shows them in an error: `<fail "boom">`.
//! Prints the template only, which is public; never a value.

use gotmpl::parse::{CommandNode, Expr, PipeNode, SmolStr};

use super::literal;

/// `a | b`, or `$x := a`.
pub(super) fn pipe(pipe: &PipeNode, source: &str) -> String {
    let commands: Vec<String> = pipe
        .commands
        .iter()
        .map(|part| command(part, source))
        .collect();
    let commands = commands.join(" | ");
    if pipe.decl.is_empty() {
        return commands;
    }
    let sign = if pipe.is_assign { "=" } else { ":=" };
    let names: Vec<&str> = pipe.decl.iter().map(SmolStr::as_str).collect();
    format!("{} {sign} {commands}", names.join(", "))
}

/// A function or value with its arguments.
pub(super) fn command(command: &CommandNode, source: &str) -> String {
    let parts: Vec<String> = command
        .args
        .iter()
        .map(|part| expression(part, source))
        .collect();
    parts.join(" ")
}

/// One operand. Literals are shown as they were written.
pub(super) fn expression(expression_: &Expr, source: &str) -> String {
    match expression_ {
        Expr::Dot(_) => ".".to_owned(),
        Expr::Field(_, fields) => chain(String::new(), fields),
        Expr::Variable(_, name, fields) => chain(name.to_string(), fields),
        Expr::Identifier(_, name) => name.to_string(),
        Expr::String(position, _) | Expr::Number(position, _) => {
            literal::at_start(&source[position.offset..]).to_owned()
        }
        Expr::Bool(_, flag) => flag.to_string(),
        Expr::Nil(_) => "nil".to_owned(),
        Expr::Pipe(_, inner) => format!("({})", pipe(inner, source)),
        Expr::Chain(_, inner, fields) => chain(expression(inner, source), fields),
    }
}

fn chain(start: String, fields: &[SmolStr]) -> String {
    fields
        .iter()
        .fold(start, |text, field| format!("{text}.{field}"))
}
