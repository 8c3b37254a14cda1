//! A case: what the engine reads out of a document, and the document itself, unchanged.
//!
//! Rules: docs/contract.md, *A case document*. What is missing, null, empty or of another kind than
//! its row reads is the same: absent.

mod patch;
mod shown;
mod version;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::refusal::{Code, Problem, Problems, Refusal};
use crate::value::fold::{fold, has_key, is_blank, key, status_key};
use crate::value::json::{Json, Kind, Value};
use crate::value::shown::cut;
use crate::value::time::{Date, Millis};

pub use version::{Version, VersionError};

/// How long an `_id` may be, in bytes.
const MAX_ID: usize = 1024;

/// What stands for the category of a status that has none.
pub(crate) const NO_CATEGORY: &str = "  ";

/// A few keys; each is folded and trimmed.
pub(crate) type Keys = Box<[Box<str>]>;

/// One case, read from its document: what [`Batch::upsert_case`](crate::Batch::upsert_case) takes,
/// so that reading can be spread over threads.
///
/// ```
/// use getcases::Case;
///
/// let case = Case::from_json(br#"{"_id":"1","status":{"lname":"Open"},"ETA":"2025-05-29"}"#)?;
/// assert_eq!((case.id(), case.status().as_deref()), ("1", Some("Open")));
/// assert_eq!(case.due(), Some(1_748_476_800_000));
/// let refusal = Case::from_json(br#"{"_id":"2","status":7}"#).unwrap_err();
/// assert_eq!((refusal.id(), refusal.problems()[0].path()), (Some("2"), "$.status"));
/// # Ok::<_, getcases::Refusal>(())
/// ```
#[derive(Clone)]
pub struct Case {
    pub(crate) id: Box<str>,
    account: Option<Box<str>>,
    stream: Option<Box<str>>,
    /// The JSON text less insignificant white space.
    pub(crate) document: Box<str>,
    /// The top-level keys as they are spelled, each with a comma behind it.
    pub(crate) columns: String,
    /// Where values stand in the document, by `Part`; nowhere where there is none. A document has
    /// at most 1 MiB, so `u32` is ample.
    spans: [[Range<u32>; 2]; Part::COUNT],
    pub(crate) created: Option<Millis>,
    pub(crate) updated: Option<Millis>,
    pub(crate) due: Option<Millis>,
    /// Folded, untrimmed.
    pub(crate) name: Option<Box<str>>,
    /// The folded `selectedValue` of the field `title`; nothing where it is spelled as the name is.
    pub(crate) title: Option<Box<str>>,
    pub(crate) ref_id: Option<Box<str>>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, bytes) = (cut(&*self.id), self.document.len());
        f.debug_struct("Case").field("id", &id).field("bytes", &bytes).finish_non_exhaustive()
    }
}

/// The keys of a field's values. A value may have several, of which one is its first: the one that
/// it is shown by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct ValueKeys {
    /// Those of one value after those of another.
    pub(crate) all: Keys,
    /// Which of them are not the first of their value; ascending.
    others: Box<[u32]>,
}

impl ValueKeys {
    fn of(values: impl Iterator<Item = Keys>) -> Self {
        let (mut all, mut others) = (Vec::new(), Vec::new());
        for keys in values {
            let first = all.len();
            all.extend(keys);
            // A document has at most 1 MiB, so `u32` is ample.
            others.extend((first + 1..all.len()).map(|at| at as u32));
        }
        Self { all: all.into(), others: others.into() }
    }

    /// Each key, and whether it is the first of a value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, bool)> + Clone {
        let is_first = |at: usize| self.others.binary_search(&(at as u32)).is_err();
        self.all.iter().enumerate().map(move |(at, key)| (&**key, is_first(at)))
    }

    /// Bytes that are allocated.
    pub(crate) fn owned(&self) -> usize {
        let texts = self.all.iter().map(|key| key.len()).sum::<usize>();
        size_of_val(&*self.all) + texts + size_of_val(&*self.others)
    }
}

/// What few values describe: cases spell it alike, and what is read of one spelling is read of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Status,
    Priority,
    Channels,
    Queues,
    Assignee,
}

impl Part {
    const COUNT: usize = 5;
}

/// A status as queries see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Status {
    /// Status keys of its name, lname and `_id`.
    pub(crate) keys: Keys,
    /// The status key of its category behind a space, so that it is no key of a name; `NO_CATEGORY`
    /// where there is none.
    pub(crate) category: Box<str>,
    /// How it sorts: the rank of its category, then its folded name.
    pub(crate) sort: Option<(u8, Box<str>)>,
    pub(crate) unresolved: bool,
}

/// Who has a case.
#[derive(Debug)]
pub(crate) struct Holder {
    /// The ids as they are: what `mycase` asks.
    pub(crate) ids: Keys,
    /// The keys of those ids and of the name: what `agents` asks.
    pub(crate) agents: Keys,
    /// The folded name.
    pub(crate) name: Option<Box<str>>,
    /// Whether nobody has it.
    pub(crate) unassigned: bool,
}

impl Case {
    /// Reads a document: one JSON object, at most 1 MiB. Cost grows with its length.
    ///
    /// # Errors
    /// Every reason for which the document is refused (docs/contract.md, *A case document*).
    pub fn from_json(document: &[u8]) -> Result<Self, Refusal> {
        let json = Json::read(document)
            .map_err(|error| Problem::from_json(error, Code::DocumentTooLarge))?;
        if json.root().kind() != Kind::Object {
            return Err(Problem::not_an_object().into());
        }
        Members::of(json.root()).into_case(&json)
    }

    /// The `_id`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The document, less insignificant white space.
    #[must_use]
    pub fn document(&self) -> &str {
        &self.document
    }

    /// The account that the document names, if it names one.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The stream that the document names as its `iId`, if it names one.
    #[must_use]
    pub fn stream(&self) -> Option<&str> {
        self.stream.as_deref()
    }

    /// Whether the document has a top-level key. Cost grows with the keys, and only where one of
    /// them has an escape or holds the asked one.
    #[must_use]
    pub fn has_key(&self, key: &str) -> bool {
        let may_have = self.columns.contains(key) || self.columns.contains('\\');
        may_have && keys(&self.columns).iter().any(|own| **own == *key)
    }

    /// How a part is spelled in the document: two values, each empty where there is none.
    pub(crate) fn spelling(&self, part: Part) -> [&str; 2] {
        let text = |span: &Range<u32>| self.document.get(span.start as usize..span.end as usize);
        self.spans[part as usize].each_ref().map(|span| text(span).unwrap_or_default())
    }

    /// Checks that the document names no other account or stream. Cost grows with the document
    /// where it does, and only there.
    pub(crate) fn belongs_to(&self, account: &str, stream: &str) -> Result<(), Refusal> {
        let is_foreign = |own: Option<&str>, wanted: &str| own.is_some_and(|own| own != wanted);
        let scopes = [
            ("$.accountId", "accountId", is_foreign(self.account(), account)),
            ("$.iId", "iId", is_foreign(self.stream(), stream)),
        ];
        let mut problems = Problems::default();
        for (path, key, _) in scopes.into_iter().filter(|(_, _, is_foreign)| *is_foreign) {
            problems.add(|| {
                let wrong =
                    Problem::new(Code::ForeignScope, path, "the case belongs to another scope")
                        .accepts("the scope it is stored in, or nothing");
                let json = Json::read(self.document.as_bytes()).ok();
                match json.as_ref().and_then(|json| json.root().get(key)) {
                    Some(own) => wrong.with_value(own.raw()),
                    None => wrong,
                }
            });
        }
        problems.into_result().map_err(|refusal| refusal.of_document(&self.id))
    }
}

/// The columns of a case, their escapes read. Cost grows with the columns.
pub(crate) fn keys(columns: &str) -> Vec<Box<str>> {
    // Shorter than the document, whose keys each have a value.
    let list = format!("[{}]", columns.strip_suffix(',').unwrap_or(columns));
    let Ok(json) = Json::read(list.as_bytes()) else { return Vec::new() };
    json.root().elements().filter_map(Value::text).map(Into::into).collect()
}

/// The members of a document that the engine reads, as they stand.
#[derive(Default)]
struct Members<'j, 't> {
    id: Option<Value<'j, 't>>,
    account: Option<Value<'j, 't>>,
    stream: Option<Value<'j, 't>>,
    status: Option<Value<'j, 't>>,
    priority: Option<Value<'j, 't>>,
    assignee: Option<Value<'j, 't>>,
    assignee_type: Option<Value<'j, 't>>,
    channel: Option<Value<'j, 't>>,
    source: Option<Value<'j, 't>>,
    queues: Option<Value<'j, 't>>,
    queue: Option<Value<'j, 't>>,
    fields: Option<Value<'j, 't>>,
    name: Option<Value<'j, 't>>,
    ref_id: Option<Value<'j, 't>>,
    created: Option<Value<'j, 't>>,
    timestamp: Option<Value<'j, 't>>,
    updated: Option<Value<'j, 't>>,
    due: Option<Value<'j, 't>>,
    eta: Option<Value<'j, 't>>,
    columns: String,
}

impl<'j, 't> Members<'j, 't> {
    fn of(document: Value<'j, 't>) -> Self {
        let mut members = Self::default();
        for (key, value) in document.members() {
            let name = key.text().unwrap_or_default();
            let slot = match name.as_ref() {
                "_id" => Some(&mut members.id),
                "accountId" => Some(&mut members.account),
                "iId" => Some(&mut members.stream),
                "status" => Some(&mut members.status),
                "priority" => Some(&mut members.priority),
                "currAssignee" => Some(&mut members.assignee),
                "assigneeType" => Some(&mut members.assignee_type),
                "channel" => Some(&mut members.channel),
                "source" => Some(&mut members.source),
                "queues" => Some(&mut members.queues),
                "currQueue" => Some(&mut members.queue),
                "fields" => Some(&mut members.fields),
                "name" => Some(&mut members.name),
                "refId" => Some(&mut members.ref_id),
                "createdAt" => Some(&mut members.created),
                "timestampValue" => Some(&mut members.timestamp),
                "updatedAt" => Some(&mut members.updated),
                "dueDate" => Some(&mut members.due),
                "ETA" => Some(&mut members.eta),
                _ => None,
            };
            if let Some(slot) = slot {
                *slot = Some(value);
            }
            members.columns.push_str(key.raw());
            members.columns.push(',');
        }
        members
    }

    fn into_case(self, json: &Json<'_>) -> Result<Case, Refusal> {
        let mut problems = Problems::default();
        let id = id(self.id, &mut problems);
        for (value, path) in [
            (self.status, "$.status"),
            (self.priority, "$.priority"),
            (self.assignee, "$.currAssignee"),
        ] {
            let value = value.filter(|value| !is_missing(*value));
            if let Some(wrong) = value.filter(|value| Entity::plain(*value).is_none()) {
                problems.add(|| Problem::wrong_type(path, wrong, "an object or a text"));
            }
        }
        let mut date = |value, path| date(value, path, &mut problems);
        let created = date(self.created, "$.createdAt");
        let timestamp = date(self.timestamp, "$.timestampValue");
        let updated = date(self.updated, "$.updatedAt");
        let due = date(self.due, "$.dueDate");
        let eta = date(self.eta, "$.ETA");
        problems.into_result().map_err(|refusal| refusal.of_document(&id))?;

        let (title, due_field) = fields(self.fields);
        let name = text(self.name);
        let title = title.filter(|title| Some(title) != name.as_ref());
        // By `Part`.
        let mut spans = [
            [self.status, None],
            [self.priority, None],
            [self.channel, self.source],
            [self.queues, self.queue],
            [self.assignee, self.assignee_type],
        ]
        .map(|values| values.map(|value| value.map(Value::range).unwrap_or_default()));
        let ends = spans.iter_mut().flatten().flat_map(|span| [&mut span.start, &mut span.end]);
        let document = json.compact(ends).into();
        Ok(Case {
            id,
            account: text(self.account).map(Into::into),
            stream: text(self.stream).map(Into::into),
            document,
            columns: self.columns,
            spans,
            created: created.or(timestamp),
            updated,
            due: due.or(eta).or(due_field),
            name: folded(name),
            title: folded(title),
            ref_id: folded(text(self.ref_id)),
        })
    }
}

/// Reads values by their spelling in a document that was read.
fn spelled<T>(spelling: [&str; 2], read: impl FnOnce([Option<Value<'_, '_>>; 2]) -> T) -> T {
    // Whatever stood in a document is JSON, and nothing is none.
    let [one, other] = spelling.map(|text| Json::read(text.as_bytes()).ok());
    read([one.as_ref().map(Json::root), other.as_ref().map(Json::root)])
}

/// Reads a status. Cost grows with its spelling; so for each part.
pub(crate) fn status(spelling: [&str; 2]) -> Status {
    spelled(spelling, |[status, _]| {
        let status = status.and_then(Entity::plain);
        let category = status.and_then(|status| status.named("statusCategory"));
        let name = status.and_then(|s| s.named("name").or_else(|| s.named("lname")));
        let category = category.map(|category| status_key(&category));
        let judged = category.clone().or_else(|| Some(status_key(name.as_ref()?)));
        let category = category.map(|category| format!(" {category}"));
        Status {
            keys: texts(status, &["name", "lname", "_id"], |text| status_key(text).into()),
            category: category.as_deref().unwrap_or(NO_CATEGORY).into(),
            unresolved: !matches!(judged.as_deref(), Some("resolved" | "closed")),
            sort: judged
                .map(|judged| (category_rank(&judged), fold(&name.unwrap_or_default()).into())),
        }
    })
}

/// Reads the keys of a priority, and its score.
pub(crate) fn priority(spelling: [&str; 2]) -> (Keys, Option<f64>) {
    spelled(spelling, |[priority, _]| {
        let priority = priority.and_then(Entity::plain);
        (names(priority), priority.and_then(Entity::score))
    })
}

/// Reads the keys of channels.
pub(crate) fn channels(spelling: [&str; 2]) -> ValueKeys {
    spelled(spelling, |[channel, source]| channel_keys(channel, source))
}

/// Reads the keys of queues.
pub(crate) fn queues(spelling: [&str; 2]) -> ValueKeys {
    spelled(spelling, |[queues, queue]| {
        ValueKeys::of(queue_entities(queues, queue).map(|queue| names(Some(queue))))
    })
}

/// The queues of both members that have them.
fn queue_entities<'j, 't>(
    queues: Option<Value<'j, 't>>,
    queue: Option<Value<'j, 't>>,
) -> impl Iterator<Item = Entity<'j, 't>> {
    let queue = queue.filter(|queue| queue.kind() != Kind::Array);
    list(queues).chain(queue).filter_map(Entity::plain)
}

/// Reads who has a case.
pub(crate) fn holder(spelling: [&str; 2]) -> Holder {
    spelled(spelling, |[assignee, kind]| {
        let assignee = assignee.and_then(Entity::plain);
        let name = assignee.and_then(|assignee| assignee.named("name"));
        let ids: Keys = texts(assignee, &["agentId", "aId", "_id"], |text| text.into());
        let kind = text(kind);
        let is_kind = |wanted| kind.as_ref().is_some_and(|kind| has_key(kind, wanted));
        let is_nobody = ids.is_empty() && name.is_none();
        Holder {
            unassigned: is_kind("unassigned") || is_nobody && !is_kind("agent"),
            agents: texts(assignee, &["agentId", "aId", "_id", "name"], |text| key(text).into()),
            ids,
            name: folded(name),
        }
    })
}

type Text<'t> = Cow<'t, str>;

/// A text that is not blank.
fn text<'t>(value: Option<Value<'_, 't>>) -> Option<Text<'t>> {
    value?.text().filter(|text| !is_blank(text))
}

fn folded(text: Option<Text<'_>>) -> Option<Box<str>> {
    text.map(|text| fold(&text).into())
}

/// Null, blank, `[]` or `{}`.
fn is_missing(value: Value<'_, '_>) -> bool {
    value.kind() == Kind::Null
        || value.is_empty()
        || value.text().is_some_and(|text| is_blank(&text))
}

/// What stands for a list: an array's elements, or one text or object.
fn list<'j, 't>(value: Option<Value<'j, 't>>) -> impl Iterator<Item = Value<'j, 't>> {
    let elements = value.into_iter().flat_map(Value::elements);
    let alone = value.filter(|value| value.kind() != Kind::Array);
    elements.chain(alone)
}

/// An object, or a plain text that is its name: a status, priority, queue or assignee.
#[derive(Clone, Copy)]
struct Entity<'j, 't>(Value<'j, 't>);

impl<'j, 't> Entity<'j, 't> {
    /// Skips what is neither an object nor a text.
    fn plain(value: Value<'j, 't>) -> Option<Self> {
        matches!(value.kind(), Kind::Object | Kind::Text).then_some(Self(value))
    }

    fn named(self, name: &str) -> Option<Text<'t>> {
        match self.0.kind() {
            Kind::Text if name == "name" => text(Some(self.0)),
            _ => text(self.0.get(name)),
        }
    }

    /// The first text that it has under some names.
    fn first(self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.named(name)).map(Cow::into_owned)
    }

    fn score(self) -> Option<f64> {
        let score = self.0.get("score").filter(|score| score.kind() == Kind::Number)?;
        let score: f64 = score.raw().parse().ok()?;
        // Adding zero makes -0 a plain 0, so that equal scores have equal bits.
        score.is_finite().then_some(score + 0.0)
    }
}

fn texts(entity: Option<Entity<'_, '_>>, names: &[&str], form: impl Fn(&str) -> Box<str>) -> Keys {
    let entity = entity.into_iter();
    entity
        .flat_map(|e| names.iter().filter_map(move |name| e.named(name)))
        .map(|t| form(&t))
        .collect()
}

fn names(entity: Option<Entity<'_, '_>>) -> Keys {
    texts(entity, &["name", "lname", "_id"], |text| key(text).into())
}

fn channel_keys(channel: Option<Value<'_, '_>>, source: Option<Value<'_, '_>>) -> ValueKeys {
    let channels = ValueKeys::of(list(channel).map(|channel| {
        texts(Entity::plain(channel), &["name", "_id", "type"], |text| key(text).into())
    }));
    if !channels.all.is_empty() {
        return channels;
    }
    let source = text(source);
    let email = source.as_ref().filter(|source| source.starts_with("emailInst-"));
    let email = email.map(|_| "email".into());
    let keys = source.map(|source| key(&source).into()).into_iter().chain(email);
    ValueKeys::of(keys.map(|key| Keys::from([key])))
}

/// The title and the due date among the custom fields: the first of each decides.
fn fields<'t>(fields: Option<Value<'_, 't>>) -> (Option<Text<'t>>, Option<Millis>) {
    let lname = |field: Value<'_, '_>, wanted: &str| {
        text(field.get("lname")).is_some_and(|lname| has_key(&lname, wanted))
    };
    let is_due = |field: Value<'_, '_>| {
        let meta = field.get("metaData").and_then(|meta| meta.get("name"));
        lname(field, "due date") || meta.is_some_and(|name| name.is_text("dueDate"))
    };
    let title = list(fields).find(|field| lname(*field, "title"));
    let due = list(fields).find(|field| is_due(*field));
    (
        text(title.and_then(|title| title.get("selectedValue"))),
        due.and_then(|due| due.get("selectedValue")).and_then(as_date).map(Date::instant),
    )
}

fn as_date(value: Value<'_, '_>) -> Option<Date> {
    match value.kind() {
        Kind::Number => Date::from_number(value.raw()),
        _ => Date::from_text(&value.text()?),
    }
}

fn date(value: Option<Value<'_, '_>>, path: &str, problems: &mut Problems) -> Option<Millis> {
    let value = value.filter(|value| !is_missing(*value))?;
    let date = as_date(value);
    if date.is_none() {
        problems.add(|| Problem::invalid_date(path, value));
    }
    date.map(Date::instant)
}

fn id(value: Option<Value<'_, '_>>, problems: &mut Problems) -> Box<str> {
    let id = text(value).unwrap_or_default();
    if id.is_empty() || id.len() > MAX_ID {
        problems.add(|| {
            let msg = "a case needs an _id that is a text";
            let wrong = Problem::new(Code::InvalidId, "$._id", msg)
                .accepts(format!("a text that is not blank, of at most {MAX_ID} bytes"));
            match value {
                Some(value) => wrong.with_value(value.raw()).at(value.range().start as usize),
                None => wrong,
            }
        });
    }
    id.into()
}

fn category_rank(category: &str) -> u8 {
    match category {
        "open" => 0,
        "in progress" => 1,
        "on hold" => 2,
        "resolved" => 3,
        "closed" => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(json: &str) -> Case {
        Case::from_json(json.as_bytes()).unwrap()
    }

    fn problems(json: &str) -> Vec<(Code, String)> {
        let refusal = Case::from_json(json.as_bytes()).unwrap_err();
        refusal
            .problems()
            .iter()
            .map(|problem| (problem.code(), problem.path().to_owned()))
            .collect()
    }

    #[test]
    fn reads_the_seed() {
        let case = case(include_str!("../tests/seed/case.json"));
        assert_eq!(&*case.id, "ci-1a634e1-3d97-427e-8b23-9b7b0a40xxxx");
        let status = status(case.spelling(Part::Status));
        assert_eq!((&*status.keys[0], status.sort), ("open", Some((0, "open".into()))));
        assert!(status.unresolved && holder(case.spelling(Part::Assignee)).unassigned);
        let channels = channels(case.spelling(Part::Channels));
        assert_eq!(channels.all.last().unwrap().as_ref(), "email");
        assert_eq!(case.due, Some(1_748_491_380_000));
        assert_eq!(priority(case.spelling(Part::Priority)).1, Some(10.0));
        assert_eq!(case.columns.matches(',').count(), 40);
    }

    #[test]
    fn reports_every_problem_in_order() {
        let wrong = r#"{"ETA":"soon","status":5,"currAssignee":[1],"createdAt":{"a":1},"_id":" "}"#;
        let expected = [
            (Code::InvalidId, "$._id"),
            (Code::InvalidType, "$.status"),
            (Code::InvalidType, "$.currAssignee"),
            (Code::InvalidDate, "$.createdAt"),
            (Code::InvalidDate, "$.ETA"),
        ];
        assert_eq!(problems(wrong), expected.map(|(code, path)| (code, path.to_owned())));
    }

    #[test]
    fn an_agent_behind_a_queue_has_the_case() {
        let case = case(r#"{"_id":"1","assigneeType":"queues","currAssignee":{"aId":"u 1"}}"#);
        let holder = holder(case.spelling(Part::Assignee));
        assert_eq!((holder.unassigned, holder.ids[0].as_ref()), (false, "u 1"));
    }

    #[test]
    fn only_the_first_due_field_is_asked() {
        let due = r#"{"_id":"1","fields":[{"lname":" Due Date","selectedValue":"soon"},
            {"metaData":{"name":"dueDate"},"selectedValue":"2025-05-29"}]}"#;
        assert_eq!(case(due).due, None);
    }
}
