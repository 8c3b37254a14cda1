//! What all cases of a workload share.

use crate::draw::{Draw, Zipf};
use crate::id::Id;
use crate::people::Person;
use crate::vocabulary::{Vocabulary, foreign_phrase};

const AGENTS: u32 = 2000;
const QUEUES: u32 = 200;
const USERS: usize = 2000;
const MAILBOXES: usize = 8;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) cases: u64,
    pub(crate) vocabulary: Vocabulary,
    /// By rank, the busiest first.
    pub(crate) queues: Vec<Queue>,
    pub(crate) queue_ranks: Zipf,
    pub(crate) agent_ranks: Zipf,
    pub(crate) users: Vec<User>,
    /// Where e-mail comes in: the sources of cases of the channel email.
    pub(crate) mailboxes: Vec<Id>,
    shared: Draw,
}

#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) id: String,
    pub(crate) number: usize,
}

#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: Id,
    /// As in the seed: "pachu 23".
    pub(crate) name: String,
}

impl World {
    pub(crate) fn new(cases: u64, seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let shared = draw.clone();
        Self {
            cases,
            vocabulary: Vocabulary::draw(&mut draw),
            queues: (0..QUEUES as usize)
                .map(|number| Queue { id: Id::short("qu", &mut draw).to_string(), number })
                .collect(),
            queue_ranks: Zipf::new(QUEUES),
            agent_ranks: Zipf::new(AGENTS),
            users: (0..USERS).map(|number| User::draw(number, &mut draw)).collect(),
            mailboxes: (0..MAILBOXES).map(|_| Id::whole("emailInst", &mut draw)).collect(),
            shared,
        }
    }

    /// The name of a case, and the case's stream after it. A name that repeats is that of a drawn
    /// earlier case, which may repeat too.
    pub(crate) fn name(&self, number: u64) -> (String, Draw) {
        let mut draw = self.shared.stream(number);
        let name = match draw.below(100) {
            0 if number > 0 => self.name(draw.below(number)).0,
            1 | 2 => foreign_phrase(&mut draw),
            _ => self.short_phrase(&mut draw),
        };
        (name, draw)
    }

    /// The streams that variants of a class are drawn from: none that a case is drawn from.
    pub(crate) fn variants(&self, class: &str) -> Draw {
        let salt = class.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Draw::new(salt)
    }

    /// 3 to 7 words.
    pub(crate) fn short_phrase(&self, draw: &mut Draw) -> String {
        self.vocabulary.phrase(draw.between(3, 7), draw)
    }
}

impl User {
    fn draw(number: usize, draw: &mut Draw) -> Self {
        let first = Person::numbered(number).first.to_ascii_lowercase();
        Self { id: Id::whole("u", draw), name: format!("{first} {number}") }
    }
}
