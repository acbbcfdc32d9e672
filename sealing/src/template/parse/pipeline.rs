//! Pipelines: commands, operands and the variables that they set.
//! Blocks are the parser's other half.

use super::{Parsed, Parser};
use crate::go::quote::quote;
use crate::template::functions;
use crate::template::number::{Number, unquote};
use crate::template::token::Kind;
use crate::template::tree::{Command, Operand, Pipe, Term};

impl Parser<'_> {
    /// A pipeline up to its end, which is taken.
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let mut pipe = Pipe {
            pos: self.peek_word().pos,
            assigns: false,
            variables: Vec::new(),
            commands: Vec::new(),
        };
        while self.declaration(context, &mut pipe)? {}
        loop {
            let token = self.peek_word().clone();
            if token.kind == end {
                self.next += 1;
                self.check_pipeline(&pipe, context)?;
                return Ok(pipe);
            }
            if !begins_operand(token.kind) {
                self.next += 1;
                return self.unexpected(&token, context);
            }
            pipe.commands.push(self.command()?);
        }
    }

    /// Takes a variable that the pipeline sets; true when another must follow.
    fn declaration(&mut self, context: &str, pipe: &mut Pipe) -> Parsed<bool> {
        let variable = self.peek_word().clone();
        if variable.kind != Kind::Variable {
            return Ok(false);
        }
        let start = self.next;
        self.next += 1;
        let sign = self.take_word();
        let comma = sign.kind == Kind::Char && sign.text == ",";
        if !comma && !matches!(sign.kind, Kind::Assign | Kind::Declare) {
            self.next = start;
            return Ok(false);
        }
        pipe.assigns = sign.kind == Kind::Assign;
        pipe.variables.push(variable.text.clone());
        self.scope.variables.push(variable.text);
        if !comma {
            return Ok(false);
        }
        if context != "range" || pipe.variables.len() > 1 {
            return self.flaw(format!("too many declarations in {context}"));
        }
        match self.peek_word().kind {
            Kind::Variable | Kind::RightDelim | Kind::RightParen => Ok(true),
            _ => self.flaw("range can only initialize variables"),
        }
    }

    fn check_pipeline(&self, pipe: &Pipe, context: &str) -> Parsed<()> {
        if pipe.commands.is_empty() {
            return self.flaw(format!("missing value for {context}"));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            let term = &command.args[0].term;
            if term.is_literal() || matches!(term, Term::Dot) {
                let stage = index + 1;
                return self.flaw(format!("non executable command in pipeline stage {stage}"));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Parsed<Command> {
        let mut command = Command {
            pos: self.peek_word().pos,
            args: Vec::new(),
        };
        loop {
            self.skip_space();
            command.args.extend(self.operand()?);
            let token = self.take();
            match token.kind {
                Kind::Space => {}
                Kind::RightDelim | Kind::RightParen => {
                    self.next -= 1;
                    break;
                }
                Kind::Pipe => break,
                _ => return self.unexpected(&token, "operand"),
            }
        }
        if command.args.is_empty() {
            return self.flaw("empty command");
        }
        Ok(command)
    }

    /// A term and the fields that hang on it.
    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(operand) = self.term()? else {
            return Ok(None);
        };
        let next = self.peek().clone();
        if next.kind != Kind::Field {
            return Ok(Some(operand));
        }
        let mut names = Vec::new();
        while self.peek().kind == Kind::Field {
            names.push(self.take().text[1..].to_owned());
        }
        let term = match operand.term {
            Term::Field(mut first) => {
                first.append(&mut names);
                Term::Field(first)
            }
            Term::Variable(mut first) => {
                first.append(&mut names);
                Term::Variable(first)
            }
            Term::Dot | Term::Nil | Term::Bool(_) | Term::Number(_) | Term::Literal { .. } => {
                let shown = quote(operand.to_string());
                return self.flaw(format!("unexpected . after term {shown}"));
            }
            _ => Term::Chain(Box::new(operand), names),
        };
        Ok(Some(Operand {
            pos: next.pos,
            term,
        }))
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        let token = self.take_word();
        let term = match token.kind {
            Kind::Identifier => self.function(token.text)?,
            Kind::Dot => Term::Dot,
            Kind::Nil => Term::Nil,
            Kind::Variable if self.scope.variables.contains(&token.text) => {
                Term::Variable(vec![token.text])
            }
            Kind::Variable => {
                let name = quote(&token.text);
                return self.flaw(format!("undefined variable {name}"));
            }
            Kind::Field => Term::Field(vec![token.text[1..].to_owned()]),
            Kind::Bool => Term::Bool(token.text == "true"),
            Kind::CharConstant => self.number(Number::of_character(&token.text))?,
            Kind::Number => self.number(Number::parse(&token.text))?,
            Kind::LeftParen => {
                self.nest()?;
                let pipe = self.pipeline("parenthesized pipeline", Kind::RightParen)?;
                self.nesting -= 1;
                return Ok(Some(Operand {
                    pos: pipe.pos,
                    term: Term::Pipe(pipe),
                }));
            }
            Kind::String | Kind::RawString => match unquote(&token.text) {
                Some(text) => Term::Literal {
                    quoted: token.text,
                    text,
                },
                None => return self.flaw("invalid syntax"),
            },
            _ => {
                self.next -= 1;
                return Ok(None);
            }
        };
        Ok(Some(Operand {
            pos: token.pos,
            term,
        }))
    }

    fn function(&self, name: String) -> Parsed<Term> {
        if functions::find(&name).is_none() {
            let name = quote(&name);
            return self.flaw(format!("function {name} not defined"));
        }
        Ok(Term::Function(name))
    }

    fn number(&self, number: Result<Number, String>) -> Parsed<Term> {
        number
            .map(Term::Number)
            .or_else(|message| self.flaw(message))
    }
}

fn begins_operand(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Bool
            | Kind::CharConstant
            | Kind::Dot
            | Kind::Field
            | Kind::Identifier
            | Kind::Number
            | Kind::Nil
            | Kind::RawString
            | Kind::String
            | Kind::Variable
            | Kind::LeftParen
    )
}
