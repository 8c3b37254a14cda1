//! The values of each field and all cases in order, held against the documents.

use getcases::{Snapshot, ValueField};

use super::super::oracle::values::{unassigned, values};
use super::super::oracle::{Document, values::Counts};

/// Says where a snapshot lists other values than its documents have.
pub fn check_values(snapshot: &Snapshot, documents: &[Document]) -> Result<(), String> {
    for (field, Counts { keys, shown, missing }) in
        ValueField::ALL.into_iter().zip(values(documents))
    {
        let about = |wrong: String| Err(format!("values of {field:?}: {wrong}"));
        let listed = snapshot.values(field);
        let figures = (listed.missing(), listed.unassigned(), listed.len());
        let listed: Vec<_> = listed.collect();
        let mut right: Vec<_> = shown.keys().filter(|key| !key.is_empty()).collect();
        right.sort_by_key(|key| (std::cmp::Reverse(keys[*key]), *key));
        if figures != (missing, unassigned(documents), right.len()) {
            return about(format!("{figures:?}, not {missing} and {}", right.len()));
        }
        for (own, key) in listed.iter().zip(right) {
            if (&own.key, own.count) != (key, keys[key]) || !shown[key].contains(&own.shown) {
                return about(format!("{own:?}, not {key:?} {} {:?}", keys[key], shown[key]));
            }
        }
    }
    Ok(())
}

/// Says where a snapshot goes through other cases than its documents, from the start or behind one.
pub fn check_cases(snapshot: &Snapshot, documents: &[Document]) -> Result<(), String> {
    let mut right: Vec<_> = documents.iter().map(|own| (&*own.id, &*own.text)).collect();
    right.sort_unstable();
    let middle = right.len() / 2;
    let behind = right.get(middle).map_or("x", |(id, _)| id);
    let after = right.get(middle + 1..).unwrap_or_default();
    for (cases, right) in [(snapshot.cases(), &right[..]), (snapshot.cases_after(behind), after)] {
        let cases: Vec<_> = cases.collect();
        if !cases.iter().map(|own| (own.id(), own.json())).eq(right.iter().copied()) {
            return Err(format!("{} cases in order, not {}", cases.len(), right.len()));
        }
    }
    Ok(())
}
