//! What documents of one kind share: a reference document, and which of its leaves differ in
//! others.

use super::leaves::Leaf;

/// Some leaves that are packed together: those of one object, or a single one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// Among the form's leaves that vary.
    pub(super) first: u32,
    pub(super) count: u32,
}

/// Documents are this one with other values in some leaves.
#[derive(Debug)]
pub(super) struct Form {
    reference: Box<[u8]>,
    leaves: Box<[Leaf]>,
    /// Which leaves vary, in order.
    varying: Box<[u32]>,
    units: Box<[Unit]>,
}

impl Form {
    pub(super) fn new(reference: &[u8], leaves: &[Leaf], varying: Vec<u32>) -> Self {
        let groups = groups(reference, leaves);
        let mut units: Vec<Unit> = Vec::new();
        let mut last = None;
        for (at, leaf) in varying.iter().enumerate() {
            let group = groups[*leaf as usize];
            match units.last_mut() {
                Some(unit) if group.is_some() && group == last => unit.count += 1,
                _ => units.push(Unit { first: at as u32, count: 1 }),
            }
            last = group;
        }
        Self {
            reference: reference.into(),
            leaves: leaves.into(),
            varying: varying.into(),
            units: units.into(),
        }
    }

    /// The same documents and one more, whose leaves are as many.
    pub(super) fn widened(&self, document: &[u8], leaves: &[Leaf]) -> Self {
        let pairs = self.leaves.iter().zip(leaves);
        let differs = pairs.map(|(own, other)| own.of(&self.reference) != other.of(document));
        let differs = differs.enumerate().filter(|(_, differs)| *differs).map(|(at, _)| at as u32);
        let mut varying: Vec<u32> = self.varying.iter().copied().chain(differs).collect();
        varying.sort_unstable();
        varying.dedup();
        Self::new(&self.reference, &self.leaves, varying)
    }

    /// Whether a document is the reference with other values in leaves that vary.
    pub(super) fn fits(&self, document: &[u8], leaves: &[Leaf]) -> bool {
        if leaves.len() != self.leaves.len() {
            return false;
        }
        let mut from = (0, 0);
        for varying in &self.varying {
            let (own, other) = (self.leaves[*varying as usize], leaves[*varying as usize]);
            if self.reference[from.0..own.start as usize] != document[from.1..other.start as usize]
            {
                return false;
            }
            from = (own.end as usize, other.end as usize);
        }
        self.reference[from.0..] == document[from.1..]
    }

    pub(super) fn units(&self) -> &[Unit] {
        &self.units
    }

    /// Which leaves of a document a unit has, by number.
    pub(super) fn of(&self, unit: Unit) -> &[u32] {
        &self.varying[unit.first as usize..(unit.first + unit.count) as usize]
    }

    /// What stands before a leaf that varies: since the one before it, or the beginning.
    pub(super) fn before(&self, varying: u32) -> &[u8] {
        let from = varying.checked_sub(1).map_or(0, |before| self.leaf(before).end);
        &self.reference[from as usize..self.leaf(varying).start as usize]
    }

    /// What stands after the last leaf that varies.
    pub(super) fn tail(&self) -> &[u8] {
        let from = self.varying.last().map_or(0, |last| self.leaves[*last as usize].end);
        &self.reference[from as usize..]
    }

    fn leaf(&self, varying: u32) -> Leaf {
        self.leaves[self.varying[varying as usize] as usize]
    }

    pub(super) fn bytes(&self) -> usize {
        let leaves = self.leaves.len() * size_of::<Leaf>() + self.varying.len() * 4;
        size_of::<Self>() + self.reference.len() + leaves + self.units.len() * size_of::<Unit>()
    }
}

/// For each leaf the object that holds it, where that holds nothing but leaves and is not the
/// whole document: objects often repeat as a whole.
fn groups(reference: &[u8], leaves: &[Leaf]) -> Vec<Option<u32>> {
    let is_brace = |byte: &u8| matches!(byte, b'{' | b'}' | b'[' | b']');
    let between = |at: usize| {
        let from = at.checked_sub(1).map_or(0, |before| leaves[before].end as usize);
        &reference[from..leaves.get(at).map_or(reference.len(), |leaf| leaf.start as usize)]
    };
    let mut groups = vec![None; leaves.len()];
    let mut start = 0;
    for end in 1..=leaves.len() {
        let last = between(end);
        if end < leaves.len() && !last.iter().any(is_brace) {
            continue;
        }
        let opens = between(start).iter().rfind(|byte| is_brace(byte)) == Some(&b'{');
        let closes = last.iter().find(|byte| is_brace(byte)) == Some(&b'}');
        if opens && closes && (start, end) != (0, leaves.len()) {
            groups[start..end].fill(Some(start as u32));
        }
        start = end;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::super::leaves::cut;
    use super::*;

    fn leaves(document: &str) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        cut(document.as_bytes(), &mut leaves);
        leaves
    }

    #[test]
    fn a_form_learns_which_leaves_vary() {
        let texts = [
            r#"{"a":1,"b":{"c":2,"d":3,"e":4},"f":5}"#,
            r#"{"a":1,"b":{"c":7,"d":3,"e":8},"f":5}"#,
            r#"{"a":9,"b":{"c":2,"d":3,"e":4},"f":5}"#,
            r#"{"a":9,"b":{"c":2,"d":3,"e":4},"g":5}"#,
        ];
        let form = Form::new(texts[0].as_bytes(), &leaves(texts[0]), Vec::new());
        let fits = |form: &Form, text: &str| form.fits(text.as_bytes(), &leaves(text));
        assert_eq!(texts.map(|text| fits(&form, text)), [true, false, false, false]);
        let form = form.widened(texts[1].as_bytes(), &leaves(texts[1]));
        assert_eq!(texts.map(|text| fits(&form, text)), [true, true, false, false]);
        assert_eq!(form.units(), [Unit { first: 0, count: 2 }]);
        assert_eq!((form.before(1), form.tail()), (&br#","d":3,"e":"#[..], &br#"},"f":5}"#[..]));
        let form = form.widened(texts[2].as_bytes(), &leaves(texts[2]));
        assert_eq!(texts.map(|text| fits(&form, text)), [true, true, true, false]);
        let units = [Unit { first: 0, count: 1 }, Unit { first: 1, count: 2 }];
        assert_eq!((form.units(), form.of(units[1])), (&units[..], &[1, 3][..]));
    }

    #[test]
    fn a_flat_document_is_no_group() {
        let text = r#"{"a":1,"b":2}"#;
        let form = Form::new(text.as_bytes(), &leaves(text), vec![0, 1]);
        assert_eq!(form.units().len(), 2);
    }
}
