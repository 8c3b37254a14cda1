//! Which scopes the cases of files name, and where those belong that name none.

use std::collections::BTreeSet;

use getcases::{Case, Scope};

/// A scope's part for cases that name none, where no other case names one either.
pub const NOWHERE: &str = "-";

/// The account and the stream that a case names, where it does.
pub type Named = (Option<Box<str>>, Option<Box<str>>);

/// The scopes that cases name, and which of them is asked.
///
/// Useful where files say themselves what they belong to; a [`Loader`](crate::Loader) notes every
/// case. A case that names no account, or no stream, belongs to the one that was chosen, else to
/// the one that all other cases agree on, else to `-`.
#[derive(Debug)]
pub struct Scopes {
    chosen: (Option<String>, Option<String>),
    /// What cases name.
    named: BTreeSet<Named>,
    /// What they agree on; of streams those that are named beside the chosen account.
    account: Agreement,
    stream: Agreement,
}

/// Which scope is asked cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// No case names the account or the stream that was chosen.
    #[error("no case names the {part} {chosen:?}")]
    Unknown {
        /// `account` or `stream`.
        part: &'static str,
        /// What was chosen.
        chosen: String,
        /// What cases name, sorted.
        named: Vec<String>,
    },
    /// Cases name more than one, and none was chosen.
    #[error("the cases name more than one {part}")]
    Ambiguous {
        /// `account` or `stream`.
        part: &'static str,
        /// What cases name, `-` where they name nothing; sorted.
        named: Vec<Scope>,
    },
}

impl Scopes {
    /// No case was noted; an account and a stream may be chosen.
    #[must_use]
    pub fn new(account: Option<String>, stream: Option<String>) -> Self {
        Self {
            chosen: (account, stream),
            named: BTreeSet::new(),
            account: Agreement::default(),
            stream: Agreement::default(),
        }
    }

    /// Notes what a case names; says whether no case named that before.
    pub fn note(&mut self, case: &Case) -> bool {
        let named = (case.account().map(Into::into), case.stream().map(Into::into));
        if self.named.contains(&named) {
            return false;
        }
        if let Some(account) = &named.0 {
            self.account.add(account);
        }
        if let Some(stream) = named.1.as_deref().filter(|_| self.is_chosen(&named.0)) {
            self.stream.add(stream);
        }
        self.named.insert(named)
    }

    /// The scope of a case as far as that is known whatever else comes: what it names, else what
    /// was chosen, else `-`.
    pub(crate) fn literal<'c>(&'c self, case: &'c Case) -> (&'c str, &'c str) {
        self.literally(case.account(), case.stream())
    }

    fn literally<'c>(
        &'c self,
        account: Option<&'c str>,
        stream: Option<&'c str>,
    ) -> (&'c str, &'c str) {
        let account = account.or(self.chosen.0.as_deref());
        let stream = stream.or(self.chosen.1.as_deref());
        (account.unwrap_or(NOWHERE), stream.unwrap_or(NOWHERE))
    }

    /// Whether a scope has literally cases that belong to another one. Cost: what cases name.
    pub(crate) fn have_strangers(&self, scope: &Scope) -> bool {
        let own = (scope.account(), scope.stream());
        self.named.iter().any(|(account, stream)| {
            let (account, stream) = (account.as_deref(), stream.as_deref());
            self.literally(account, stream) == own && self.with_others(account, stream) != *scope
        })
    }

    /// The scope of a case: what it names, as far as it does, else what was chosen, else what all
    /// cases that were read agree on.
    #[must_use]
    pub fn of(&self, case: &Case) -> Scope {
        self.with_others(case.account(), case.stream())
    }

    fn with_others(&self, account: Option<&str>, stream: Option<&str>) -> Scope {
        let account = account.or(self.chosen.0.as_deref()).or(self.account.only());
        scope(account, stream.or(self.chosen.1.as_deref()).or(self.stream.only()))
    }

    /// What cases name, sorted. Cost: as many as there are.
    pub fn named(&self) -> impl Iterator<Item = &Named> {
        self.named.iter()
    }

    /// Which scope is asked: what is chosen, else what all cases that name one agree on.
    ///
    /// # Errors
    /// Where a choice is needed, and where what is chosen is not what any case names.
    pub fn asked(&self) -> Result<Scope, ScopeError> {
        let accounts = self.named.iter().filter_map(|(account, _)| account.as_deref()).collect();
        let own = self.named.iter().filter(|(account, _)| self.is_chosen(account));
        let streams = own.filter_map(|(_, stream)| stream.as_deref()).collect();
        let parts: [(_, _, BTreeSet<&str>); 2] =
            [("account", &self.chosen.0, accounts), ("stream", &self.chosen.1, streams)];
        for (part, chosen, named) in parts {
            match chosen {
                // Cases that name none can be chosen, too.
                Some(chosen) if chosen == NOWHERE => {}
                Some(chosen) if !named.is_empty() && !named.contains(&**chosen) => {
                    let named = named.into_iter().map(str::to_owned).collect();
                    return Err(ScopeError::Unknown { part, chosen: chosen.clone(), named });
                }
                None if named.len() > 1 => {
                    let named = self.named.iter().map(|(account, stream)| {
                        self.with_others(account.as_deref(), stream.as_deref())
                    });
                    let named: BTreeSet<_> = named.collect();
                    let named = named.into_iter().collect();
                    return Err(ScopeError::Ambiguous { part, named });
                }
                _ => {}
            }
        }
        Ok(self.with_others(None, None))
    }

    /// Whether an account that a case names is asked, as far as one is chosen.
    fn is_chosen(&self, account: &Option<Box<str>>) -> bool {
        match (&self.chosen.0, account) {
            (Some(chosen), Some(account)) => **chosen == **account,
            _ => true,
        }
    }
}

fn scope(account: Option<&str>, stream: Option<&str>) -> Scope {
    Scope::new(account.unwrap_or(NOWHERE), stream.unwrap_or(NOWHERE))
}

/// Whether names that were added are all the same. Cost: none that grows with them.
#[derive(Debug, Default)]
enum Agreement {
    #[default]
    Nothing,
    On(Box<str>),
    None,
}

impl Agreement {
    fn add(&mut self, name: &str) {
        *self = match std::mem::take(self) {
            Self::Nothing => Self::On(name.into()),
            Self::On(own) if *own == *name => Self::On(own),
            _ => Self::None,
        };
    }

    /// The only one.
    fn only(&self) -> Option<&str> {
        match self {
            Self::On(own) => Some(own),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(account: &str, stream: &str) -> Case {
        let named = |key: &str, name: &str| match name {
            "" => String::new(),
            name => format!(r#","{key}":"{name}""#),
        };
        let (account, stream) = (named("accountId", account), named("iId", stream));
        Case::from_json(format!(r#"{{"_id":"1"{account}{stream}}}"#).as_bytes()).unwrap()
    }

    #[test]
    fn who_names_no_scope_belongs_where_all_others_do() {
        let mut scopes = Scopes::new(None, None);
        scopes.note(&case("", ""));
        assert_eq!(scopes.of(&case("", "")), Scope::new("-", "-"));
        scopes.note(&case("a", "s"));
        assert_eq!(scopes.of(&case("", "")), Scope::new("a", "s"));
        assert_eq!(scopes.literal(&case("", "s")), ("-", "s"));
        assert_eq!(scopes.asked(), Ok(Scope::new("a", "s")));
        // A second account: nobody agrees any more.
        scopes.note(&case("b", "s"));
        assert_eq!(scopes.of(&case("", "")), Scope::new("-", "s"));
        let named = vec![Scope::new("-", "s"), Scope::new("a", "s"), Scope::new("b", "s")];
        assert_eq!(scopes.asked(), Err(ScopeError::Ambiguous { part: "account", named }));
        // What is told can be chosen.
        let mut scopes = Scopes::new(Some("-".to_owned()), Some("s".to_owned()));
        for own in [case("", ""), case("a", "s"), case("b", "s")] {
            scopes.note(&own);
        }
        assert_eq!(scopes.asked(), Ok(Scope::new("-", "s")));
        assert_eq!(scopes.literal(&case("", "")), ("-", "s"));
    }

    #[test]
    fn cases_stay_where_they_belong() {
        let of = |chosen: Option<&str>, cases: &[(&str, &str)]| {
            let mut scopes = Scopes::new(chosen.map(Into::into), chosen.map(Into::into));
            cases.iter().for_each(|(account, stream)| _ = scopes.note(&case(account, stream)));
            ["-", "x"].map(|own| scopes.have_strangers(&Scope::new(own, own)))
        };
        assert_eq!(of(None, &[("", "")]), [false, false]);
        assert_eq!(of(None, &[("", ""), ("a", "s"), ("b", "t")]), [false, false]);
        assert_eq!(of(None, &[("", ""), ("a", "s")]), [true, false]);
        assert_eq!(of(None, &[("-", "-"), ("a", "s")]), [false, false]);
        assert_eq!(of(Some("x"), &[("", ""), ("a", "s")]), [false, false]);
    }

    #[test]
    fn what_is_chosen_is_what_some_case_names() {
        let mut scopes = Scopes::new(Some("b".to_owned()), None);
        for own in [case("a", "s"), case("b", "t"), case("b", "t")] {
            scopes.note(&own);
        }
        // Streams of other accounts are no choice.
        assert_eq!(scopes.asked(), Ok(Scope::new("b", "t")));
        let mut scopes = Scopes::new(Some("c".to_owned()), None);
        scopes.note(&case("a", "s"));
        let unknown = ScopeError::Unknown {
            part: "account",
            chosen: "c".to_owned(),
            named: vec!["a".to_owned()],
        };
        assert_eq!(scopes.asked(), Err(unknown));
        // Where nobody names one, it is theirs.
        let mut scopes = Scopes::new(Some("c".to_owned()), Some("t".to_owned()));
        scopes.note(&case("", ""));
        assert_eq!(scopes.asked(), Ok(Scope::new("c", "t")));
    }
}
