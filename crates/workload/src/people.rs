//! Names of people.

use std::fmt::{self, Display, Formatter};

use crate::draw::Draw;

const FIRST: [&str; 40] = [
    "Asha", "Ravi", "Meera", "Arjun", "Priya", "Kiran", "Divya", "Sanjay", "Leila", "Omar", "Noor",
    "Yusuf", "Elif", "Deniz", "Eleni", "Nikos", "Yuki", "Haruto", "Wei", "Ling", "Ana", "Diego",
    "Lucia", "Mateo", "Emma", "Liam", "Olivia", "Noah", "Clara", "Felix", "Greta", "Jonas",
    "Chloe", "Hugo", "Amina", "Kwame", "Zola", "Tomas", "Petra", "Ivan",
];

const LAST: [&str; 50] = [
    "Rao", "Iyer", "Patel", "Singh", "Khan", "Das", "Haddad", "Nasser", "Yilmaz", "Kaya", "Demir",
    "Pappas", "Vlachos", "Tanaka", "Sato", "Mori", "Chen", "Wang", "Liu", "Garcia", "Lopez",
    "Ruiz", "Silva", "Costa", "Smith", "Jones", "Brown", "Taylor", "Walker", "Young", "Schmidt",
    "Weber", "Fischer", "Becker", "Martin", "Bernard", "Petit", "Moreau", "Mensah", "Okafor",
    "Diallo", "Novak", "Kral", "Horvat", "Nowak", "Petrov", "Larsen", "Berg", "Virtanen", "Rossi",
];

const MAIL_HOSTS: [&str; 6] = [
    "example.com",
    "example.org",
    "example.net",
    "mail.example.com",
    "post.example.org",
    "corp.example.net",
];

/// A first and a last name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    pub(crate) first: &'static str,
    pub(crate) last: &'static str,
}

impl Person {
    /// The person of a number; all below 2,000 differ.
    pub(crate) fn numbered(number: usize) -> Self {
        let (round, first) = (number / FIRST.len(), number % FIRST.len());
        Self { first: FIRST[first], last: LAST[(round + first) % LAST.len()] }
    }
}

impl Display for Person {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.first, self.last)
    }
}

/// An address of a person, by a number that few share.
#[derive(Debug)]
pub(crate) struct MailAddress {
    person: Person,
    number: u64,
    host: &'static str,
}

impl MailAddress {
    pub(crate) fn draw(person: Person, draw: &mut Draw) -> Self {
        Self { person, number: draw.below(10_000), host: *draw.pick(&MAIL_HOSTS) }
    }
}

impl Display for MailAddress {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for letter in self.person.first.chars().chain(['.']).chain(self.person.last.chars()) {
            write!(f, "{}", letter.to_ascii_lowercase())?;
        }
        write!(f, "{}@{}", self.number, self.host)
    }
}
