//! How wide the columns of a table are: cut where there is less room, and left out where there is
//! still too little.

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// How wide it is at most.
    pub(crate) most: usize,
    /// How narrow it may be cut.
    pub(crate) least: usize,
    /// Of several, the one of the highest rank is left out first; one of rank 0 never is.
    pub(crate) rank: usize,
}

/// The widths of columns, nothing for one that is left out, of which `natural` tells how wide they
/// would be. Cost: the sum of widths, a few times.
pub(crate) fn fit(
    columns: &[Column],
    natural: impl Fn(usize) -> usize,
    room: usize,
    gap: usize,
) -> Vec<Option<usize>> {
    let natural: Vec<_> = (0..columns.len()).map(natural).collect();
    let wide = |at: usize| natural[at].max(columns[at].title.len()).min(columns[at].most);
    let whole = (0..columns.len()).map(wide).sum::<usize>() + gap * columns.len().saturating_sub(1);
    // Where there is little room, none is for empty columns.
    let has_room = |at: usize| whole <= room || natural[at] > 0 || columns[at].rank == 0;
    let mut shown: Vec<_> = (0..columns.len()).map(has_room).collect();
    loop {
        let widths = shown.iter().enumerate();
        let mut widths: Vec<_> = widths.map(|(at, shown)| shown.then(|| wide(at))).collect();
        if cut(&mut widths, room, gap, |at| columns[at].least) {
            return widths;
        }
        let shown_at = (0..columns.len()).filter(|at| shown[*at] && columns[*at].rank > 0);
        match shown_at.max_by_key(|at| columns[*at].rank) {
            Some(least) => shown[least] = false,
            None => {
                cut(&mut widths, room, gap, |_| 1);
                return widths;
            }
        }
    }
}

/// Cuts the columns that are farthest above their least until all fit; says whether they do.
fn cut(
    widths: &mut [Option<usize>],
    room: usize,
    gap: usize,
    least: impl Fn(usize) -> usize,
) -> bool {
    loop {
        let count = widths.iter().flatten().count();
        let width = widths.iter().flatten().sum::<usize>() + gap * count.saturating_sub(1);
        if width <= room {
            return true;
        }
        let slack = |(at, width): (usize, &mut Option<usize>)| {
            let slack = width.as_ref()?.checked_sub(least(at)).filter(|slack| *slack > 0)?;
            Some((slack, at))
        };
        match widths.iter_mut().enumerate().filter_map(slack).max() {
            Some((_, at)) => widths[at] = widths[at].map(|width| width - 1),
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column { title: "a", most: 9, least: 3, rank: 0 },
        Column { title: "b", most: 9, least: 4, rank: 1 },
        Column { title: "c", most: 9, least: 4, rank: 2 },
    ];

    #[test]
    fn columns_are_cut_and_then_left_out() {
        let widths = |room, natural: [usize; 3]| fit(&COLUMNS, |at| natural[at], room, 1);
        assert_eq!(widths(99, [5, 20, 0]), [Some(5), Some(9), Some(1)]);
        assert_eq!(widths(17, [5, 20, 1]), [Some(5), Some(9), Some(1)]);
        assert_eq!(widths(15, [9, 9, 1]), [Some(6), Some(6), Some(1)]);
        assert_eq!(widths(12, [9, 9, 9]), [Some(5), Some(6), None]);
        assert_eq!(widths(12, [9, 0, 9]), [Some(5), None, Some(6)]);
        assert_eq!(widths(7, [9, 9, 9]), [Some(7), None, None]);
        assert_eq!(widths(2, [9, 9, 9]), [Some(2), None, None]);
    }
}
