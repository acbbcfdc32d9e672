//! `printf`: reads a format as Go's fmt does, with flags, width, precision and argument numbers.
//! What a verb makes of a value is in `verbs`.

use super::verbs::{Options, print};
use super::{Call, CallError, Value, check_length, text};

/// Greatest width, precision or argument number; beyond, Go too takes them for mistakes.
const MAX_NUMBER: i64 = 1_000_000;

pub(super) fn printf(call: &Call<'_>) -> Result<Value, CallError> {
    let mut printer = Printer {
        format: call.text(0),
        position: 0,
        args: &call.args[1..],
        next: 0,
        reordered: false,
        good_number: true,
        out: Vec::new(),
    };
    printer.run()?;
    text(printer.out)
}

struct Printer<'a> {
    format: &'a [u8],
    position: usize,
    args: &'a [Value],
    /// Number of the next argument.
    next: usize,
    /// Whether the format names arguments by number.
    reordered: bool,
    /// Whether the argument number of this directive makes sense.
    good_number: bool,
    out: Vec<u8>,
}

impl Printer<'_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.position).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.position += usize::from(found);
        found
    }

    fn run(&mut self) -> Result<(), CallError> {
        while self.position < self.format.len() {
            let rest = &self.format[self.position..];
            let length = rest
                .iter()
                .position(|byte| *byte == b'%')
                .unwrap_or(rest.len());
            self.out.extend_from_slice(&rest[..length]);
            self.position += length;
            if self.take(b'%') {
                self.directive()?;
            }
            check_length(Some(self.out.len()))?;
        }
        self.extra()
    }

    fn directive(&mut self) -> Result<(), CallError> {
        self.good_number = true;
        let mut options = self.flags();
        let mut after_number = self.argument_number();
        if self.take(b'*') {
            self.width_argument(&mut options);
            after_number = false;
        } else {
            options.width = self.number();
            self.good_number &= !(after_number && options.width.is_some());
        }
        if self.peek() == Some(b'.') && self.position + 1 < self.format.len() {
            self.position += 1;
            self.good_number &= !after_number;
            after_number = self.argument_number();
            if self.take(b'*') {
                self.precision_argument(&mut options);
                after_number = false;
            } else {
                options.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !after_number {
            self.argument_number();
        }
        self.verb(options)
    }

    fn flags(&mut self) -> Options {
        let mut options = Options::default();
        while let Some(flag) = self.peek() {
            match flag {
                b'#' => options.sharp = true,
                b'0' => options.zero = true,
                b'+' => options.plus = true,
                b'-' => options.minus = true,
                b' ' => options.space = true,
                _ => break,
            }
            self.position += 1;
        }
        options
    }

    /// A decimal number, if here is one.
    fn number(&mut self) -> Option<usize> {
        let digits = self.format[self.position..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let text = std::str::from_utf8(&self.format[self.position..self.position + digits]).ok()?;
        let number: i64 = text.parse().ok()?;
        if number > MAX_NUMBER {
            return None;
        }
        self.position += digits;
        usize::try_from(number).ok()
    }

    /// `[3]`: the third argument is next.
    fn argument_number(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let rest = &self.format[self.position..];
        let Some(end) = rest
            .iter()
            .position(|byte| *byte == b']')
            .filter(|_| rest.len() >= 3)
        else {
            self.good_number = false;
            self.position += 1;
            return false;
        };
        let inside = std::str::from_utf8(&rest[1..end]).unwrap_or_default();
        let number = inside
            .parse::<usize>()
            .ok()
            .filter(|_| inside.bytes().all(|byte| byte.is_ascii_digit()));
        self.position += end + 1;
        match number {
            Some(number) if (1..=self.args.len()).contains(&number) => {
                self.next = number - 1;
                true
            }
            _ => {
                self.good_number = false;
                number.is_some()
            }
        }
    }

    /// The next argument as a width or precision.
    fn number_argument(&mut self) -> Option<i64> {
        let value = self.args.get(self.next);
        self.next += usize::from(value.is_some());
        match value {
            Some(Value::Int(number, _)) if number.abs() <= MAX_NUMBER => Some(*number),
            _ => None,
        }
    }

    fn width_argument(&mut self, options: &mut Options) {
        match self.number_argument() {
            None => self.out.extend(b"%!(BADWIDTH)"),
            Some(width) => {
                options.width = usize::try_from(width.abs()).ok();
                if width < 0 {
                    options.minus = true;
                    options.zero = false;
                }
            }
        }
    }

    fn precision_argument(&mut self, options: &mut Options) {
        options.precision = self
            .number_argument()
            .and_then(|number| usize::try_from(number).ok());
        if options.precision.is_none() {
            self.out.extend(b"%!(BADPREC)");
        }
    }

    fn verb(&mut self, mut options: Options) -> Result<(), CallError> {
        let rest = String::from_utf8_lossy(&self.format[self.position..]);
        let Some(verb) = rest.chars().next() else {
            self.out.extend(b"%!(NOVERB)");
            return Ok(());
        };
        self.position += verb.len_utf8().min(self.format.len() - self.position);
        match self.args.get(self.next) {
            _ if verb == '%' => self.out.push(b'%'),
            _ if !self.good_number => self.out.extend(format!("%!{verb}(BADINDEX)").bytes()),
            None => self.out.extend(format!("%!{verb}(MISSING)").bytes()),
            Some(value) => {
                if verb == 'v' {
                    options.go_syntax = std::mem::take(&mut options.sharp);
                    options.field_names = std::mem::take(&mut options.plus);
                }
                print(&mut self.out, value, verb, options, 0)?;
                self.next += 1;
            }
        }
        Ok(())
    }

    /// Arguments that no directive asked for.
    fn extra(&mut self) -> Result<(), CallError> {
        let extra = self.args.get(self.next..).unwrap_or_default();
        if self.reordered || extra.is_empty() {
            return Ok(());
        }
        self.out.extend(b"%!(EXTRA ");
        for (index, value) in extra.iter().enumerate() {
            self.out
                .extend_from_slice(if index == 0 { b"" } else { b", " });
            if !matches!(value, Value::Nil) {
                self.out.extend(format!("{}=", value.type_name()).bytes());
            }
            print(&mut self.out, value, 'v', Options::default(), 0)?;
        }
        self.out.push(b')');
        Ok(())
    }
}
