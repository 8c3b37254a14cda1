//! A sorted map from ordinals in small nodes that clones share: a change copies one node of each
//! level.
//!
//! Useful for a table over the few values that a segment has, of the many that its scope has: it
//! grows with its own values, wherever their ordinals lie. Not for a column that has a value at
//! each place: `paged` needs no keys for that.

use std::sync::Arc;

use smallvec::SmallVec;

use super::ordinal::Ordinal;
use super::paged::{PageValue, prefetch};
use super::sized::sized;

/// How many members a node has at most. Copying one counts a reference to each of its members.
const FAN: usize = sized(16, 4);

/// How many members a node grows by when it is full: a table holds little more than its values.
const GROWTH: usize = sized(4, 1);

/// What a node takes besides its members: its counts, two vectors, and what the allocator adds.
const NODE: usize = 120;

/// Values, or nodes below it, in the order of their keys.
#[derive(Debug)]
struct MapNode<T> {
    /// The key of each value; of each node, a key that none of its own comes before.
    keys: Vec<Ordinal>,
    members: Children<T>,
}

#[derive(Debug)]
enum Children<T> {
    Values(Vec<T>),
    /// None of them empty.
    Nodes(Vec<Arc<MapNode<T>>>),
}

impl<T> Default for MapNode<T> {
    fn default() -> Self {
        Self { keys: Vec::new(), members: Children::Values(Vec::new()) }
    }
}

impl<T: PageValue> Clone for MapNode<T> {
    fn clone(&self) -> Self {
        let members = match &self.members {
            Children::Values(values) => {
                T::prefetch(values);
                Children::Values(values.clone())
            }
            Children::Nodes(nodes) => {
                prefetch(nodes.iter());
                Children::Nodes(nodes.clone())
            }
        };
        Self { keys: self.keys.clone(), members }
    }
}

fn add<M>(list: &mut Vec<M>, at: usize, member: M) {
    if list.len() == list.capacity() {
        // A table of one value should cost little.
        list.reserve_exact(if list.is_empty() { 1 } else { GROWTH });
    }
    list.insert(at, member);
}

impl<T: PageValue> MapNode<T> {
    fn is_full(&self) -> bool {
        self.keys.len() >= FAN
    }

    /// Which node a key belongs into.
    fn toward(&self, key: Ordinal) -> usize {
        self.keys.partition_point(|own| *own <= key).saturating_sub(1)
    }

    fn cut(&mut self, at: usize) -> Self {
        let keys = self.keys.split_off(at);
        let members = match &mut self.members {
            Children::Values(values) => Children::Values(values.split_off(at)),
            Children::Nodes(nodes) => Children::Nodes(nodes.split_off(at)),
        };
        Self { keys, members }
    }

    /// Takes up the members of the node that follows.
    fn join(&mut self, next: Self) {
        self.keys.extend(next.keys);
        match (&mut self.members, next.members) {
            (Children::Values(own), Children::Values(next)) => own.extend(next),
            (Children::Nodes(own), Children::Nodes(next)) => own.extend(next),
            _ => unreachable!("nodes side by side are of one level"),
        }
    }
}

/// Values by ordinal. A clone costs one pointer. Empty it allocates nothing.
#[derive(Clone, Debug)]
pub(crate) struct Sparse<T> {
    root: Option<Arc<MapNode<T>>>,
    length: usize,
    nodes: usize,
}

impl<T> Default for Sparse<T> {
    fn default() -> Self {
        Self { root: None, length: 0, nodes: 0 }
    }
}

impl<T: PageValue + Default> Sparse<T> {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// How many references there are to what a clone shares.
    pub(crate) fn references(&self) -> usize {
        self.root.as_ref().map_or(0, Arc::strong_count)
    }

    /// Bytes of the table, without what values own. Cost: none.
    pub(crate) fn bytes(&self) -> usize {
        let member = |size: usize| size + size_of::<Ordinal>();
        self.length * member(size_of::<T>()) + self.nodes * (NODE + member(size_of::<usize>()))
    }

    pub(crate) fn get(&self, key: Ordinal) -> Option<&T> {
        let mut node = self.root.as_ref()?;
        loop {
            match &node.members {
                Children::Values(values) => return values.get(node.keys.binary_search(&key).ok()?),
                Children::Nodes(nodes) => node = nodes.get(node.toward(key))?,
            }
        }
    }

    /// The value of a key to change, nodes on the way to it copied where a clone shares them; a new
    /// one where there was none.
    pub(crate) fn get_or_add(&mut self, key: Ordinal) -> &mut T {
        if self.get(key).is_none() {
            self.make_room(key);
        }
        let mut node = Arc::make_mut(self.root.get_or_insert_default());
        loop {
            let toward = node.toward(key);
            match &mut node.members {
                Children::Values(values) => {
                    let at = node.keys.binary_search(&key).unwrap_or_else(|at| {
                        add(&mut node.keys, at, key);
                        add(values, at, T::default());
                        self.length += 1;
                        at
                    });
                    return &mut values[at];
                }
                Children::Nodes(nodes) => {
                    node.keys[toward] = node.keys[toward].min(key);
                    node = Arc::make_mut(&mut nodes[toward]);
                }
            }
        }
    }

    /// Cuts full nodes on the way to a key, from the root on, so that each has room for one more
    /// member. Keys that ascend leave full nodes behind.
    fn make_room(&mut self, key: Ordinal) {
        self.nodes += usize::from(self.root.is_none());
        let root = self.root.get_or_insert_default();
        if root.is_full() {
            let members = Children::Nodes(vec![Arc::clone(root)]);
            *root = Arc::new(MapNode { keys: vec![root.keys[0]], members });
            self.nodes += 1;
        }
        let mut node = Arc::make_mut(root);
        loop {
            let mut toward = node.toward(key);
            let Children::Nodes(nodes) = &mut node.members else { return };
            if nodes[toward].is_full() {
                let full = Arc::make_mut(&mut nodes[toward]);
                let is_last = full.keys.last().is_some_and(|last| *last < key);
                let next = full.cut(if is_last { FAN - 1 } else { FAN / 2 });
                self.nodes += 1;
                let first = next.keys[0];
                add(&mut node.keys, toward + 1, first);
                add(nodes, toward + 1, Arc::new(next));
                toward += usize::from(first <= key);
            }
            node = Arc::make_mut(&mut nodes[toward]);
        }
    }

    /// Takes a key and its value out.
    pub(crate) fn remove(&mut self, key: Ordinal) {
        if self.get(key).is_none() {
            return;
        }
        if self.length == 1 {
            *self = Self::default();
            return;
        }
        self.length -= 1;
        let Some(root) = &mut self.root else { return };
        Self::remove_below(Arc::make_mut(root), key, &mut self.nodes);
        while let Children::Nodes(nodes) = &root.members
            && let [only] = &**nodes
        {
            *root = Arc::clone(only);
            self.nodes -= 1;
        }
    }

    /// Nodes that hold little are joined: a table whose values come and go stays small.
    fn remove_below(node: &mut MapNode<T>, key: Ordinal, count: &mut usize) {
        let toward = node.toward(key);
        match &mut node.members {
            Children::Values(values) => {
                if let Ok(at) = node.keys.binary_search(&key) {
                    node.keys.remove(at);
                    values.remove(at);
                }
            }
            Children::Nodes(nodes) => {
                Self::remove_below(Arc::make_mut(&mut nodes[toward]), key, count);
                let length = |at: usize| nodes.get(at).map_or(FAN, |node| node.keys.len());
                if length(toward) == 0 {
                    node.keys.remove(toward);
                    nodes.remove(toward);
                    *count -= 1;
                    return;
                }
                let fits = |at: &usize| length(*at) + length(*at + 1) <= FAN / 2;
                let pair = [Some(toward), toward.checked_sub(1)].into_iter().flatten().find(fits);
                if let Some(at) = pair {
                    node.keys.remove(at + 1);
                    let next = Arc::unwrap_or_clone(nodes.remove(at + 1));
                    Arc::make_mut(&mut nodes[at]).join(next);
                    *count -= 1;
                }
            }
        }
    }

    /// All keys and their values, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Ordinal, &T)> {
        let mut path: SmallVec<[(&MapNode<T>, usize); 8]> = SmallVec::new();
        path.extend(self.root.as_deref().map(|root| (root, 0)));
        std::iter::from_fn(move || {
            loop {
                let (node, at) = path.last_mut()?;
                let own = *at;
                *at += 1;
                match &node.members {
                    Children::Values(values) if own < values.len() => {
                        return Some((node.keys[own], &values[own]));
                    }
                    Children::Nodes(nodes) if own < nodes.len() => path.push((&nodes[own], 0)),
                    _ => _ = path.pop(),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn nodes(node: &MapNode<u32>) -> usize {
        match &node.members {
            Children::Values(_) => 1,
            Children::Nodes(own) => 1 + own.iter().map(|node| nodes(node)).sum::<usize>(),
        }
    }

    proptest! {
        #[test]
        fn is_a_map(steps in prop::collection::vec((0..400u32, 0..3u8), 0..1500)) {
            let (mut own, mut plain) = (Sparse::<u32>::default(), BTreeMap::<u32, u32>::new());
            let mut kept = None;
            for (number, (key, step)) in (0..).zip(steps) {
                if step == 0 {
                    own.remove(key);
                    plain.remove(&key);
                } else {
                    *own.get_or_add(key) = number;
                    plain.insert(key, number);
                }
                prop_assert_eq!(own.get(key), plain.get(&key));
                if number == 300 {
                    kept = Some((own.clone(), plain.clone()));
                }
            }
            let both = std::iter::once((own, plain)).chain(kept);
            for (own, plain) in both {
                prop_assert!(own.iter().eq(plain.iter().map(|(key, value)| (*key, value))));
                let counted = own.root.as_deref().map_or(0, nodes);
                prop_assert_eq!((own.len(), own.nodes), (plain.len(), counted));
            }
        }
    }

    #[test]
    fn a_change_copies_one_node_of_each_level() {
        let mut one = Sparse::<u32>::default();
        (0..10_000).for_each(|key| *one.get_or_add(key * 3) = key);
        assert!(one.bytes() < 10_000 * sized(8 + 16, 80), "{} bytes", one.bytes());
        let two = one.clone();
        *one.get_or_add(15_000) = 7;
        fn shared(one: &Arc<MapNode<u32>>, two: &Arc<MapNode<u32>>) -> usize {
            match (&one.members, &two.members) {
                _ if Arc::ptr_eq(one, two) => nodes(one),
                (Children::Nodes(one), Children::Nodes(two)) => {
                    one.iter().zip(two).map(|(one, two)| shared(one, two)).sum()
                }
                _ => 0,
            }
        }
        let shared = one.root.as_ref().zip(two.root.as_ref()).map_or(0, |(a, b)| shared(a, b));
        assert!(one.nodes - shared <= sized(4, 9), "{shared} of {} nodes", one.nodes);
        assert_eq!((two.get(15_000), one.get(15_000)), (Some(&5000), Some(&7)));
        (0..10_000).filter(|key| key % 50 != 0).for_each(|key| one.remove(key * 3));
        assert!(one.bytes() < 200 * sized(8 + 80, 240), "{} bytes of 200 values", one.bytes());
    }
}
