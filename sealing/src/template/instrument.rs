//! Makes a tree tell where it fails: the engine's errors carry neither a position nor the function that was called.
//! Every call goes through a function of its own, every node is announced before it runs.

use std::sync::Arc;

use gotmpl::Value;
use gotmpl::parse::{
    ActionNode, CommandNode, Expr, ListNode, Node, PipeNode, Pos, SmolStr, TemplateNode,
};

use super::functions::{self, Function};
use super::parse::Trees;
use super::source_text;

/// A place in a template that can fail.
#[derive(Clone)]
pub(super) struct Site {
    /// Name of the tree it is in.
    pub(super) tree: String,
    /// Where it begins in the source.
    pub(super) offset: usize,
    /// Its text, as errors show it.
    pub(super) text: String,
}

/// A call of a function.
pub(super) struct CallSite {
    pub(super) site: Site,
    pub(super) function: &'static Function,
    pub(super) arguments: Vec<Argument>,
    /// Whether the call's own arguments are all literals and nothing is piped into it: then they are public.
    pub(super) literal: bool,
}

/// An argument as it is written.
pub(super) struct Argument {
    pub(super) site: Site,
    pub(super) literal: bool,
}

/// The rewritten trees, and what their new functions stand for.
#[derive(Default)]
pub(super) struct Instrumented {
    pub(super) trees: Trees,
    /// Call number `n` is made by the function [`call_name`]`(n)`.
    pub(super) calls: Vec<CallSite>,
    /// Node number `n` is announced by the function [`node_name`]`(n)`.
    pub(super) nodes: Vec<Site>,
}

/// Name of the function that makes a call. The zero character keeps it apart from every name in a source.
pub(super) fn call_name(index: usize) -> String {
    format!("\u{0}call{index}")
}

/// Name of the function that announces a node.
pub(super) fn node_name(index: usize) -> String {
    format!("\u{0}node{index}")
}

/// Name of the function that turns a value into the text Go would print; nil, and no value at all, stay nil.
pub(super) const PRINT: &str = "\u{0}print";

/// Rewrites all trees of a template.
pub(super) fn instrument(trees: Trees, source: &str) -> Instrumented {
    let mut rewriter = Rewriter {
        source,
        tree: String::new(),
        out: Instrumented::default(),
    };
    for (name, mut tree) in trees {
        rewriter.tree.clone_from(&name);
        rewriter.list(&mut tree);
        rewriter.out.trees.insert(name, tree);
    }
    rewriter.out
}

struct Rewriter<'a> {
    source: &'a str,
    /// The tree at work.
    tree: String,
    out: Instrumented,
}

impl Rewriter<'_> {
    fn site(&self, position: Pos, text: String) -> Site {
        Site {
            tree: self.tree.clone(),
            offset: position.offset,
            text,
        }
    }

    fn list(&mut self, list: &mut ListNode) {
        let nodes = std::mem::take(&mut list.nodes);
        for mut node in nodes {
            if let Some(site) = self.node_site(&node) {
                list.nodes
                    .push(announcement(self.out.nodes.len(), list.pos));
                self.out.nodes.push(site);
            }
            self.node(&mut node);
            list.nodes.push(node);
        }
    }

    fn node_site(&self, node: &Node) -> Option<Site> {
        match node {
            Node::Action(action) => Some(self.pipe_site(&action.pipe)),
            Node::If(branch) | Node::Range(branch) | Node::With(branch) => {
                Some(self.pipe_site(&branch.pipe))
            }
            Node::Template(call) => Some(self.template_site(call)),
            Node::List(_)
            | Node::Text(_)
            | Node::Define(_)
            | Node::Break(_)
            | Node::Continue(_) => None,
        }
    }

    /// A pipeline: its command, where it has only one.
    fn pipe_site(&self, pipe: &PipeNode) -> Site {
        match pipe.commands.as_slice() {
            [command] => self.site(
                command_position(command),
                source_text::command(command, self.source),
            ),
            _ => self.site(pipe.pos, source_text::pipe(pipe, self.source)),
        }
    }

    /// A call of another template: at the name, as Go has it.
    fn template_site(&self, call: &TemplateNode) -> Site {
        let name = self.source[call.pos.offset..].find(['"', '`']).unwrap_or(0);
        let data = call
            .pipe
            .iter()
            .map(|pipe| format!(" {}", source_text::pipe(pipe, self.source)));
        let text = format!(
            "{{{{template {:?}{}}}}}",
            call.name.as_str(),
            data.collect::<String>()
        );
        self.site(Pos::new(call.pos.offset + name, call.pos.line), text)
    }

    fn node(&mut self, node: &mut Node) {
        match node {
            Node::Action(action) => self.action(action),
            Node::If(branch) | Node::Range(branch) | Node::With(branch) => {
                self.pipe(&mut branch.pipe);
                self.list(&mut branch.body);
                branch.else_body.iter_mut().for_each(|list| self.list(list));
            }
            Node::Template(call) => self.template(call),
            Node::List(list) => self.list(list),
            Node::Text(_) | Node::Define(_) | Node::Break(_) | Node::Continue(_) => {}
        }
    }

    /// A template called without data sees nil; the engine would hand it the caller's dot.
    fn template(&mut self, call: &mut TemplateNode) {
        match &mut call.pipe {
            Some(pipe) => self.pipe(pipe),
            None => call.pipe = Some(pipe_of(call_of(PRINT, call.pos))),
        }
    }

    /// An action that prints does so through our own function.
    fn action(&mut self, action: &mut ActionNode) {
        self.pipe(&mut action.pipe);
        if action.pipe.decl.is_empty() {
            action.pipe.commands.push(call_of(PRINT, action.pos));
        }
    }

    fn pipe(&mut self, pipe: &mut PipeNode) {
        for (stage, command) in pipe.commands.iter_mut().enumerate() {
            let text = source_text::command(command, self.source);
            let arguments: Vec<Argument> = command.args[1..]
                .iter()
                .map(|argument| self.argument(argument))
                .collect();
            let literal = stage == 0 && arguments.iter().all(|argument| argument.literal);
            let (first, rest) = command
                .args
                .split_first_mut()
                .expect("invariant: the parser refuses empty commands");
            for argument in rest {
                self.operand(argument);
            }
            match first {
                Expr::Chain(_, inner, _) if matches!(**inner, Expr::Identifier(..)) => {
                    self.call(inner, text, arguments, literal);
                }
                Expr::Identifier(..) => self.call(first, text, arguments, literal),
                other => self.operand(other),
            }
        }
    }

    fn argument(&self, argument: &Expr) -> Argument {
        let site = match argument {
            Expr::Pipe(_, pipe) => self.pipe_site(pipe),
            other => self.site(other.pos(), source_text::expression(other, self.source)),
        };
        Argument {
            site,
            literal: matches!(
                argument,
                Expr::String(..) | Expr::Number(..) | Expr::Bool(..) | Expr::Nil(_)
            ),
        }
    }

    /// An operand that is not the function of its command: a name there is a call without arguments.
    fn operand(&mut self, operand: &mut Expr) {
        match operand {
            Expr::Identifier(..) => {
                let text = source_text::expression(operand, self.source);
                self.call(operand, text, Vec::new(), true);
            }
            Expr::Pipe(_, pipe) => self.pipe(pipe),
            Expr::Chain(_, inner, _) => self.operand(inner),
            _ => {}
        }
    }

    /// Replaces a function's name by that of the call; lazy built-ins stay.
    fn call(
        &mut self,
        identifier: &mut Expr,
        text: String,
        arguments: Vec<Argument>,
        literal: bool,
    ) {
        let Expr::Identifier(position, name) = identifier else {
            return;
        };
        let Some(function) = functions::find(name) else {
            return;
        };
        let site = self.site(*position, text);
        *name = SmolStr::new(call_name(self.out.calls.len()));
        self.out.calls.push(CallSite {
            site,
            function,
            arguments,
            literal,
        });
    }
}

fn call_of(name: &str, position: Pos) -> CommandNode {
    CommandNode {
        pos: position,
        args: vec![Expr::Identifier(position, SmolStr::new(name))],
    }
}

fn pipe_of(command: CommandNode) -> PipeNode {
    PipeNode {
        pos: command.pos,
        decl: Vec::new(),
        commands: vec![command],
        is_assign: false,
    }
}

/// Where Go says that a command is: a chain of fields is at its second name.
fn command_position(command: &CommandNode) -> Pos {
    let skipped = match command.args.as_slice() {
        [Expr::Field(_, fields)] if fields.len() > 1 => 1 + fields[0].len(),
        [Expr::Variable(_, name, fields)] if !fields.is_empty() => name.len(),
        _ => 0,
    };
    Pos::new(command.pos.offset + skipped, command.pos.line)
}

/// A node that runs a function and prints nothing: the function answers with [`nothing`].
fn announcement(index: usize, position: Pos) -> Node {
    Node::Action(ActionNode {
        pos: position,
        pipe: pipe_of(call_of(&node_name(index), position)),
    })
}

/// What an announcement prints.
pub(super) fn nothing() -> Value {
    Value::String(Arc::from(""))
}
