use proptest::prelude::*;

use super::writer::{SLICE, STEPS_A_CHANGE};
use super::*;
use crate::case::Case;
use crate::threads::Threads;

/// What a scope's texts are, and what is asked of them.
#[derive(Default)]
pub(super) struct Fixture {
    pub(super) catalog: Catalog,
    pub(super) substrings: SubstringIndex,
    deltas: Deltas,
    pub(super) live: Vec<(Ordinal, bool, String)>,
}

impl Fixture {
    pub(super) fn put(&mut self, name: &str, unresolved: bool) {
        let json = serde_json::json!({"_id": self.live.len().to_string(), "name": name});
        let case = Case::from_json(json.to_string().as_bytes()).unwrap();
        let title = self.catalog.enter(&case, &mut Default::default(), &mut Vec::new()).title;
        self.deltas.push(None, Some((title, unresolved)));
        self.live.push((title, unresolved, name.to_owned()));
    }

    fn take(&mut self, at: usize) {
        let (title, unresolved, _) = self.live.swap_remove(at % self.live.len());
        self.deltas.push(Some((title, unresolved)), None);
    }

    fn writer(&mut self) -> SubstringWriter<'_> {
        SubstringWriter::new(&mut self.substrings, &self.catalog)
    }

    fn flush(&mut self) {
        let deltas = std::mem::take(&mut self.deltas);
        self.writer().flush(deltas, &Threads::NONE);
    }

    /// Gives how many of the needles have exact counts.
    pub(super) fn check(&mut self, needles: &[impl AsRef<str>]) -> usize {
        self.flush();
        let live = self.live.iter().map(|(title, unresolved, _)| (*title, *unresolved));
        self.substrings.validate(&self.catalog, live).unwrap();
        needles.iter().filter(|needle| self.check_needle(needle.as_ref())).count()
    }

    fn check_needle(&self, needle: &str) -> bool {
        let pattern = SubPattern { text: needle.to_owned(), anchor: Anchor::Infix };
        let with = |half: bool| {
            let own = self.live.iter().filter(|(_, unresolved, _)| *unresolved == half);
            own.filter(|(_, _, name)| name.contains(needle)).count() as u64
        };
        let right = [with(true), with(false)];
        let estimate = self.substrings.estimate(&self.catalog.vocabulary, &pattern);
        let is_right = match estimate.is_counted {
            true => estimate.cases == right,
            false => estimate.cases[0] >= right[0] && estimate.cases[1] >= right[1],
        };
        assert!(is_right, "{needle:?} is in {right:?} cases, {estimate:?}");
        let terms = self.substrings.terms(&self.catalog.vocabulary, &pattern, Some(&estimate));
        let anew = self.substrings.terms(&self.catalog.vocabulary, &pattern, None);
        assert_eq!(terms, anew);
        assert!(terms.is_sorted_by(|a, b| a < b) && terms.len() <= estimate.term_count);
        for (title, _, name) in &self.live {
            let mut own = self.catalog.titles.get(*title).terms();
            let has = own.any(|term| terms.binary_search(&term).is_ok());
            assert_eq!(has, name.contains(needle), "{needle:?} in {name:?}");
        }
        estimate.is_counted
    }
}

#[test]
fn counts_follow_every_change() {
    let needles = ["a", "1", "17", "x 1", "7 r", "round", "e", "退款", "none", "0 ro"];
    let mut texts = Fixture::default();
    for round in 0..40 {
        for at in 0..90 {
            let number = round * 31 + at * 7 % 113;
            texts.put(&format!("case{number} x {number} round{} 退款{at}", at % 9), at % 3 == 0);
        }
        for at in 0..60 {
            texts.take(at * 37 + round);
        }
        texts.check(&needles);
    }
    while texts.substrings.debt() > 0 {
        texts.writer().merge(7);
    }
    // Of the others few cases have each.
    assert!(texts.check(&needles) >= 8);
}

/// A recount that changes come between counts each of them once.
#[test]
fn nodes_are_counted_anew_beside_changes() {
    let mut texts = Fixture::default();
    for at in 0..3000 {
        texts.put(&format!("refund{} refunds{} {at}", at % 7, at % 11), at % 2 == 0);
        if at % 100 == 99 {
            texts.check(&["refund"]);
        }
    }
    // Nodes below what many cases have in common wait to be counted, or are.
    let mut rounds = 0;
    while texts.substrings.debt() > 0 && rounds < 2000 {
        texts.writer().merge(5);
        texts.take(rounds * 31);
        texts.put(&format!("refund{} refunds{rounds}", rounds % 7), rounds % 3 == 0);
        texts.flush();
        rounds += 1;
    }
    texts.writer().merge(usize::MAX);
    assert_eq!(texts.substrings.debt(), 0);
    let deep = if cfg!(getcases_small_segments) { 3 } else { 5 };
    assert!(texts.check(&["refund", "refunds", "refund1", "efunds", "nds"]) >= deep);
}

/// However many batches texts come in, they are gone through a few times to count new nodes.
#[test]
fn a_load_in_batches_goes_through_its_titles_a_few_times() {
    const TEXTS: usize = 30_000;
    for batch in [100, 1000, 5000] {
        let mut texts = Fixture::default();
        for at in 0..TEXTS {
            let (one, other) = (at * 7919 % 4001, at * 31 % 3001);
            texts.put(&format!("word{one} of{other} case"), at % 3 == 0);
            if at % batch == batch - 1 {
                texts.flush();
            }
        }
        let batches = TEXTS / batch;
        let (own, most) =
            (texts.substrings.debt.recounted, STEPS_A_CHANGE * TEXTS + batches * SLICE);
        assert!(own > 0 && own <= most, "{own} of {TEXTS} in batches of {batch}");
        // What is left of the last nodes takes a round or two.
        while texts.substrings.debt() > 0 {
            texts.writer().merge(1000);
        }
        let rest = texts.substrings.debt.recounted - own;
        // Small nodes are so many that their terms are counted in more rounds.
        let rounds = if cfg!(getcases_small_segments) { 64 } else { 4 };
        assert!(rest <= rounds * TEXTS, "{rest} more in batches of {batch}");
        texts.check(&["word1", "case", "f30"]);
    }
}

/// Words that are too long for the trie have grams of its nodes, and count at none.
#[test]
fn a_recount_leaves_long_words_out() {
    let mut texts = Fixture::default();
    let long = "refund".repeat(TRIE_TERM_BYTES / 6 + 1);
    for at in 0..3000 {
        texts.put(&format!("refund{} refunds{}", at % 7, at % 11), at % 2 == 0);
        if at % 100 == 99 {
            texts.put(&format!("{long}{at} refund{}", at % 7), true);
            texts.check(&["refund"]);
        }
    }
    texts.writer().merge(usize::MAX);
    texts.check(&["refund", "refundrefund", "refunds1"]);
}

/// So many suffixes come that they are entered in groups, in the places of terms that a root lists.
#[test]
fn many_terms_at_once_meet_those_that_are_listed() {
    let mut texts = Fixture::default();
    (0..5).for_each(|at| texts.put(&format!("old{at} 款{at}"), at % 2 == 0));
    texts.check(&["old", "款"]);
    let many = if cfg!(getcases_small_segments) { 60 } else { 70_000 };
    for at in 0..many {
        texts.put(&format!("ö{} old{at}", noise(at, 8)), at % 3 == 0);
    }
    texts.put(&format!("z{}", "a".repeat(30)), true);
    texts.check(&["ö", "old", "old1", "款", "d4 款", "aaa"]);
    texts.writer().merge(usize::MAX);
    texts.check(&["ö", "old", "old1", "款", "d4 款", "aaa"]);
}

/// The clone that changes is another one than the one that is read.
#[test]
fn a_clone_keeps_its_counts() {
    let mut texts = Fixture::default();
    (0..2000).for_each(|at| texts.put(&format!("word{at} of {}", at % 10), true));
    texts.check(&["word1"]);
    let before = texts.substrings.clone();
    let pattern = |text: &str| SubPattern { text: text.to_owned(), anchor: Anchor::Infix };
    let ask = |own: &SubstringIndex| {
        ["o", "word", "d1", "f 3"]
            .map(|text| own.estimate(&texts.catalog.vocabulary, &pattern(text)))
    };
    let answers = ask(&before);
    let mut after = before.clone();
    let mut deltas = Deltas::default();
    (0..1500).for_each(|own| deltas.push(Some((own, true)), None));
    SubstringWriter::new(&mut after, &texts.catalog).flush(deltas, &Threads::NONE);
    assert_eq!(ask(&before), answers);
    assert_ne!(ask(&after), answers);
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab]{1,6}",
        "[a-d]{1,4}",
        "é?[款退ab]{1,3}",
        "a{1,60}",
        "(ab){1,40}",
        "[ab]{30,60}",
        Just("x".repeat(TRIE_TERM_BYTES + 1)),
    ]
}

fn name() -> impl Strategy<Value = String> {
    let gap = prop_oneof![Just(" "), Just("  "), Just("\u{3000}"), Just("      ")];
    proptest::collection::vec((word(), gap), 1..5)
        .prop_map(|parts| parts.into_iter().flat_map(|(word, gap)| [word, gap.into()]).collect())
        .prop_map(|name: String| name.trim().to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_part_of_a_name_is_found_and_counted(
        names in proptest::collection::vec((name(), any::<bool>(), 0..4_usize), 1..60),
        cuts in proptest::collection::vec(
            (any::<prop::sample::Index>(), 0..50_usize, 1..9_usize),
            40,
        ),
    ) {
        let mut texts = Fixture::default();
        for (at, (name, unresolved, what)) in names.iter().enumerate() {
            // Some names come often.
            (0..=what * what).for_each(|_| texts.put(name, *unresolved));
            if *what == 0 && texts.live.len() > 3 {
                texts.take(at * 7);
                texts.take(at * 5);
            }
            if at % 5 == 0 {
                texts.check(&[""; 0]);
                texts.writer().merge(3);
            }
        }
        let needles: Vec<String> = cuts.iter().map(|(name, from, length)| {
            let name: Vec<char> = name.get(&names).0.chars().collect();
            let from = from % name.len();
            name[from..name.len().min(from + length)].iter().collect()
        }).collect();
        // A needle of more than two words, or of longer ones, has no single term.
        let is_single = |needle: &&String| {
            let words: Vec<_> = needle.split_whitespace().collect();
            let is_trimmed = needle.trim().len() == needle.len() && !words.is_empty();
            let is_short = words.iter().all(|word| word.chars().count() <= 2);
            is_trimmed && (words.len() == 1 || words.len() == 2 && is_short && needle.len() < 8)
        };
        let needles: Vec<&String> = needles.iter().filter(is_single).collect();
        texts.check(&needles);
        texts.writer().merge(usize::MAX);
        texts.check(&needles);
    }
}

/// How many bytes the index takes for each byte of some names that come in one batch.
fn bytes_a_byte(names: impl Iterator<Item = String>) -> f64 {
    let mut texts = Fixture::default();
    names.for_each(|name| texts.put(&name, true));
    texts.flush();
    let names: usize = texts.live.iter().map(|(_, _, name)| name.len()).sum();
    texts.substrings.bytes() as f64 / names as f64
}

/// A text without order, of some characters.
fn noise(seed: u64, length: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b"abcdefghijklmnopqrstuvwxyz0123456789"[(state >> 32) as usize % 36])
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn bytes_are_bounded_by_those_of_the_names() {
    let most = |least: f64| if cfg!(getcases_small_segments) { least * 20.0 } else { least };
    let distinct = bytes_a_byte((0..2_000).map(|at| noise(at, 180)));
    assert!(distinct < most(12.0), "{distinct} for distinct words");
    let prefix = "p".repeat(200) + &noise(7, 200);
    let shared = bytes_a_byte((0..300).map(|at| format!("{prefix}{at}")));
    assert!(shared < most(8.0), "{shared} for words with a prefix");
    let long = [noise(1, 1_000_000), "a".repeat(1_000_000), noise(2, 1000).repeat(1000)];
    for name in long {
        let own = bytes_a_byte([name].into_iter());
        assert!(own < 0.1, "{own} for a long word");
    }
    // Of so many letters that hardly any two follow one another twice.
    let letter = |at: usize| char::from_u32(0x4e00 + (at * at % 3001) as u32).unwrap_or('x');
    let letters =
        bytes_a_byte((0..3000).map(|at| (0..100).map(|n| letter(at * 100 + n * 7)).collect()));
    assert!(letters < most(3.0), "{letters} for words of many letters");
    let words = |at: u64| (0..1000).map(move |n| noise(at * 1000 + n, 8) + " ").collect::<String>();
    let many = bytes_a_byte((1..9).map(|at| words(at).trim().to_owned()));
    assert!(many < most(16.0), "{many} for names of many words");
    let same = bytes_a_byte((1..9).map(|_| "word ".repeat(20_000) + "end"));
    assert!(same < 0.1, "{same} for names of one word");
}
