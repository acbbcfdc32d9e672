//! What Go checks while it parses and the engine would only find while executing: functions, variables, pipelines.
//! Walks the tree and changes nothing.

use std::collections::BTreeMap;

use gotmpl::parse::{BranchNode, CommandNode, Expr, ListNode, Node, PipeNode, Pos, SmolStr};

use super::functions::{self, names};
use super::parse::Trees;
use super::scan::Flaw;
use super::{literal, source_text, value};

/// Built-in functions that the engine keeps to itself, because they do not evaluate all their arguments.
const LAZY: [&str; 2] = ["and", "or"];

/// The first flaw in the order of the source.
pub(super) fn first_flaw(trees: &Trees, source: &str) -> Option<Flaw> {
    let flaws = trees.values().filter_map(|tree| {
        let mut checker = Checker {
            source,
            declared: Vec::new(),
            known: BTreeMap::new(),
        };
        checker.declare("$".into());
        checker.list(tree).err()
    });
    flaws.min_by_key(|flaw| flaw.offset)
}

struct Checker<'a> {
    source: &'a str,
    /// Declarations in scope, innermost last.
    declared: Vec<SmolStr>,
    /// How often each name is among them.
    known: BTreeMap<SmolStr, usize>,
}

type Checked = Result<(), Flaw>;

fn flaw(position: Pos, message: String) -> Checked {
    Err(Flaw {
        offset: position.offset,
        message,
    })
}

impl Checker<'_> {
    fn declare(&mut self, name: SmolStr) {
        *self.known.entry(name.clone()).or_default() += 1;
        self.declared.push(name);
    }

    fn forget_after(&mut self, length: usize) {
        for name in self.declared.drain(length..) {
            match self.known.get_mut(&name) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(self.known.remove(&name)),
            }
        }
    }

    fn list(&mut self, list: &ListNode) -> Checked {
        list.nodes.iter().try_for_each(|node| self.node(node))
    }

    fn node(&mut self, node: &Node) -> Checked {
        match node {
            Node::Action(action) => self.pipe(&action.pipe),
            Node::If(branch) | Node::Range(branch) | Node::With(branch) => self.branch(branch),
            Node::Template(call) => call.pipe.iter().try_for_each(|pipe| self.pipe(pipe)),
            Node::List(list) => self.list(list),
            Node::Define(define) => self.list(&define.body),
            Node::Text(_) | Node::Break(_) | Node::Continue(_) => Ok(()),
        }
    }

    /// What is declared inside ends with the block.
    fn branch(&mut self, branch: &BranchNode) -> Checked {
        let outside = self.declared.len();
        self.pipe(&branch.pipe)?;
        let header = self.declared.len();
        self.list(&branch.body)?;
        self.forget_after(header);
        branch
            .else_body
            .iter()
            .try_for_each(|list| self.list(list))?;
        self.forget_after(outside);
        Ok(())
    }

    fn pipe(&mut self, pipe: &PipeNode) -> Checked {
        for (index, command) in pipe.commands.iter().enumerate() {
            self.command(command, index)?;
        }
        if let ([first, _], [command, ..]) = (pipe.decl.as_slice(), pipe.commands.as_slice())
            && !self.source[pipe.pos.offset..command.pos.offset].contains(',')
        {
            return flaw(pipe.pos, format!("undefined variable \"{first}\""));
        }
        if pipe.is_assign {
            pipe.decl
                .iter()
                .try_for_each(|name| self.variable(pipe.pos, name))
        } else {
            pipe.decl.iter().for_each(|name| self.declare(name.clone()));
            Ok(())
        }
    }

    fn command(&mut self, command: &CommandNode, stage: usize) -> Checked {
        let constant = matches!(
            command.args[0],
            Expr::Bool(..) | Expr::Dot(_) | Expr::Nil(_) | Expr::Number(..) | Expr::String(..)
        );
        if stage > 0 && constant {
            let message = format!("non executable command in pipeline stage {}", stage + 1);
            return flaw(command.pos, message);
        }
        self.expression(&command.args[0])?;
        for pair in command.args.windows(2) {
            self.apart(&pair[0], &pair[1])?;
            self.expression(&pair[1])?;
        }
        Ok(())
    }

    /// Operands need white space between them.
    fn apart(&self, left: &Expr, right: &Expr) -> Checked {
        let position = right.pos();
        let before = self.source[..position.offset].chars().next_back();
        if before.is_none_or(char::is_whitespace) {
            return Ok(());
        }
        let text = |expression| source_text::expression(expression, self.source);
        let message = match (left, right) {
            (_, Expr::Pipe(..) | Expr::Chain(..)) => "unexpected \"(\" in operand".to_owned(),
            (Expr::Number(..), _) => format!("bad number syntax: {}", value::quoted(&text(left))),
            (Expr::Identifier(..) | Expr::Field(..) | Expr::Variable(..), _) => {
                let next = text(right).chars().next().unwrap_or_default();
                format!("bad character U+{:04X} '{next}'", u32::from(next))
            }
            _ => format!("unexpected {} in operand", value::quoted(&text(right))),
        };
        flaw(position, message)
    }

    fn expression(&mut self, expression: &Expr) -> Checked {
        match expression {
            Expr::Identifier(position, name) => function(*position, name),
            Expr::Variable(position, name, _) => self.variable(*position, name),
            Expr::Pipe(_, pipe) => self.pipe(pipe),
            Expr::Chain(_, inner, _) => self.expression(inner),
            Expr::String(position, _) => self.text(*position),
            Expr::Field(position, _) if self.source[position.offset..].starts_with("..") => {
                flaw(*position, "unexpected . after term \".\"".to_owned())
            }
            Expr::Dot(_) | Expr::Field(..) | Expr::Number(..) | Expr::Bool(..) | Expr::Nil(_) => {
                Ok(())
            }
        }
    }

    fn text(&self, position: Pos) -> Checked {
        let literal = literal::at_start(&self.source[position.offset..]);
        if literal::has_valid_escapes(literal) {
            return Ok(());
        }
        flaw(position, "invalid syntax".to_owned())
    }

    fn variable(&self, position: Pos, name: &SmolStr) -> Checked {
        if self.known.contains_key(name) {
            return Ok(());
        }
        flaw(position, format!("undefined variable \"{name}\""))
    }
}

fn function(position: Pos, name: &str) -> Checked {
    if LAZY.contains(&name) || functions::find(name).is_some() {
        return Ok(());
    }
    let hint = if names::LATER.contains(&name) {
        ": a sprig function that is not supported yet"
    } else {
        ""
    };
    flaw(position, format!("function \"{name}\" not defined{hint}"))
}
