//! What a case is read to be, for people: names as they are spelled, and dates.

use std::borrow::Cow;

use super::{Case, Entity, Part, channels, fields, list, queue_entities, spelled, status, text};
use crate::value::fold::{key, status_key};

impl Case {
    /// When it was created, in milliseconds since 1970.
    #[must_use]
    pub fn created(&self) -> Option<i64> {
        self.created
    }

    /// When it was updated, in milliseconds since 1970.
    #[must_use]
    pub fn updated(&self) -> Option<i64> {
        self.updated
    }

    /// When it is due, in milliseconds since 1970, wherever the document says so.
    #[must_use]
    pub fn due(&self) -> Option<i64> {
        self.due
    }

    /// Its name, else its title, as the document has it. Cost grows with the document.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        spelled([&self.document, ""], |[document, _]| {
            let document = document?;
            let name = text(document.get("name")).or_else(|| fields(document.get("fields")).0);
            name.map(Cow::into_owned)
        })
    }

    /// The name of its status. Cost grows with the status; so for each of the following.
    #[must_use]
    pub fn status(&self) -> Option<String> {
        self.first_name(Part::Status, &["name", "lname"])
    }

    /// Whether its status is neither resolved nor closed.
    #[must_use]
    pub fn is_unresolved(&self) -> bool {
        status(self.spelling(Part::Status)).unresolved
    }

    /// The name of its priority.
    #[must_use]
    pub fn priority(&self) -> Option<String> {
        self.first_name(Part::Priority, &["name", "lname", "_id"])
    }

    /// Who has it: a name, else an id.
    #[must_use]
    pub fn assignee(&self) -> Option<String> {
        self.first_name(Part::Assignee, &["name", "agentId", "aId", "_id"])
    }

    /// The keys of its channels.
    #[must_use]
    pub fn channels(&self) -> Vec<String> {
        channels(self.spelling(Part::Channels)).all.into_iter().map(String::from).collect()
    }

    /// The names of its queues.
    #[must_use]
    pub fn queues(&self) -> Vec<String> {
        spelled(self.spelling(Part::Queues), |[queues, queue]| {
            let entities = queue_entities(queues, queue);
            entities.filter_map(|entity| entity.first(&["name", "lname", "_id"])).collect()
        })
    }

    /// How the value of a part is spelled that has this first key.
    pub(crate) fn shown(&self, part: Part, wanted: &str) -> Option<String> {
        const NAMES: &[&str] = &["name", "lname", "_id"];
        let is_it = |text: &String| key(text) == wanted;
        spelled(self.spelling(part), |[one, other]| match part {
            Part::Status => {
                Entity::plain(one?)?.first(NAMES).filter(|text| status_key(text) == wanted)
            }
            Part::Priority => Entity::plain(one?)?.first(NAMES).filter(is_it),
            Part::Assignee => {
                let names = &["name", "agentId", "aId", "_id"];
                Entity::plain(one?)?.first(names).filter(is_it)
            }
            Part::Queues => {
                queue_entities(one, other).filter_map(|own| own.first(NAMES)).find(is_it)
            }
            Part::Channels => {
                let channels = list(one).filter_map(Entity::plain);
                let shown = |own: Entity<'_, '_>| own.first(&["name", "_id", "type"]);
                let source = text(other).map(Cow::into_owned);
                channels.filter_map(shown).chain(source).find(is_it)
            }
        })
    }

    /// The category of its status.
    pub(crate) fn status_category(&self) -> Option<String> {
        spelled(self.spelling(Part::Status), |[status, _]| {
            Entity::plain(status?)?.first(&["statusCategory"])
        })
    }

    fn first_name(&self, part: Part, names: &[&str]) -> Option<String> {
        spelled(self.spelling(part), |[entity, _]| Entity::plain(entity?)?.first(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_it_read() {
        let case = Case::from_json(
            br#"{"_id":"1","fields":{"lname":"Title","selectedValue":"Late \u00e9"},
            "status":{"lname":"Open ","statusCategory":"resolved"},"priority":"High",
            "currAssignee":{"aId":"u 1"},"queues":[{"lname":"q"},7],"currQueue":"r",
            "source":"emailInst-1","updatedAt":1748491380000,"ETA":"2025-05-29"}"#,
        )
        .unwrap();
        assert_eq!(case.name().as_deref(), Some("Late é"));
        let names = [case.status(), case.priority(), case.assignee()];
        assert_eq!(
            names.each_ref().map(Option::as_deref),
            [Some("Open "), Some("High"), Some("u 1")]
        );
        assert_eq!(
            (case.queues(), case.channels().pop()),
            (vec!["q".into(), "r".into()], Some("email".into()))
        );
        assert!(!case.is_unresolved());
        let dates = (case.created(), case.updated(), case.due());
        assert_eq!(dates, (None, Some(1_748_491_380_000), Some(1_748_476_800_000)));
    }
}
