//! Sums: numbers, `+ - * /` and parentheses; the result has two decimals.

use serde_json::Value;

use super::super::rows::Database;
use super::super::tool::Arguments;
use super::values::text;

const MAX_CHARS: usize = 1000;
const MAX_DEPTH: usize = 50;

pub(super) fn calculate(_: &mut Database, arguments: &Arguments) -> Result<Value, String> {
    let expression = text(arguments, "expression");
    if expression.chars().count() > MAX_CHARS {
        return Err(format!("the expression has more than {MAX_CHARS} characters"));
    }
    let chars: Vec<char> = expression.chars().filter(|c| !c.is_whitespace()).collect();
    let mut reader = Reader { chars: &chars, place: 0, depth: 0 };
    let value = reader.sum()?;
    if reader.place < chars.len() {
        return Err(reader.unexpected());
    }
    if !value.is_finite() {
        return Err("the result is no finite number".to_owned());
    }
    Ok(Value::String(format!("{value:.2}")))
}

struct Reader<'a> {
    chars: &'a [char],
    place: usize,
    depth: usize,
}

impl Reader<'_> {
    fn sum(&mut self) -> Result<f64, String> {
        let mut value = self.product()?;
        while let Some(sign) = self.next_of(&['+', '-']) {
            let term = self.product()?;
            value += if sign == '+' { term } else { -term };
        }
        Ok(value)
    }

    fn product(&mut self) -> Result<f64, String> {
        let mut value = self.factor()?;
        while let Some(sign) = self.next_of(&['*', '/']) {
            let factor = self.factor()?;
            value = if sign == '*' { value * factor } else { value / factor };
        }
        Ok(value)
    }

    fn factor(&mut self) -> Result<f64, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("the expression is nested too deeply".to_owned());
        }
        let value = match self.next_of(&['+', '-', '(']) {
            Some('-') => -self.factor()?,
            Some('+') => self.factor()?,
            Some(_) => {
                let value = self.sum()?;
                if self.next_of(&[')']).is_none() {
                    return Err(self.unexpected());
                }
                value
            }
            None => self.number()?,
        };
        self.depth -= 1;
        Ok(value)
    }

    fn number(&mut self) -> Result<f64, String> {
        let is_part = |c: &&char| c.is_ascii_digit() || **c == '.';
        let number: String = self.chars[self.place..].iter().take_while(is_part).collect();
        let value = number.parse().map_err(|_| self.unexpected())?;
        self.place += number.len();
        Ok(value)
    }

    fn next_of(&mut self, wanted: &[char]) -> Option<char> {
        let next = self.chars.get(self.place).copied().filter(|c| wanted.contains(c))?;
        self.place += 1;
        Some(next)
    }

    fn unexpected(&self) -> String {
        match self.chars.get(self.place) {
            Some(c) => format!("{c:?} stands where a number or sign was expected"),
            None => "the expression ends too early".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn result(expression: &str) -> Result<String, String> {
        let arguments = json!({"expression": expression});
        let arguments = arguments.as_object().expect("an object");
        let value = calculate(&mut Database::default(), arguments)?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    #[test]
    fn sums_are_right() {
        for (expression, value) in
            [("2 + 2", "4.00"), ("1 + 2*3", "7.00"), ("(1+2)*-3/4", "-2.25"), ("8 - 3 - 2", "3.00")]
        {
            assert_eq!(result(expression).as_deref(), Ok(value), "{expression}");
        }
    }

    #[test]
    fn what_is_no_sum_is_refused() {
        for expression in ["", "2 +", "(1", "1)", "import os", "1/0", "1..2", &"(".repeat(900)] {
            assert!(result(expression).is_err(), "{expression}");
        }
    }

    proptest! {
        #[test]
        fn any_expression_is_read(expression in "[-+*/(). 0-9a]{0,40}") {
            let _ = result(&expression);
        }
    }
}
