//! The list: lines of `service Shape acted: members`, `service Shape stored (reason): members` or `service Shape
//! refused: members`.

use std::collections::BTreeMap;

use interstella_localcloud::call::Service;

/// Service, shape and member.
pub type Key = (Service, String, String);

/// What the local cloud does with a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It has the effect, or a part of the effect, that it has on AWS.
    Acted,
    /// It is taken, and answered back where AWS does, without an effect.
    Stored,
    /// A call with it is refused by its name.
    Refused,
}

/// The whole list.
pub struct List {
    members: BTreeMap<Key, Disposition>,
    /// Lines that cannot be read, and members that two lines name.
    pub problems: Vec<String>,
}

impl List {
    /// Reads the list. A `#` begins a comment, a line that begins with a space goes on with the members of the one
    /// before.
    pub fn read(text: &str) -> Self {
        let mut list = Self { members: BTreeMap::new(), problems: Vec::new() };
        let joined = text.replace("\n ", " ");
        for line in joined.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if list.add(line).is_none() {
                list.problems.push(format!("cannot be read: {line}"));
            }
        }
        list
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let (head, members) = line.rsplit_once(':')?;
        let (scope, rest) = head.split_once(' ')?;
        let (shape, disposition) = rest.split_once(' ')?;
        let service = Service::ALL.into_iter().find(|service| service.scope() == scope)?;
        let disposition = match disposition {
            "acted" => Disposition::Acted,
            "refused" => Disposition::Refused,
            stored => {
                let reason = stored.strip_prefix("stored (")?.strip_suffix(')')?;
                (reason.len() > 10).then_some(Disposition::Stored)?
            }
        };
        for member in members.split_whitespace() {
            let key = (service, shape.to_owned(), member.to_owned());
            if self.members.insert(key, disposition).is_some() {
                self.problems.push(format!("{service} {shape}.{member}: two lines name it"));
            }
        }
        Some(())
    }

    /// What a member's line says.
    pub fn get(&self, key: &Key) -> Option<&Disposition> {
        self.members.get(key)
    }

    /// Whether a line calls a member refused.
    pub fn is_refused(&self, service: Service, shape: &str, member: &str) -> bool {
        let key = (service, shape.to_owned(), member.to_owned());
        self.members.get(&key) == Some(&Disposition::Refused)
    }

    /// Every member that a line names.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.members.keys()
    }
}
