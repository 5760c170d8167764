//! Expressions of AWS's cluster query language, as `memberOf` constraints have them (AWS: "Cluster query language", ECS
//! developer guide): `subject operator argument`, joined with `and`, `or`, `not` and parentheses. Pure.
//!
//! Subjects are `attribute:<name>`, `ec2InstanceId`, `runningTasksCount` and `task:group`; what else AWS knows is
//! refused by name.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::vec::IntoIter;

use regex::Regex;

/// What an expression asks of a container instance.
#[derive(Debug, Clone)]
pub enum Expression {
    /// Both hold.
    And(Box<Expression>, Box<Expression>),
    /// One of them holds.
    Or(Box<Expression>, Box<Expression>),
    /// It does not hold.
    Not(Box<Expression>),
    /// One comparison.
    Test(String, Test),
}

/// What a comparison asks of a subject's values.
#[derive(Debug, Clone)]
pub enum Test {
    /// There is one.
    Exists,
    /// One of them is one of these.
    In(BTreeSet<String>),
    /// One of them matches as a whole.
    Matches(Regex),
    /// One of them is a number that is greater.
    Greater(f64),
    /// One of them is a number that is less.
    Less(f64),
}

impl Expression {
    /// Reads an expression; the error says what cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = tokens(text)?.into_iter().peekable();
        let expression = any(&mut tokens)?;
        match tokens.next() {
            None => Ok(expression),
            Some(token) => Err(format!("'{token}' is not expected there")),
        }
    }

    /// Whether it holds, `values` being those of a subject.
    pub fn holds(&self, values: &impl Fn(&str) -> Vec<String>) -> bool {
        match self {
            Self::And(a, b) => a.holds(values) && b.holds(values),
            Self::Or(a, b) => a.holds(values) || b.holds(values),
            Self::Not(inner) => !inner.holds(values),
            Self::Test(subject, test) => values(subject).iter().any(|value| test.holds(value)),
        }
    }
}

impl Test {
    fn holds(&self, value: &str) -> bool {
        let number = || value.parse::<f64>().ok();
        match self {
            Self::Exists => true,
            Self::In(all) => all.contains(value),
            Self::Matches(regex) => regex.is_match(value),
            Self::Greater(than) => number().is_some_and(|number| number > *than),
            Self::Less(than) => number().is_some_and(|number| number < *than),
        }
    }
}

type Tokens = Peekable<IntoIter<String>>;

/// Cuts a text into words, quoted texts and signs.
fn tokens(text: &str) -> Result<Vec<String>, String> {
    const SIGNS: &str = "()[],=!<>~&|";
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first == '\'' || first == '"' {
            let end = rest[1..].find(first).ok_or("a quotation mark is missing")?;
            tokens.push(rest[1..=end].to_owned());
            end + 2
        } else if SIGNS.contains(first) {
            let pair = rest.get(..2).filter(|two| ["==", "!=", ">=", "<=", "=~", "!~", "&&", "||"].contains(two));
            tokens.push(pair.unwrap_or(&rest[..1]).to_owned());
            pair.map_or(1, str::len)
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || SIGNS.contains(c)).unwrap_or(rest.len());
            tokens.push(rest[..end].to_owned());
            end
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn any(tokens: &mut Tokens) -> Result<Expression, String> {
    let mut all_so_far = all(tokens)?;
    while tokens.next_if(|token| token == "or" || token == "||").is_some() {
        all_so_far = Expression::Or(Box::new(all_so_far), Box::new(all(tokens)?));
    }
    Ok(all_so_far)
}

fn all(tokens: &mut Tokens) -> Result<Expression, String> {
    let mut so_far = term(tokens)?;
    while tokens.next_if(|token| token == "and" || token == "&&").is_some() {
        so_far = Expression::And(Box::new(so_far), Box::new(term(tokens)?));
    }
    Ok(so_far)
}

fn term(tokens: &mut Tokens) -> Result<Expression, String> {
    if tokens.next_if(|token| token == "not" || token == "!").is_some() {
        return Ok(Expression::Not(Box::new(term(tokens)?)));
    }
    if tokens.next_if_eq("(").is_some() {
        let inner = any(tokens)?;
        return tokens.next_if_eq(")").map(|_| inner).ok_or_else(|| "a ')' is missing".to_owned());
    }
    comparison(tokens)
}

fn comparison(tokens: &mut Tokens) -> Result<Expression, String> {
    let subject = tokens.next().ok_or("it ends where a subject is expected")?;
    let known = ["ec2InstanceId", "runningTasksCount", "task:group"].contains(&subject.as_str());
    if !known && subject.strip_prefix("attribute:").is_none_or(str::is_empty) {
        return Err(format!("the subject '{subject}' is not known here"));
    }
    let mut operator = tokens.next().ok_or("it ends where an operator is expected")?;
    if operator == "!" {
        operator += &tokens.next().unwrap_or_default();
    }
    let (negated, test) = test(&operator, tokens)?;
    let test = Expression::Test(subject, test);
    Ok(if negated { Expression::Not(Box::new(test)) } else { test })
}

/// The test of an operator, and whether it is that it fails.
fn test(operator: &str, tokens: &mut Tokens) -> Result<(bool, Test), String> {
    let one = |text: String| Test::In(BTreeSet::from([text]));
    Ok(match operator {
        "exists" => (false, Test::Exists),
        "!exists" | "not_exists" => (true, Test::Exists),
        "==" | "=" | "equals" => (false, one(word(tokens)?)),
        "!=" | "not_equals" => (true, one(word(tokens)?)),
        "in" => (false, Test::In(list(tokens)?)),
        "!in" | "not_in" => (true, Test::In(list(tokens)?)),
        "=~" | "matches" => (false, Test::Matches(pattern(tokens)?)),
        "!~" | "not_matches" => (true, Test::Matches(pattern(tokens)?)),
        ">" | "greater_than" => (false, Test::Greater(number(tokens)?)),
        "<=" | "less_than_equal" => (true, Test::Greater(number(tokens)?)),
        "<" | "less_than" => (false, Test::Less(number(tokens)?)),
        ">=" | "greater_than_equal" => (true, Test::Less(number(tokens)?)),
        _ => return Err(format!("the operator '{operator}' is not known here")),
    })
}

fn word(tokens: &mut Tokens) -> Result<String, String> {
    tokens.next().ok_or_else(|| "it ends where a value is expected".to_owned())
}

fn number(tokens: &mut Tokens) -> Result<f64, String> {
    let word = word(tokens)?;
    word.parse().map_err(|_| format!("'{word}' is not a number"))
}

fn pattern(tokens: &mut Tokens) -> Result<Regex, String> {
    let word = word(tokens)?;
    Regex::new(&format!(r"\A(?:{word})\z")).map_err(|_| format!("'{word}' is not a pattern"))
}

fn list(tokens: &mut Tokens) -> Result<BTreeSet<String>, String> {
    tokens.next_if_eq("[").ok_or("a list is expected: [a, b]")?;
    let mut all = BTreeSet::new();
    loop {
        all.insert(word(tokens)?);
        match tokens.next().as_deref() {
            Some(",") => {}
            Some("]") => return Ok(all),
            _ => return Err("a list is expected: [a, b]".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On an instance in zone `us-west-2a` with two tasks, one of them of the group `service:web`.
    fn outcome(text: &str) -> String {
        let values = |subject: &str| match subject {
            "attribute:ecs.availability-zone" => vec!["us-west-2a".to_owned()],
            "ec2InstanceId" => vec!["i-1".to_owned()],
            "runningTasksCount" => vec!["2".to_owned()],
            "task:group" => vec!["service:web".to_owned(), "family:job".to_owned()],
            _ => Vec::new(),
        };
        match Expression::parse(text) {
            Ok(expression) => expression.holds(&values).to_string(),
            Err(problem) => problem,
        }
    }

    #[test]
    fn expressions_hold_or_do_not_or_say_what_cannot_be_read() {
        let cases = [
            ("attribute:ecs.availability-zone == us-west-2a", "true"),
            ("attribute:ecs.availability-zone != us-west-2a", "false"),
            ("attribute:ecs.availability-zone in [us-west-2b, us-west-2a]", "true"),
            ("attribute:ecs.availability-zone not_in ['us-west-2a']", "false"),
            ("attribute:ecs.availability-zone =~ us-west-2.*", "true"),
            ("attribute:ecs.availability-zone =~ west", "false"),
            ("attribute:gpu exists", "false"),
            ("attribute:gpu !exists", "true"),
            ("not(task:group == service:web)", "false"),
            ("task:group == family:job and runningTasksCount > 2", "false"),
            ("task:group == other or runningTasksCount >= 2", "true"),
            ("(ec2InstanceId == i-2 || ec2InstanceId == \"i-1\") && runningTasksCount < 3", "true"),
            ("agentConnected == true", "the subject 'agentConnected' is not known here"),
            ("runningTasksCount > many", "'many' is not a number"),
            ("ec2InstanceId near i-1", "the operator 'near' is not known here"),
            ("ec2InstanceId == i-1 )", "')' is not expected there"),
            ("ec2InstanceId in [i-1", "a list is expected: [a, b]"),
            ("(ec2InstanceId exists", "a ')' is missing"),
            ("ec2InstanceId == 'i-1", "a quotation mark is missing"),
            ("", "it ends where a subject is expected"),
        ];
        for (text, wanted) in cases {
            assert_eq!(outcome(text), wanted, "{text}");
        }
    }
}
