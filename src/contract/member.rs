//! The members of an object that a host reads itself.

use std::borrow::Cow;

use crate::refusal::{Code, Problem, Refusal};
use crate::value::json::{Json, Kind, Value, push_key};

/// One member of a JSON object that a host reads itself, such as the body of a path of its own:
/// read as strictly as a body of `getCases` is, and refused alike.
///
/// ```
/// use getcases::{Code, Member};
///
/// let members = Member::all(br#"{"ids":["a", 7],"a b":{}}"#)?;
/// assert_eq!((members[0].name(), members[0].path()), ("ids", "$.ids"));
/// assert_eq!(members[0].elements(), Some(vec!["\"a\"", "7"]));
/// assert_eq!((members[1].path(), members[1].value()), ("$[\"a b\"]", "{}"));
/// let refusal = Member::all(br#"{"ids":[],"ids":[]}"#).unwrap_err();
/// assert_eq!(refusal.problems()[0].code(), Code::DuplicateKey);
/// # Ok::<_, getcases::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'t> {
    name: Cow<'t, str>,
    path: String,
    value: &'t str,
}

impl<'t> Member<'t> {
    /// Those of one JSON object of at most 1 MiB, in written order. Cost grows with the text.
    ///
    /// # Errors
    /// What a body comes alone with: no strict JSON, nested too deep, too long, no object, or a key
    /// that stands twice in one.
    pub fn all(text: &'t [u8]) -> Result<Vec<Self>, Refusal> {
        let json =
            Json::read(text).map_err(|error| Problem::from_json(error, Code::BodyTooLarge))?;
        if json.root().kind() != Kind::Object {
            return Err(Problem::not_an_object().into());
        }
        let member = |(name, value): (Value<'_, 't>, Value<'_, 't>)| {
            let name = name.text().unwrap_or_default();
            let mut path = String::from("$");
            push_key(&mut path, &name);
            Self { name, path, value: value.raw() }
        };
        Ok(json.root().members().map(member).collect())
    }

    /// The name, its escapes read.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is, as a problem tells it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value as it is spelled.
    #[must_use]
    pub fn value(&self) -> &'t str {
        self.value
    }

    /// The elements of a list, each as it is spelled; nothing of another value. Cost grows with the
    /// value.
    #[must_use]
    pub fn elements(&self) -> Option<Vec<&'t str>> {
        let json = Json::read(self.value.as_bytes()).ok()?;
        let is_list = json.root().kind() == Kind::Array;
        is_list.then(|| json.root().elements().map(Value::raw).collect())
    }

    /// The text that the value is; nothing of another value.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'t, str>> {
        Json::read(self.value.as_bytes()).ok()?.root().text()
    }
}
