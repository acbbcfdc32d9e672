//! Reads a template into trees, and refuses what Go's parser refuses, at the same line and in the same words.
//! Runs nothing; functions are only looked up.

mod pipeline;

use std::collections::BTreeMap;

use super::lex::lex;
use super::number::unquote;
use super::token::{Kind, Token};
use super::tree::{Branch, Invocation, Node, Tree, is_empty};
use crate::go::quote::quote;

/// Deepest nesting of blocks, `else if` and parentheses. Go's limit is in the ten thousands; ours keeps the parser and
/// everything that walks a tree within its stack.
const MAX_NESTING: usize = 100;

/// What a template does not parse for.
pub(super) struct Flaw {
    pub(super) line: usize,
    pub(super) message: String,
}

type Parsed<T> = Result<T, Flaw>;

/// All templates that a source defines. The one of the source's own name is among them.
pub(super) type Trees = BTreeMap<String, Tree>;

/// Parses a source.
pub(super) fn parse(name: &str, source: &str) -> Parsed<Trees> {
    let mut parser = Parser {
        tokens: lex(source),
        next: 0,
        reached: 0,
        action_line: 0,
        name,
        scope: Scope::default(),
        nesting: 0,
        trees: Trees::new(),
    };
    let nodes = parser.source()?;
    parser.add(name.to_owned(), nodes)?;
    Ok(parser.trees)
}

/// What belongs to the template at work: a definition inside another begins afresh.
struct Scope {
    variables: Vec<String>,
    ranges: usize,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            variables: vec!["$".to_owned()],
            ranges: 0,
        }
    }
}

/// How a list of nodes ended.
enum End {
    End,
    Else,
}

impl End {
    fn shown(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

enum Parsing {
    Node(Node),
    End(End),
}

struct Parser<'a> {
    tokens: Vec<Token>,
    /// Number of the next token.
    next: usize,
    /// The furthest token looked at: errors are at its line.
    reached: usize,
    /// Line of the action at work; 0 outside.
    action_line: usize,
    name: &'a str,
    scope: Scope,
    nesting: usize,
    trees: Trees,
}

impl Parser<'_> {
    fn flaw<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(Flaw {
            line: self.tokens[self.reached].line,
            message: message.into(),
        })
    }

    fn unexpected<T>(&self, token: &Token, context: &str) -> Parsed<T> {
        if token.kind != Kind::Error {
            return self.flaw(format!("unexpected {} in {context}", token.shown()));
        }
        let mut extra = String::new();
        if self.action_line != 0 && self.action_line != token.line {
            let action = if token.text.ends_with(" action") {
                ""
            } else {
                " in action"
            };
            extra = format!("{action} started at {}:{}", self.name, self.action_line);
        }
        self.flaw(format!("{}{extra}", token.text))
    }

    fn peek(&mut self) -> &Token {
        let index = self.next.min(self.tokens.len() - 1);
        self.reached = self.reached.max(index);
        &self.tokens[index]
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn skip_space(&mut self) {
        while self.peek().kind == Kind::Space {
            self.next += 1;
        }
    }

    fn peek_word(&mut self) -> &Token {
        self.skip_space();
        self.peek()
    }

    fn take_word(&mut self) -> Token {
        self.skip_space();
        self.take()
    }

    fn is_keyword(token: &Token, word: &str) -> bool {
        token.kind == Kind::Keyword && token.text == word
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<()> {
        let token = self.take_word();
        if token.kind == kind {
            return Ok(());
        }
        self.unexpected(&token, context)
    }

    fn add(&mut self, name: String, nodes: Vec<Node>) -> Parsed<()> {
        match self.trees.get(&name) {
            Some(known) if !is_empty(&known.nodes) => {
                if !is_empty(&nodes) {
                    return self.flaw(format!(
                        "template: multiple definition of template {}",
                        quote(name)
                    ));
                }
            }
            _ => {
                self.trees.insert(name.clone(), Tree { name, nodes });
            }
        }
        Ok(())
    }

    fn source(&mut self) -> Parsed<Vec<Node>> {
        let mut nodes = Vec::new();
        while self.peek().kind != Kind::Eof {
            if self.peek().kind == Kind::LeftDelim {
                let start = self.next;
                self.next += 1;
                if Self::is_keyword(&self.take_word(), "define") {
                    self.definition()?;
                    continue;
                }
                self.next = start;
            }
            match self.text_or_action()? {
                Parsing::Node(node) => nodes.push(node),
                Parsing::End(end) => return self.flaw(format!("unexpected {}", end.shown())),
            }
        }
        Ok(nodes)
    }

    fn definition(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let name = self.take_word();
        let name = self.template_name(&name, CONTEXT)?;
        self.expect(Kind::RightDelim, CONTEXT)?;
        let outer = std::mem::take(&mut self.scope);
        let nodes = self.body_to_end(CONTEXT)?;
        self.scope = outer;
        self.add(name, nodes)
    }

    fn body_to_end(&mut self, context: &str) -> Parsed<Vec<Node>> {
        let (nodes, end) = self.list()?;
        match end {
            End::End => Ok(nodes),
            End::Else => self.flaw(format!("unexpected {} in {context}", end.shown())),
        }
    }

    /// Nodes up to `end` or `else`.
    fn list(&mut self) -> Parsed<(Vec<Node>, End)> {
        self.nest()?;
        let mut nodes = Vec::new();
        while self.peek_word().kind != Kind::Eof {
            match self.text_or_action()? {
                Parsing::Node(node) => nodes.push(node),
                Parsing::End(end) => {
                    self.nesting -= 1;
                    return Ok((nodes, end));
                }
            }
        }
        self.flaw("unexpected EOF")
    }

    fn nest(&mut self) -> Parsed<()> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return self.flaw("max expression depth exceeded");
        }
        Ok(())
    }

    fn text_or_action(&mut self) -> Parsed<Parsing> {
        let token = self.take_word();
        match token.kind {
            Kind::Text => Ok(Parsing::Node(Node::Text(token.text))),
            Kind::LeftDelim => {
                self.action_line = token.line;
                let node = self.action()?;
                self.action_line = 0;
                Ok(node)
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Parsed<Parsing> {
        let token = self.peek_word().clone();
        if token.kind != Kind::Keyword || token.text == "define" {
            return Ok(Parsing::Node(Node::Action(
                self.pipeline("command", Kind::RightDelim)?,
            )));
        }
        self.next += 1;
        let node = match token.text.as_str() {
            "block" => self.block()?,
            "break" => self.jump("{{break}}", Node::Break)?,
            "continue" => self.jump("{{continue}}", Node::Continue)?,
            "else" => return self.otherwise(),
            "end" => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Parsing::End(End::End));
            }
            "if" => Node::If(self.branch("if")?),
            "range" => Node::Range(self.branch("range")?),
            "template" => self.invocation()?,
            _ => Node::With(self.branch("with")?),
        };
        Ok(Parsing::Node(node))
    }

    fn jump(&mut self, shown: &str, node: Node) -> Parsed<Node> {
        self.expect(Kind::RightDelim, shown)?;
        if self.scope.ranges == 0 {
            return self.flaw(format!("{shown} outside {{{{range}}}}"));
        }
        Ok(node)
    }

    /// `else`; what follows as `if` or `with` stays for the branch that is asked next.
    fn otherwise(&mut self) -> Parsed<Parsing> {
        let next = self.peek_word();
        if !Self::is_keyword(next, "if") && !Self::is_keyword(next, "with") {
            self.expect(Kind::RightDelim, "else")?;
        }
        Ok(Parsing::End(End::Else))
    }

    fn branch(&mut self, context: &str) -> Parsed<Branch> {
        let outside = self.scope.variables.len();
        let pipe = self.pipeline(context, Kind::RightDelim)?;
        let loops = usize::from(context == "range");
        self.scope.ranges += loops;
        let (body, end) = self.list()?;
        self.scope.ranges -= loops;
        let otherwise = match end {
            End::End => None,
            End::Else => Some(self.else_list(context)?),
        };
        self.scope.variables.truncate(outside);
        Ok(Branch {
            pipe,
            body,
            otherwise,
        })
    }

    fn else_list(&mut self, context: &str) -> Parsed<Vec<Node>> {
        let next = self.peek().clone();
        let chains = matches!(context, "if" | "with") && Self::is_keyword(&next, context);
        if chains {
            self.next += 1;
            self.nest()?;
            let branch = self.branch(context)?;
            self.nesting -= 1;
            let node = if context == "if" {
                Node::If(branch)
            } else {
                Node::With(branch)
            };
            return Ok(vec![node]);
        }
        let (nodes, end) = self.list()?;
        match end {
            End::End => Ok(nodes),
            End::Else => self.flaw(format!("expected end; found {}", end.shown())),
        }
    }

    fn block(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "block clause";
        let token = self.take_word();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelim)?;
        let outer = std::mem::take(&mut self.scope);
        let nodes = self.body_to_end(CONTEXT)?;
        self.scope = outer;
        self.add(name.clone(), nodes)?;
        Ok(Node::Template(Invocation {
            pos: token.pos,
            name,
            pipe: Some(pipe),
        }))
    }

    fn invocation(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "template clause";
        let token = self.take_word();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = if self.peek_word().kind == Kind::RightDelim {
            self.next += 1;
            None
        } else {
            Some(self.pipeline(CONTEXT, Kind::RightDelim)?)
        };
        Ok(Node::Template(Invocation {
            pos: token.pos,
            name,
            pipe,
        }))
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Parsed<String> {
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return self.unexpected(token, context);
        }
        match unquote(&token.text) {
            Some(name) => Ok(name.lossy().into_owned()),
            None => self.flaw("invalid syntax"),
        }
    }
}
