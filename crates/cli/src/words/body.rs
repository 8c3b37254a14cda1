//! The body that words become, word by word.

use serde_json::{Map, Value, json};

use super::Words;
use super::lexer::{self, Char, find};
use super::names::{self, Kind, Name};
use super::terms::{Asks, Term, whole};
use super::wrong::{Wrong, shown};

/// How many digits milliseconds have at least: fewer are a year, or seconds.
const MILLIS_DIGITS: usize = 12;

/// A body as far as it is made.
#[derive(Debug, Default)]
pub(super) struct Body {
    parameters: Map<String, Value>,
    /// What no parameter asks: all of these, and where the words stand that ask them.
    filter: Vec<(Value, usize)>,
    /// Paths of the body and columns.
    places: Vec<(String, usize)>,
}

/// A word with a name, while it is read.
struct Named<'w> {
    name: &'static Name,
    spelling: &'w str,
    value: Option<&'w [Char]>,
    column: usize,
    is_negated: bool,
}

impl Body {
    /// Adds what a term asks.
    pub(super) fn add(&mut self, term: &Term<'_>) -> Result<(), Wrong> {
        let Term { column, is_negated, asks } = term;
        match asks {
            Asks::Text { text, .. } => self.text(text, *column, *is_negated),
            Asks::Named { name, spelling, value } => {
                let (column, is_negated) = (*column, *is_negated);
                self.named(&Named { name, spelling, value: *value, column, is_negated })
            }
            // Links are told of by what they link.
            Asks::Link { .. } => Ok(()),
        }
    }

    /// The body, and where its words stand.
    pub(super) fn finish(mut self) -> Words {
        let count = self.filter.len();
        let mut conditions = Vec::with_capacity(count);
        for (at, (condition, column)) in self.filter.into_iter().enumerate() {
            let path =
                if count > 1 { format!("$.filter.and[{at}]") } else { "$.filter".to_owned() };
            self.places.push((path, column));
            conditions.push(condition);
        }
        let filter = match conditions.len() {
            0 => None,
            1 => conditions.pop(),
            _ => Some(json!({"and": conditions})),
        };
        self.parameters.extend(filter.map(|filter| ("filter".to_owned(), filter)));
        let body = Value::Object(self.parameters).to_string();
        Words { body, places: self.places, bare: Vec::new() }
    }

    fn named(&mut self, word: &Named<'_>) -> Result<(), Wrong> {
        let Named { name, column, is_negated, .. } = *word;
        let condition = match name.kind {
            Kind::List { parameter } if !is_negated => {
                return self.parameter(word, parameter, word.list()?.into());
            }
            Kind::List { .. } => word.any_of(false)?,
            Kind::In { is_prefixed } => word.any_of(is_prefixed)?,
            Kind::Flag { parameter } => match word.is_true()? {
                true if !is_negated => return self.parameter(word, parameter, true.into()),
                is_true => json!({name.field.unwrap_or(parameter): {"eq": is_true}}),
            },
            Kind::Name => word.beginning()?,
            Kind::Dates => return self.dates(word),
            Kind::Date { parameter } => {
                let value = date(&word.whole(word.value()?)?);
                return self.parameter(word, parameter, value);
            }
            Kind::Score => {
                let range = word.range(|own| word.number(own))?;
                json!({name.field.unwrap_or(word.spelling): range})
            }
            Kind::Exists { is_wanted } => json!({word.field()?: {"exists": is_wanted}}),
            Kind::Sort => return self.parameter(word, "sortBy", word.sort()?),
            Kind::Integer { parameter } => {
                return self.parameter(word, parameter, word.integer()?);
            }
            Kind::Columns => return self.parameter(word, "selectedColumns", word.list()?.into()),
            // A text with a name is a text.
            Kind::Text => return Ok(()),
        };
        self.filter(condition, column, is_negated);
        Ok(())
    }

    /// Sets a parameter, which stands once.
    fn parameter(&mut self, word: &Named<'_>, name: &str, value: Value) -> Result<(), Wrong> {
        let Named { column, spelling, .. } = word;
        if word.is_negated {
            let wrong = Wrong::words(*column, format!("{spelling}: cannot be negated"));
            return Err(wrong.accepts(format!("{spelling}:{}", word.name.form)));
        }
        if self.parameters.contains_key(name) {
            let msg = format!("{spelling}: stands twice, and asks for {name} both times");
            let wrong = Wrong::new("duplicate_key", *column, msg);
            let form = match word.name.kind {
                Kind::List { .. } => "one list: any of its values matches",
                Kind::Sort => "one list of what to sort by",
                _ => "each once",
            };
            return Err(wrong.accepts(form));
        }
        self.parameters.insert(name.to_owned(), value);
        self.places.push((format!("$.{name}"), *column));
        Ok(())
    }

    fn filter(&mut self, condition: Value, column: usize, is_negated: bool) {
        let condition = if is_negated { json!({"not": condition}) } else { condition };
        self.filter.push((condition, column));
    }

    /// The first text is the parameter; every further one is asked by the filter.
    fn text(&mut self, text: &str, column: usize, is_negated: bool) -> Result<(), Wrong> {
        if text.trim().is_empty() {
            let wrong = Wrong::words(column, "a text of white space only asks for nothing");
            return Err(wrong.accepts("a text that is not blank"));
        }
        if !is_negated && !self.parameters.contains_key("searchText") {
            self.parameters.insert("searchText".to_owned(), text.into());
            self.places.push(("$.searchText".to_owned(), column));
            return Ok(());
        }
        self.filter(json!({"text": {"contains": text}}), column, is_negated);
        Ok(())
    }

    /// Parameters where they ask just that and are free, else the filter.
    fn dates(&mut self, word: &Named<'_>) -> Result<(), Wrong> {
        let range = word.range(|own| Ok(date(&word.whole(own)?)))?;
        let of = |operator: &str| range.get(operator).cloned();
        let operators: Vec<&str> = range.keys().map(String::as_str).collect();
        let parameters = match (word.name.names[0], operators.as_slice()) {
            ("created", ["on"]) => vec![("startDate", of("on")), ("endDate", of("on"))],
            ("created", ["gte"]) => vec![("startDate", of("gte"))],
            ("created", ["lte"]) => vec![("endDate", of("lte"))],
            ("created", ["gte", "lte"]) => vec![("startDate", of("gte")), ("endDate", of("lte"))],
            ("due", ["on"]) => vec![("dueDate", of("on"))],
            _ => Vec::new(),
        };
        let is_free = parameters.iter().all(|(name, _)| !self.parameters.contains_key(*name));
        if word.is_negated || parameters.is_empty() || !is_free {
            let condition = json!({word.name.field.unwrap_or(word.spelling): range});
            self.filter(condition, word.column, word.is_negated);
            return Ok(());
        }
        for (name, value) in parameters {
            self.parameter(word, name, value.unwrap_or_default())?;
        }
        Ok(())
    }
}

impl<'w> Named<'w> {
    fn wrong(&self, code: &'static str, msg: impl Into<String>) -> Wrong {
        let written = self.value.map(lexer::text).unwrap_or_default();
        Wrong::new(code, self.column, msg).found(&written)
    }

    /// The value, of a name that must have one.
    fn value(&self) -> Result<&'w [Char], Wrong> {
        self.value.ok_or_else(|| Wrong::words(self.column, "a value is missing"))
    }

    fn whole(&self, chars: &[Char]) -> Result<String, Wrong> {
        whole(self.column, || self.value.map(lexer::text).unwrap_or_default(), chars)
    }

    /// Refuses comparisons where a field has no order.
    fn has_no_order(&self, items: &[&[Char]]) -> Result<(), Wrong> {
        if items.iter().any(|item| lexer::starts(item, "<") || lexer::starts(item, ">")) {
            let wrong = self.wrong("unknown_operator", format!("{} has no order", self.spelling));
            return Err(wrong.accepts("values without < and >, or in quotes with them"));
        }
        Ok(())
    }

    /// The elements of a list.
    fn items(&self) -> Result<Vec<&'w [Char]>, Wrong> {
        let is_comma = |char: &Char| char.c == ',' && !char.is_quoted;
        Ok(self.value()?.split(is_comma).collect())
    }

    /// The elements of a list of values. One that begins with a name is another word, after a comma
    /// instead of a space: it would be one value more.
    fn values(&self) -> Result<Vec<&'w [Char]>, Wrong> {
        let items = self.items()?;
        let is_word = |item: &&[Char]| {
            let item = item.get(usize::from(lexer::starts(item, "-"))..).unwrap_or_default();
            let name = lexer::find(item, ":").and_then(|end| item.get(..end));
            name.is_some_and(|name| names::named(&lexer::text(name)).is_some())
        };
        if let Some(word) = items.iter().skip(1).find(|item| is_word(item)) {
            let msg = "a space stands between two words, and a comma between values";
            let wrong = self.wrong("invalid_words", msg).found(&lexer::text(word));
            return Err(wrong.accepts("the word after a space, or in quotes as a value"));
        }
        Ok(items)
    }

    /// A list of texts without a meaning of their own.
    fn list(&self) -> Result<Vec<String>, Wrong> {
        let items = self.values()?;
        if items.iter().any(|item| lexer::ends(item, '*')) {
            let msg = format!("{} is asked for whole values", self.spelling);
            let wrong = self.wrong("unknown_operator", msg);
            return Err(wrong.accepts("values without *, or in quotes with it"));
        }
        self.has_no_order(&items)?;
        items.into_iter().map(|item| self.whole(item)).collect()
    }

    /// A node for whole values, and for beginnings with a `*` behind them.
    fn any_of(&self, is_prefixed: bool) -> Result<Value, Wrong> {
        let field = self.name.field.unwrap_or(self.spelling);
        if !is_prefixed {
            return Ok(json!({field: {"in": self.list()?}}));
        }
        let items = self.values()?;
        self.has_no_order(&items)?;
        let (begun, whole): (Vec<_>, Vec<_>) =
            items.into_iter().partition(|item| lexer::ends(item, '*'));
        let mut nodes = Vec::new();
        for item in begun {
            let text = self.whole(&item[..item.len() - 1])?;
            nodes.push(json!({field: {"startsWith": text}}));
        }
        if !whole.is_empty() {
            let values: Vec<_> =
                whole.into_iter().map(|item| self.whole(item)).collect::<Result<_, _>>()?;
            nodes.push(json!({field: {"in": values}}));
        }
        Ok(match nodes.len() {
            1 => nodes.remove(0),
            _ => json!({"or": nodes}),
        })
    }

    /// A node for the beginning of the name.
    fn beginning(&self) -> Result<Value, Wrong> {
        let value = self.value()?;
        self.has_no_order(&[value])?;
        if !lexer::ends(value, '*') {
            let wrong = self.wrong("unknown_operator", "a name is asked for by how it begins");
            return Err(wrong.accepts("name:late*, or text:late for a part of it"));
        }
        Ok(json!({"name": {"startsWith": self.whole(&value[..value.len() - 1])?}}))
    }

    fn is_true(&self) -> Result<bool, Wrong> {
        let Some(value) = self.value else { return Ok(true) };
        match &*lexer::text(value).to_ascii_lowercase() {
            "true" | "yes" => Ok(true),
            "false" | "no" => Ok(false),
            _ => {
                let msg = format!("{} is true or false", self.spelling);
                Err(self.wrong("invalid_type", msg).accepts("true or false"))
            }
        }
    }

    /// Comparisons by their operators.
    fn range(
        &self,
        read: impl Fn(&[Char]) -> Result<Value, Wrong>,
    ) -> Result<Map<String, Value>, Wrong> {
        let value = self.value()?;
        let mut operators = Map::new();
        let compared = [(">=", "gte"), ("<=", "lte"), (">", "gt"), ("<", "lt")];
        if let Some((sign, operator)) = compared.iter().find(|own| lexer::starts(value, own.0)) {
            operators.insert((*operator).to_owned(), read(&value[sign.len()..])?);
            return Ok(operators);
        }
        let Some(at) = find(value, "..") else {
            operators.insert("on".to_owned(), read(value)?);
            return Ok(operators);
        };
        for (end, operator) in [(&value[..at], "gte"), (&value[at + 2..], "lte")] {
            if !end.is_empty() {
                operators.insert(operator.to_owned(), read(end)?);
            }
        }
        if operators.is_empty() {
            let msg = "a range without ends asks for nothing";
            return Err(self.wrong("invalid_words", msg).accepts("A.., ..B or A..B"));
        }
        Ok(operators)
    }

    fn number(&self, chars: &[Char]) -> Result<Value, Wrong> {
        let text = self.whole(chars)?;
        let number = serde_json::from_str::<Value>(&text).ok().filter(Value::is_number);
        number.ok_or_else(|| {
            let msg = format!("{:?} is no number that a double holds", shown(&text));
            self.wrong("invalid_number", msg).accepts("a number, or A..B, >A, <=B")
        })
    }

    fn integer(&self) -> Result<Value, Wrong> {
        let text = self.whole(self.value()?)?;
        // One that a body may not have is refused where bodies are judged; one that is greater than
        // a tree of JSON can hold would not be what was written.
        let number = serde_json::from_str::<Value>(&text).ok().filter(Value::is_u64);
        number.ok_or_else(|| {
            let is_great = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let msg = format!("{} is a number", self.spelling);
            let wrong = self.wrong("invalid_integer", msg);
            wrong.accepts(if is_great { "digits: at most 9007199254740991" } else { "digits" })
        })
    }

    /// The field of which a value is asked for.
    fn field(&self) -> Result<&'static str, Wrong> {
        let spelling = self.whole(self.value()?)?;
        names::field(&spelling).ok_or_else(|| {
            let wrong = self.wrong("unknown_field", format!("no field is {:?}", shown(&spelling)));
            let fields = names::fields();
            let near = names::near(&spelling, fields.iter().copied());
            wrong.meant(near).accepts_one_of(&fields)
        })
    }

    /// What to sort by, one or several; names that nothing sorts by are refused with the body.
    fn sort(&self) -> Result<Value, Wrong> {
        let mut keys = Vec::new();
        for item in self.items()? {
            let text = self.whole(item)?;
            let (minus, rest) = match text.strip_prefix('-') {
                Some(rest) => ("-", rest),
                None => ("", &*text),
            };
            let (name, direction) = match rest.split_once(':') {
                Some((name, direction)) => (name, format!(":{direction}")),
                None => (rest, String::new()),
            };
            keys.push(format!("{minus}{}{direction}", names::sort_name(name)));
        }
        Ok(if keys.len() == 1 { keys.remove(0).into() } else { keys.into() })
    }
}

/// A date as it is written; an integer of some length is milliseconds.
fn date(text: &str) -> Value {
    let is_millis = text.len() >= MILLIS_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u64>() {
        Ok(millis) if is_millis => millis.into(),
        _ => text.into(),
    }
}
