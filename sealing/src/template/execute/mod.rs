//! Runs a template and, when it fails, says where in words that hold no value.
//! Bounded in output, in depth, in the work of functions and in rounds of loops.

mod evaluate;

use super::error::{Place, TemplateError};
use super::functions::CallError;
use super::print::display;
use super::run::Run;
use super::tree::{Branch, Command, Invocation, Node, Operand, Pipe, Tree};
use super::value::{IntType, Value};
use super::{MAX_OUTPUT, Template};
use crate::go::quote::quote;
use crate::secret_bytes::SecretBytes;

/// Deepest nesting of lists of nodes and pipelines at work, through calls of templates. Go's limit is 100,000 calls.
const MAX_DEPTH: usize = 250;

type Executed<T> = Result<T, TemplateError>;

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Through,
    Break,
    Continue,
}

/// The part of the template at work, which an error names.
#[derive(Clone, Copy)]
enum At<'t> {
    Pipe(&'t Pipe),
    Command(&'t Command),
    Operand(&'t Operand),
    Template(&'t Invocation),
}

struct State<'t> {
    template: &'t Template<'t>,
    run: &'t Run<'t>,
    tree: &'t Tree,
    /// The innermost last; `$` first.
    variables: Vec<(&'t str, Value)>,
    at: Option<At<'t>>,
    depth: usize,
    out: Vec<u8>,
}

/// Runs the tree of the template's own name.
pub(super) fn execute(
    template: &Template<'_>,
    run: &Run<'_>,
    dot: &Value,
) -> Executed<SecretBytes> {
    let Some(tree) = template.trees.get(template.name) else {
        return Ok(SecretBytes::from(&b""[..]));
    };
    let mut state = State {
        template,
        run,
        tree,
        variables: vec![("$", dot.clone())],
        at: None,
        depth: 0,
        out: Vec::new(),
    };
    state.list(&tree.nodes, dot)?;
    Ok(SecretBytes::from(state.out))
}

impl<'t> State<'t> {
    fn fail<T>(&self, message: &str) -> Executed<T> {
        let (pos, text) = match self.at {
            None => (0, String::new()),
            Some(At::Pipe(pipe)) => (pipe.pos, pipe.to_string()),
            Some(At::Command(command)) => (command.pos, command.to_string()),
            Some(At::Operand(operand)) => (operand.pos, operand.to_string()),
            Some(At::Template(invocation)) => (invocation.pos, invocation.to_string()),
        };
        let place = Place {
            tree: &self.tree.name,
            pos,
            text,
        };
        Err(TemplateError::execution(
            self.template.name,
            self.template.source,
            &place,
            message,
        ))
    }

    fn deeper(&mut self) -> Executed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail("exceeded maximum template depth");
        }
        Ok(())
    }

    fn list(&mut self, nodes: &'t [Node], dot: &Value) -> Executed<Flow> {
        self.deeper()?;
        for node in nodes {
            let flow = self.node(node, dot)?;
            if flow != Flow::Through {
                self.depth -= 1;
                return Ok(flow);
            }
        }
        self.depth -= 1;
        Ok(Flow::Through)
    }

    fn node(&mut self, node: &'t Node, dot: &Value) -> Executed<Flow> {
        match node {
            Node::Text(text) => self.write(text.as_bytes())?,
            Node::Action(pipe) => {
                let value = self.pipeline(pipe, dot)?;
                if pipe.variables.is_empty() {
                    self.print(&value)?;
                }
            }
            Node::If(branch) => return self.branch(branch, dot, false),
            Node::With(branch) => return self.branch(branch, dot, true),
            Node::Range(branch) => return self.range(branch, dot),
            Node::Template(invocation) => self.invoke(invocation, dot)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Through)
    }

    fn write(&mut self, text: &[u8]) -> Executed<()> {
        if self.out.len() + text.len() > MAX_OUTPUT {
            return self.refuse(&CallError::TooMuch);
        }
        self.out.extend_from_slice(text);
        Ok(())
    }

    fn print(&mut self, value: &Value) -> Executed<()> {
        match (value, display(value)) {
            (Value::Nil, _) => self.write(b"<no value>"),
            (_, Ok(text)) => self.write(&text),
            (_, Err(_)) => self.refuse(&CallError::TooMuch),
        }
    }

    /// A limit was reached.
    fn refuse<T>(&self, error: &CallError) -> Executed<T> {
        self.fail(&error.message("", false))
    }

    fn branch(&mut self, branch: &'t Branch, dot: &Value, with: bool) -> Executed<Flow> {
        let outside = self.variables.len();
        let value = self.pipeline(&branch.pipe, dot)?;
        let flow = match (value.is_true(), &branch.otherwise) {
            (true, _) => self.list(&branch.body, if with { &value } else { dot })?,
            (false, Some(otherwise)) => self.list(otherwise, dot)?,
            (false, None) => Flow::Through,
        };
        self.variables.truncate(outside);
        Ok(flow)
    }

    fn range(&mut self, branch: &'t Branch, dot: &Value) -> Executed<Flow> {
        let outside = self.variables.len();
        let subject = self.pipeline(&branch.pipe, dot)?;
        let any = match &subject {
            Value::Nil => false,
            Value::Int(end, int) => self.count(branch, *end, *int)?,
            Value::List(list) => {
                let indexed = (0..).map(Value::int).zip(list.items().iter().cloned());
                self.rounds(branch, indexed)?
            }
            _ => match subject.entries() {
                Some(entries) => {
                    let keyed = entries
                        .into_iter()
                        .map(|(key, value)| (Value::Text(key), value));
                    self.rounds(branch, keyed)?
                }
                None => {
                    let kind = subject.type_name();
                    return self.fail(&format!("range can't iterate over a value of type {kind}"));
                }
            },
        };
        let flow = match &branch.otherwise {
            Some(otherwise) if !any => self.list(otherwise, dot)?,
            _ => Flow::Through,
        };
        self.variables.truncate(outside);
        Ok(flow)
    }

    fn count(&mut self, branch: &'t Branch, end: i64, int: IntType) -> Executed<bool> {
        if branch.pipe.variables.len() > 1 {
            return self.fail("can't use an integer to iterate over more than one variable");
        }
        self.rounds(
            branch,
            (0..end).map(|number| (Value::Nil, Value::Int(number, int))),
        )
    }

    /// Runs the body for each pair of index and element; false when there is none.
    fn rounds(
        &mut self,
        branch: &'t Branch,
        pairs: impl Iterator<Item = (Value, Value)>,
    ) -> Executed<bool> {
        let mark = self.variables.len();
        let mut any = false;
        for (index, element) in pairs {
            any = true;
            if let Err(error) = self.run.count_round() {
                return self.refuse(&error);
            }
            self.set_round(&branch.pipe, index, &element)?;
            let flow = self.list(&branch.body, &element)?;
            self.variables.truncate(mark);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(any)
    }

    fn set_round(&mut self, pipe: &'t Pipe, index: Value, element: &Value) -> Executed<()> {
        let values = match pipe.variables.len() {
            0 => return Ok(()),
            1 => vec![element.clone()],
            _ => vec![index, element.clone()],
        };
        if pipe.assigns {
            for (name, value) in pipe.variables.iter().zip(values) {
                self.assign(name, value)?;
            }
            return Ok(());
        }
        // The pipeline has declared its variables; the first of two holds the index.
        let first = self.variables.len() - values.len();
        for (variable, value) in self.variables[first..].iter_mut().zip(values) {
            variable.1 = value;
        }
        Ok(())
    }

    fn invoke(&mut self, invocation: &'t Invocation, dot: &Value) -> Executed<()> {
        self.at = Some(At::Template(invocation));
        let Some(tree) = self.template.trees.get(&invocation.name) else {
            let name = quote(&invocation.name);
            return self.fail(&format!("template {name} not defined"));
        };
        let dot = match &invocation.pipe {
            Some(pipe) => self.pipeline(pipe, dot)?,
            None => Value::Nil,
        };
        let variables = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        let caller = std::mem::replace(&mut self.tree, tree);
        self.list(&tree.nodes, &dot)?;
        self.variables = variables;
        self.tree = caller;
        Ok(())
    }

    fn variable(&self, name: &str) -> Executed<Value> {
        match self
            .variables
            .iter()
            .rev()
            .find(|(known, _)| *known == name)
        {
            Some((_, value)) => Ok(value.clone()),
            None => self.fail(&format!("undefined variable: {name}")),
        }
    }

    fn assign(&mut self, name: &str, value: Value) -> Executed<()> {
        match self
            .variables
            .iter_mut()
            .rev()
            .find(|(known, _)| *known == name)
        {
            Some(variable) => variable.1 = value,
            None => return self.fail(&format!("undefined variable: {name}")),
        }
        Ok(())
    }
}
