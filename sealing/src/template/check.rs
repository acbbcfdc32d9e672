//! What Go checks while it parses and the engine would only find while executing: functions, variables, pipelines.
//! Walks the tree and changes nothing.

use std::collections::BTreeMap;

use gotmpl::parse::{BranchNode, CommandNode, Expr, ListNode, Node, PipeNode, Pos, SmolStr};

use super::functions::{self, names};
use super::parse::Trees;
use super::scan::Flaw;

/// Built-in functions that the engine keeps to itself, because they do not evaluate all their arguments.
const LAZY: [&str; 2] = ["and", "or"];

/// The first flaw in the order of the source.
pub(super) fn first_flaw(trees: &Trees) -> Option<Flaw> {
    let flaws = trees.values().filter_map(|tree| {
        let mut checker = Checker::default();
        checker.declare("$".into());
        checker.list(tree).err()
    });
    flaws.min_by_key(|flaw| flaw.offset)
}

#[derive(Default)]
struct Checker {
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

impl Checker {
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
        command
            .args
            .iter()
            .try_for_each(|argument| self.expression(argument))
    }

    fn expression(&mut self, expression: &Expr) -> Checked {
        match expression {
            Expr::Identifier(position, name) => function(*position, name),
            Expr::Variable(position, name, _) => self.variable(*position, name),
            Expr::Pipe(_, pipe) => self.pipe(pipe),
            Expr::Chain(_, inner, _) => self.expression(inner),
            Expr::Dot(_)
            | Expr::Field(..)
            | Expr::String(..)
            | Expr::Number(..)
            | Expr::Bool(..)
            | Expr::Nil(_) => Ok(()),
        }
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
