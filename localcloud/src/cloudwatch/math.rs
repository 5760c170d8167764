//! Metric math: expressions over series of equal periods (AWS: user guide, "Using math expressions with CloudWatch metrics").
//!
//! Here are arithmetic, comparisons, AND, OR and the functions that scaling uses; an unknown function is an error that names it.

mod functions;
mod parse;

use std::collections::BTreeMap;

/// Levels of an expression, each a parenthesis, a function or a sign.
const MAX_DEPTH: usize = 64;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A number.
    Number(f64),
    /// A text in quotes, with which METRICS chooses.
    Text(String),
    /// The identifier of a query, or a word such as REPEAT.
    Name(String),
    /// Several series in brackets.
    List(Vec<Expression>),
    /// Two operands.
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// A function.
    Call(String, Vec<Expression>),
}

/// What stands between two operands. A comparison is 1 where it holds and 0 where it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`; a division by zero has no value.
    Divide,
    /// `^`
    Power,
    /// `==`
    Equal,
    /// `!=`
    Different,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `AND` or `&&`
    And,
    /// `OR` or `||`
    Or,
}

/// A series' values, oldest first; `None` where a period has none.
pub(super) type Values = Vec<Option<f64>>;

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq)]
enum Term {
    Number(f64),
    Series(Values),
    Several(Vec<Values>),
}

impl Expression {
    /// Reads an expression; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse::parse(text)
    }
}

/// Series and expressions that may name each other.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Series of the metrics, by identifier.
    pub metrics: BTreeMap<String, Values>,
    /// Expressions, by identifier.
    pub expressions: BTreeMap<String, Expression>,
    /// Length of a period.
    pub period_seconds: u32,
    /// Number of periods.
    pub count: usize,
    /// What expressions came to so far.
    pub answers: BTreeMap<String, Values>,
}

impl Scope {
    /// The series of a query. Each expression is evaluated once.
    pub fn series(&mut self, id: &str) -> Result<Values, String> {
        if let Some(known) = self.metrics.get(id).or_else(|| self.answers.get(id)) {
            return Ok(known.clone());
        }
        // Taken out while it is evaluated: an expression that needs itself does not find itself.
        let expression = self.expressions.remove(id).ok_or_else(|| format!("'{id}' is no other query's id"))?;
        let values = match self.term(&expression)? {
            Term::Series(values) => values,
            Term::Number(_) => return Err("the result must be a time series, and is a number".to_owned()),
            Term::Several(_) => return Err("the result must be one time series, and is several".to_owned()),
        };
        self.answers.insert(id.to_owned(), values.clone());
        Ok(values)
    }

    fn term(&mut self, expression: &Expression) -> Result<Term, String> {
        match expression {
            Expression::Number(number) => Ok(Term::Number(*number)),
            Expression::Text(text) => Err(format!("\"{text}\" stands where a value should")),
            Expression::Name(id) => self.series(id).map(Term::Series),
            Expression::List(elements) => self.several(elements),
            Expression::Binary(operator, left, right) => {
                let (left, right) = (self.term(left)?, self.term(right)?);
                self.zip(left, right, |left, right| operator.apply(left, right))
            }
            Expression::Call(name, arguments) => functions::call(self, name, arguments),
        }
    }

    fn several(&mut self, elements: &[Expression]) -> Result<Term, String> {
        let mut several = Vec::with_capacity(elements.len());
        for element in elements {
            match self.term(element)? {
                Term::Series(values) => several.push(values),
                Term::Several(more) => several.extend(more),
                Term::Number(number) => several.push(vec![Some(number); self.count]),
            }
        }
        Ok(Term::Several(several))
    }

    /// Period by period, where both have a value.
    fn zip(&self, left: Term, right: Term, apply: impl Fn(f64, f64) -> Option<f64>) -> Result<Term, String> {
        let each = |left: &Values, right: &Values| -> Values {
            left.iter()
                .zip(right)
                .map(|pair| pair.0.zip(*pair.1).and_then(|(left, right)| apply(left, right)))
                .collect()
        };
        Ok(match (left, right) {
            (Term::Number(left), Term::Number(right)) => {
                Term::Number(apply(left, right).ok_or("a division of a number by zero")?)
            }
            (Term::Several(left), Term::Several(right)) if left.len() == right.len() => {
                Term::Several(left.iter().zip(&right).map(|(left, right)| each(left, right)).collect())
            }
            (Term::Several(_), Term::Several(_)) => return Err("the two sides are of different lengths".to_owned()),
            (Term::Several(left), right) => {
                let right = self.spread(right);
                Term::Several(left.iter().map(|left| each(left, &right)).collect())
            }
            (left, Term::Several(right)) => {
                let left = self.spread(left);
                Term::Several(right.iter().map(|right| each(&left, right)).collect())
            }
            (left, right) => Term::Series(each(&self.spread(left), &self.spread(right))),
        })
    }

    /// A number as a series.
    fn spread(&self, term: Term) -> Values {
        match term {
            Term::Number(number) => vec![Some(number); self.count],
            Term::Series(values) => values,
            Term::Several(several) => several.into_iter().next().unwrap_or_default(),
        }
    }
}

impl Operator {
    fn apply(self, left: f64, right: f64) -> Option<f64> {
        let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
        let value = match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::Power => left.powf(right),
            Self::Equal => truth(left == right),
            Self::Different => truth(left != right),
            Self::Less => truth(left < right),
            Self::AtMost => truth(left <= right),
            Self::Greater => truth(left > right),
            Self::AtLeast => truth(left >= right),
            Self::And => truth(left != 0.0 && right != 0.0),
            Self::Or => truth(left != 0.0 || right != 0.0),
        };
        value.is_finite().then_some(value)
    }
}

#[cfg(test)]
mod tests;
