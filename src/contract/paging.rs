//! Which part of the results is the page.
//!
//! Rules: docs/contract.md, *Request*; sums are in 128 bits, so that no page is too far.

use super::request::Request;
use crate::refusal::{Code, Problem, Problems};

/// Which part of the results is the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paging {
    /// How many results come before the page.
    pub(crate) skip: u128,
    pub(crate) limit: u64,
    /// The page's number, from 1.
    pub(crate) page: u64,
}

impl Paging {
    /// The page that begins behind so many results.
    pub(super) fn behind(skip: u64, limit: u64) -> Self {
        let page = skip.checked_div(limit).unwrap_or(0) + 1;
        Self { skip: u128::from(skip), limit, page }
    }
}

/// Where the asked page starts. `page` and `skip` must agree and stand beside no cursor, which is
/// judged where all of these are valid, each by itself.
pub(super) fn paging(request: &Request, is_valid: bool, problems: &mut Problems) -> Paging {
    let limit = request.limit_or_default();
    if request.cursor.is_some() {
        let beside = [("$.page", request.page), ("$.skip", request.skip)];
        let beside = beside.into_iter().filter_map(|(path, number)| Some((path, number?)));
        for (path, number) in beside.filter(|_| is_valid) {
            problems.add(|| beside_cursor(path, number));
        }
        return Paging::behind(0, limit);
    }
    let start = |page: u64| u128::from(page.saturating_sub(1)) * u128::from(limit);
    match (request.page, request.skip) {
        (Some(page), Some(skip)) => {
            if is_valid && u128::from(skip) != start(page) {
                problems.add(|| conflicting_paging(skip, start(page)));
            }
            Paging { skip: u128::from(skip), limit, page }
        }
        (None, Some(skip)) => Paging::behind(skip, limit),
        (page, None) => {
            let page = page.unwrap_or(1);
            Paging { skip: start(page), limit, page }
        }
    }
}

fn beside_cursor(path: &str, number: u64) -> Problem {
    Problem::new(Code::ConflictingPaging, path, "a cursor says where the page begins")
        .with_value(&number.to_string())
        .accepts("nothing beside a cursor")
}

fn conflicting_paging(skip: u64, start: u128) -> Problem {
    Problem::new(Code::ConflictingPaging, "$.skip", "page and skip name different places")
        .with_value(&skip.to_string())
        .accepts(format!("{start}, which is (page - 1) * limit, or only one of page and skip"))
}
