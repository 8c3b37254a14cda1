//! What documents share, for checkpoints: templates, values and dictionaries, without what only
//! helps to find them and without what was seen once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use once_cell::race::OnceBox;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::dictionaries::Dictionaries;
use super::leaves;
use super::template::{LeafGroup, Reference, Template};
use super::templates::Templates;
use super::texts::Texts;
use super::{Codec, Shared};
use crate::index::collections::Interner;

/// A template, and which of the references it is of.
#[derive(Serialize, Deserialize)]
struct SavedTemplate<G, L> {
    reference: u32,
    varying: L,
    groups: G,
}

type RestoredTemplate = SavedTemplate<Box<[LeafGroup]>, Box<[u32]>>;

#[derive(Serialize)]
struct Saved<'c> {
    text: u64,
    references: Vec<&'c Reference>,
    templates: Vec<SavedTemplate<&'c [LeafGroup], &'c [u32]>>,
    values: Option<&'c Interner>,
    texts: Option<&'c Texts>,
}

#[derive(Deserialize)]
struct Restored {
    text: u64,
    references: Vec<Arc<Reference>>,
    templates: Vec<RestoredTemplate>,
    values: Option<Interner>,
    texts: Option<Texts>,
}

impl Serialize for Codec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shared = self.shared.get();
        let mut references: Vec<&Reference> = Vec::new();
        let templates = shared.into_iter().flat_map(|own| own.templates.iter());
        let templates = templates.map(|template| {
            let own = &*template.reference;
            // Templates of one reference follow one another, about.
            let known = references.iter().rposition(|other| std::ptr::eq(*other, own));
            let reference = known.unwrap_or_else(|| {
                references.push(own);
                references.len() - 1
            });
            let Template { varying, groups, .. } = template;
            SavedTemplate { reference: reference as u32, varying: &**varying, groups: &**groups }
        });
        let templates = templates.collect();
        let saved = Saved {
            text: self.text.load(Ordering::Relaxed),
            references,
            templates,
            values: shared.map(|own| &own.dictionaries.values),
            texts: shared.map(|own| &own.texts),
        };
        saved.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Codec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Restored { text, references, templates, values, texts } =
            Restored::deserialize(deserializer)?;
        let own = Self { text: text.into(), ..Self::default() };
        let (Some(values), Some(texts)) = (values, texts) else { return Ok(own) };
        let known = Templates::default();
        for SavedTemplate { reference, varying, groups } in templates {
            let reference = references.get(reference as usize);
            let reference = reference.ok_or_else(|| D::Error::custom("no reference"))?;
            let shape = leaves::shape(&reference.text, &reference.leaves, &own.hasher);
            known.restore(shape, Template { reference: Arc::clone(reference), varying, groups });
        }
        let dictionaries = Dictionaries { values, ..Dictionaries::default() };
        let shared = Shared { templates: known, dictionaries, texts, ..Shared::default() };
        // It is empty.
        let shared: OnceBox<Shared> = OnceBox::with_value(Box::new(shared));
        Ok(Self { shared, ..own })
    }
}
