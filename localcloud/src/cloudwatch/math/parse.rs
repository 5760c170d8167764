//! Reads expressions of metric math. Binds from loose to tight: OR, AND, comparisons, sums, products, signs, powers.

use super::{Expression, MAX_DEPTH, Operator};

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Word(String),
    Mark(&'static str),
}

const MARKS: [&str; 18] =
    ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "^", "(", ")", "[", "]", ","];

/// Operators by how loosely they bind.
const LEVELS: [&[(&str, Operator)]; 5] = [
    &[("||", Operator::Or), ("OR", Operator::Or)],
    &[("&&", Operator::And), ("AND", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::Different),
        ("<=", Operator::AtMost),
        (">=", Operator::AtLeast),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide)],
];

/// Reads an expression; the error says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Expression, String> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0 };
    let expression = parser.level(0, MAX_DEPTH)?;
    match parser.next() {
        None => Ok(expression),
        Some(token) => Err(format!("{token} is one too many")),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first.is_ascii_digit() || first == '.' {
            number(rest)?
        } else if first.is_ascii_alphabetic() {
            let length = prefix(rest, |c| c.is_ascii_alphanumeric() || c == '_');
            (Token::Word(rest[..length].to_owned()), length)
        } else if first == '"' || first == '\'' {
            let end = rest[1..].find(first).ok_or("a quote that does not end")?;
            (Token::Text(rest[1..=end].to_owned()), end + 2)
        } else {
            let mark = MARKS.into_iter().find(|mark| rest.starts_with(mark));
            let mark = mark.ok_or_else(|| format!("'{first}' has no meaning"))?;
            (Token::Mark(mark), mark.len())
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn number(text: &str) -> Result<(Token, usize), String> {
    let mut length = prefix(text, |c| c.is_ascii_digit() || c == '.');
    let exponent = &text[length..];
    if exponent.starts_with(['e', 'E']) {
        let signed = usize::from(exponent[1..].starts_with(['+', '-']));
        let digits = prefix(&exponent[1 + signed..], |c| c.is_ascii_digit());
        length += if digits > 0 { 1 + signed + digits } else { 0 };
    }
    let number = text[..length].parse().map_err(|_| format!("{} is no number", &text[..length]))?;
    Ok((Token::Number(number), length))
}

fn prefix(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn takes(&mut self, mark: &str) -> bool {
        let there = match self.tokens.get(self.at) {
            Some(Token::Mark(found)) => *found == mark,
            Some(Token::Word(found)) => found == mark,
            _ => false,
        };
        self.at += usize::from(there);
        there
    }

    /// Operands of one level of operators, and what binds tighter.
    fn level(&mut self, level: usize, depth: usize) -> Result<Expression, String> {
        let Some(operators) = LEVELS.get(level) else { return self.sign(depth) };
        let mut left = self.level(level + 1, depth)?;
        while let Some((_, operator)) = operators.iter().find(|(mark, _)| self.takes(mark)) {
            let right = self.level(level + 1, depth)?;
            left = Expression::Binary(*operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn sign(&mut self, depth: usize) -> Result<Expression, String> {
        let deeper = depth.checked_sub(1).ok_or_else(|| format!("more than {MAX_DEPTH} levels"))?;
        if self.takes("-") {
            let operand = self.sign(deeper)?;
            return Ok(Expression::Binary(Operator::Subtract, Box::new(Expression::Number(0.0)), Box::new(operand)));
        }
        let base = self.operand(deeper)?;
        if self.takes("^") {
            let exponent = self.sign(deeper)?;
            return Ok(Expression::Binary(Operator::Power, Box::new(base), Box::new(exponent)));
        }
        Ok(base)
    }

    fn operand(&mut self, depth: usize) -> Result<Expression, String> {
        match self.next() {
            Some(Token::Number(number)) => Ok(Expression::Number(number)),
            Some(Token::Text(text)) => Ok(Expression::Text(text)),
            Some(Token::Word(word)) if self.takes("(") => Ok(Expression::Call(word, self.elements(")", depth)?)),
            Some(Token::Word(word)) => Ok(Expression::Name(word)),
            Some(Token::Mark("[")) => Ok(Expression::List(self.elements("]", depth)?)),
            Some(Token::Mark("(")) => {
                let inside = self.level(0, depth)?;
                if self.takes(")") { Ok(inside) } else { Err("a parenthesis that does not end".to_owned()) }
            }
            Some(token) => Err(format!("{token} stands where a value should")),
            None => Err("it ends where a value should stand".to_owned()),
        }
    }

    /// Expressions between commas, up to and with `end`.
    fn elements(&mut self, end: &str, depth: usize) -> Result<Vec<Expression>, String> {
        let mut elements = Vec::new();
        if self.takes(end) {
            return Ok(elements);
        }
        loop {
            elements.push(self.level(0, depth)?);
            if self.takes(end) {
                return Ok(elements);
            }
            if !self.takes(",") {
                return Err(format!("'{end}' or ',' is missing"));
            }
        }
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Word(word) => write!(f, "{word}"),
            Self::Mark(mark) => write!(f, "'{mark}'"),
        }
    }
}
