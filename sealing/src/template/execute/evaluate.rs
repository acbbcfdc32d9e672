//! What pipelines, operands and calls give.
//! Writes nothing: that is the executor's other half.

use super::{At, Executed, State};
use crate::template::arguments::Param;
use crate::template::fields;
use crate::template::functions::{self, Call, Function};
use crate::template::number::Constant;
use crate::template::tree::{Command, Operand, Pipe, Term};
use crate::template::value::{IntType, Value};

impl<'t> State<'t> {
    /// The value of a pipeline, after its variables are set.
    pub(super) fn pipeline(&mut self, pipe: &'t Pipe, dot: &Value) -> Executed<Value> {
        self.deeper()?;
        self.at = Some(At::Pipe(pipe));
        let mut piped = None;
        for command in &pipe.commands {
            piped = Some(self.command(command, dot, piped)?);
        }
        let value = piped.unwrap_or(Value::Nil);
        for name in &pipe.variables {
            if pipe.assigns {
                self.assign(name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        self.depth -= 1;
        Ok(value)
    }

    fn command(
        &mut self,
        command: &'t Command,
        dot: &Value,
        piped: Option<Value>,
    ) -> Executed<Value> {
        let (first, args) = command
            .args
            .split_first()
            .expect("invariant: a command is not empty");
        match &first.term {
            Term::Function(name) => {
                self.function(name, first, At::Command(command), dot, args, piped)
            }
            Term::Field(_) | Term::Variable(_) | Term::Chain(..) => {
                self.fields(first, dot, args, piped)
            }
            Term::Pipe(pipe) => {
                self.not_a_function(first, args, piped.is_some())?;
                self.pipeline(pipe, dot)
            }
            term => {
                self.at = Some(At::Operand(first));
                self.not_a_function(first, args, piped.is_some())?;
                match term {
                    Term::Nil => self.fail("nil is not a command"),
                    _ => self.any(first, dot),
                }
            }
        }
    }

    fn not_a_function(&self, first: &Operand, args: &[Operand], piped: bool) -> Executed<()> {
        if args.is_empty() && !piped {
            return Ok(());
        }
        self.fail(&format!("can't give argument to non-function {first}"))
    }

    /// Fields of dot, of a variable, or of what a term gives.
    fn fields(
        &mut self,
        operand: &'t Operand,
        dot: &Value,
        args: &'t [Operand],
        piped: Option<Value>,
    ) -> Executed<Value> {
        self.at = Some(At::Operand(operand));
        let (mut receiver, names) = match &operand.term {
            Term::Variable(names) => {
                let value = self.variable(&names[0])?;
                if names.len() == 1 {
                    self.not_a_function(operand, args, piped.is_some())?;
                }
                (value, &names[1..])
            }
            Term::Chain(inner, names) => {
                if matches!(inner.term, Term::Nil) {
                    return self.fail(&format!("indirection through explicit nil in {operand}"));
                }
                (self.argument(Param::Any, inner, dot)?, names.as_slice())
            }
            Term::Field(names) => (dot.clone(), names.as_slice()),
            _ => return self.any(operand, dot),
        };
        let Some((last, first)) = names.split_last() else {
            return Ok(receiver);
        };
        for (name, next) in first.iter().zip(&names[1..]) {
            let null = fields::is_null(&receiver, name);
            receiver = self.field(operand, receiver, name, dot, &[], None)?;
            if null {
                return self.fail(&format!("nil pointer evaluating interface {{}}.{next}"));
            }
        }
        self.field(operand, receiver, last, dot, args, piped)
    }

    fn field(
        &mut self,
        operand: &'t Operand,
        receiver: Value,
        name: &str,
        dot: &Value,
        args: &'t [Operand],
        piped: Option<Value>,
    ) -> Executed<Value> {
        if matches!(receiver, Value::Nil) {
            return Ok(Value::Nil);
        }
        if let Some(method) = fields::method(&receiver, name) {
            return self.call(
                method,
                Some(receiver),
                At::Operand(operand),
                dot,
                args,
                piped,
            );
        }
        let has_args = !args.is_empty() || piped.is_some();
        match fields::field(&receiver, name) {
            Some(_) if has_args && matches!(receiver, Value::Certificate(_)) => self.fail(
                &format!("{name} has arguments but cannot be invoked as function"),
            ),
            Some(_) if has_args => self.fail(&format!("{name} is not a method but has arguments")),
            Some(value) => Ok(value),
            None => {
                let kind = receiver.type_name();
                self.fail(&format!("can't evaluate field {name} in type {kind}"))
            }
        }
    }

    fn function(
        &mut self,
        name: &str,
        operand: &'t Operand,
        caller: At<'t>,
        dot: &Value,
        args: &'t [Operand],
        piped: Option<Value>,
    ) -> Executed<Value> {
        self.at = Some(At::Operand(operand));
        match functions::find(name) {
            Some(function) => self.call(function, None, caller, dot, args, piped),
            None => self.fail(&format!("{name:?} is not a defined function")),
        }
    }

    /// Calls a function, or a method of a receiver.
    fn call(
        &mut self,
        function: &'static Function,
        receiver: Option<Value>,
        caller: At<'t>,
        dot: &Value,
        args: &'t [Operand],
        piped: Option<Value>,
    ) -> Executed<Value> {
        self.check_count(function, args.len(), piped.is_some())?;
        if let Some(until) = function.lazy {
            return self.lazy(until, dot, args, piped);
        }
        let literal = piped.is_none() && args.iter().all(|arg| arg.term.is_literal());
        let offset = usize::from(receiver.is_some());
        let mut values: Vec<Value> = receiver.into_iter().collect();
        for (index, arg) in args.iter().enumerate() {
            values.push(self.argument(function.param(index), arg, dot)?);
        }
        if let Some(piped) = piped {
            let param = function.param(values.len() - offset);
            values.push(self.suitable(param, piped)?);
        }
        let call = Call {
            args: &values,
            run: self.run,
        };
        if function.varies {
            self.run.vary();
        }
        let result =
            (function.call)(&call).and_then(|value| self.run.pay_for(&value).map(|()| value));
        result.or_else(|error| {
            self.at = Some(caller);
            self.fail(&error.message(function.name, literal))
        })
    }

    fn check_count(&self, function: &Function, args: usize, piped: bool) -> Executed<()> {
        let (name, wanted) = (function.name, function.params.len());
        let given = args + usize::from(piped);
        let message = match function.rest {
            Some(_) if given < wanted => {
                format!("wrong number of args for {name}: want at least {wanted} got {args}")
            }
            None if given != wanted => {
                format!("wrong number of args for {name}: want {wanted} got {given}")
            }
            _ => return Ok(()),
        };
        self.fail(&message)
    }

    /// `and` and `or`: the first argument that settles it, or else the last.
    fn lazy(
        &mut self,
        until: bool,
        dot: &Value,
        args: &'t [Operand],
        piped: Option<Value>,
    ) -> Executed<Value> {
        let mut value = Value::Nil;
        for arg in args {
            value = self.argument(Param::Any, arg, dot)?;
            if value.is_true() == until {
                return Ok(value);
            }
        }
        Ok(piped.unwrap_or(value))
    }

    fn argument(&mut self, param: Param, operand: &'t Operand, dot: &Value) -> Executed<Value> {
        self.at = Some(At::Operand(operand));
        match &operand.term {
            Term::Nil if param.can_be_nil() => return Ok(Value::Nil),
            Term::Nil => return self.fail(&format!("cannot assign nil to {}", param.name())),
            term if !term.is_literal() => {
                let value = self.any(operand, dot)?;
                return self.suitable(param, value);
            }
            _ => {}
        }
        let found = |wanted: &str| format!("expected {wanted}; found {operand}");
        let value = match (param, &operand.term) {
            (Param::Any, _) => return self.any(operand, dot),
            (Param::Bool, Term::Bool(flag)) => Value::Bool(*flag),
            (Param::Text, Term::Literal { text, .. }) => Value::Text(text.clone()),
            (Param::Int, Term::Number(number)) if number.int.is_some() => {
                Value::int(number.int.unwrap_or_default())
            }
            (Param::Duration, Term::Number(number)) if number.int.is_some() => {
                Value::Int(number.int.unwrap_or_default(), IntType::Duration)
            }
            (Param::Uint32, Term::Number(number)) if number.uint.is_some() => {
                let number = number.uint.unwrap_or_default() & u64::from(u32::MAX);
                Value::int(number.cast_signed())
            }
            (Param::Float, Term::Number(number)) if number.float.is_some() => {
                Value::Float(number.float.unwrap_or_default())
            }
            (Param::Bool, _) => return self.fail(&found("bool")),
            (Param::Text, _) => return self.fail(&found("string")),
            (Param::Int | Param::Duration, _) => {
                return self.fail(&found("integer"));
            }
            (Param::Uint32, _) => return self.fail(&found("unsigned integer")),
            (Param::Float, _) => return self.fail(&found("float")),
            _ => {
                let kind = param.name();
                return self.fail(&format!("can't handle {operand} for arg of type {kind}"));
            }
        };
        Ok(value)
    }

    /// Whatever an operand gives.
    fn any(&mut self, operand: &'t Operand, dot: &Value) -> Executed<Value> {
        match &operand.term {
            Term::Dot => Ok(dot.clone()),
            Term::Nil => Ok(Value::Nil),
            Term::Bool(flag) => Ok(Value::Bool(*flag)),
            Term::Literal { text, .. } => Ok(Value::Text(text.clone())),
            Term::Number(number) => match number.constant() {
                Constant::Int(int) => Ok(Value::int(int)),
                Constant::Float(float) => Ok(Value::Float(float)),
                Constant::Overflow => self.fail(&format!("{} overflows int", number.text)),
            },
            Term::Pipe(pipe) => self.pipeline(pipe, dot),
            Term::Function(name) => {
                self.function(name, operand, At::Operand(operand), dot, &[], None)
            }
            Term::Field(_) | Term::Variable(_) | Term::Chain(..) => {
                self.fields(operand, dot, &[], None)
            }
        }
    }

    /// A value that a parameter takes.
    fn suitable(&self, param: Param, value: Value) -> Executed<Value> {
        if param.takes(&value) {
            return Ok(value);
        }
        let (expected, found) = (param.name(), value.type_name());
        match value {
            Value::Nil => self.fail(&format!("invalid value; expected {expected}")),
            _ => self.fail(&format!(
                "wrong type for value; expected {expected}; got {found}"
            )),
        }
    }
}
