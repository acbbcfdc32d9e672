//! The tree of a parsed template, and its parts as text, the way Go shows them in errors: `<fail "boom">`.
//! Holds what was written; checks and runs nothing.

use std::fmt::{self, Display, Formatter};

use super::number::Number;
use super::text::Text;

/// Offset in the source, in bytes.
pub(super) type Pos = usize;

/// One template: the whole source, or what `define` or `block` name.
pub(super) struct Tree {
    pub(super) name: String,
    pub(super) nodes: Vec<Node>,
}

pub(super) enum Node {
    Text(String),
    Action(Pipe),
    If(Branch),
    Range(Branch),
    With(Branch),
    Template(Invocation),
    Break,
    Continue,
}

/// `if`, `range` or `with`.
pub(super) struct Branch {
    pub(super) pipe: Pipe,
    pub(super) body: Vec<Node>,
    pub(super) otherwise: Option<Vec<Node>>,
}

/// `{{ template "name" pipe }}`.
pub(super) struct Invocation {
    pub(super) pos: Pos,
    pub(super) name: String,
    pub(super) pipe: Option<Pipe>,
}

/// A pipeline, with the variables that it sets.
pub(super) struct Pipe {
    pub(super) pos: Pos,
    /// `=` and not `:=`.
    pub(super) assigns: bool,
    pub(super) variables: Vec<String>,
    pub(super) commands: Vec<Command>,
}

/// An operand, or a function and its arguments.
pub(super) struct Command {
    pub(super) pos: Pos,
    pub(super) args: Vec<Operand>,
}

pub(super) struct Operand {
    pub(super) pos: Pos,
    pub(super) term: Term,
}

pub(super) enum Term {
    /// Name of a function.
    Function(String),
    /// `.a.b`.
    Field(Vec<String>),
    /// `$x.a.b`: the variable first.
    Variable(Vec<String>),
    /// Fields of what a term gives: `(f).a.b`.
    Chain(Box<Operand>, Vec<String>),
    Pipe(Pipe),
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    Literal {
        quoted: String,
        text: Text,
    },
}

impl Term {
    /// Whether the value stands in the template itself, and so is public.
    pub(super) fn is_literal(&self) -> bool {
        matches!(
            self,
            Self::Nil | Self::Bool(_) | Self::Number(_) | Self::Literal { .. }
        )
    }
}

/// True when nothing but white space would be printed. A definition of that sort may be replaced.
pub(super) fn is_empty(nodes: &[Node]) -> bool {
    nodes.iter().all(|node| match node {
        Node::Text(text) => text.trim().is_empty(),
        _ => false,
    })
}

impl Display for Invocation {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{{{{template {:?}", self.name)?;
        if let Some(pipe) = &self.pipe {
            write!(formatter, " {pipe}")?;
        }
        formatter.write_str("}}")
    }
}

impl Display for Pipe {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            let sign = if self.assigns { "=" } else { ":=" };
            write!(formatter, "{} {sign} ", self.variables.join(", "))?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            let bar = if index == 0 { "" } else { " | " };
            write!(formatter, "{bar}{command}")?;
        }
        Ok(())
    }
}

impl Display for Command {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (index, arg) in self.args.iter().enumerate() {
            formatter.write_str(if index == 0 { "" } else { " " })?;
            in_parentheses(arg, formatter)?;
        }
        Ok(())
    }
}

impl Display for Operand {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match &self.term {
            Term::Function(name) => formatter.write_str(name),
            Term::Field(names) => names
                .iter()
                .try_for_each(|name| write!(formatter, ".{name}")),
            Term::Variable(names) => formatter.write_str(&names.join(".")),
            Term::Chain(inner, names) => {
                in_parentheses(inner, formatter)?;
                names
                    .iter()
                    .try_for_each(|name| write!(formatter, ".{name}"))
            }
            Term::Pipe(pipe) => pipe.fmt(formatter),
            Term::Dot => formatter.write_str("."),
            Term::Nil => formatter.write_str("nil"),
            Term::Bool(flag) => flag.fmt(formatter),
            Term::Number(number) => formatter.write_str(&number.text),
            Term::Literal { quoted, .. } => formatter.write_str(quoted),
        }
    }
}

/// A pipeline inside another needs parentheses.
fn in_parentheses(operand: &Operand, formatter: &mut Formatter<'_>) -> fmt::Result {
    match &operand.term {
        Term::Pipe(pipe) => write!(formatter, "({pipe})"),
        _ => operand.fmt(formatter),
    }
}
