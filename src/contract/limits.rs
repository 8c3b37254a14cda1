//! How much a request may hold, and the list of what is wrong with one.

use super::request::Request;
use crate::refusal::{Code, Problem};

/// The greatest integer of `page`, `skip` and `limit`: 2^53 - 1.
pub(super) const MAX_INTEGER: u64 = (1 << 53) - 1;
/// How many elements a list may have.
pub(super) const MAX_VALUES: usize = 1000;
/// How many code points a search text may have after trimming.
const MAX_NEEDLE: usize = 1024;

/// Problems, each code and path once.
#[derive(Default)]
pub(super) struct Problems {
    pub(super) list: Vec<Problem>,
}

impl Problems {
    pub(super) fn push(&mut self, problem: Problem) {
        if !self.list.iter().any(|own| (own.code, &own.path) == (problem.code, &problem.path)) {
            self.list.push(problem);
        }
    }

    pub(super) fn extend(&mut self, problems: &[Problem]) {
        // What a body's own reading found has each code and path once by construction.
        self.list.extend_from_slice(problems);
    }

    pub(super) fn any_at(&self, paths: &[&str]) -> bool {
        self.list.iter().any(|problem| paths.contains(&problem.path.as_str()))
    }
}

/// Checks the lengths of lists and texts.
pub(super) fn check_sizes(request: &Request, problems: &mut Problems) {
    let lists = [
        ("$.priority", request.priority.len()),
        ("$.status", request.status.len()),
        ("$.queues", request.queues.len()),
        ("$.channel", request.channel.len()),
        ("$.agents", request.agents.len()),
        ("$.sortBy", request.sort_by.len()),
        ("$.selectedColumns", request.selected_columns.len()),
    ];
    for (path, length) in lists {
        if length > MAX_VALUES {
            problems.push(too_many_values(path));
        }
    }
    let needle = request.search_text.trim();
    if needle.chars().nth(MAX_NEEDLE).is_some() {
        problems.push(
            Problem::new(Code::TextTooLong, "$.searchText", "the search text is too long")
                .value(&serde_json::Value::from(request.search_text.as_str()).to_string())
                .accepts(format!("at most {MAX_NEEDLE} characters")),
        );
    }
}

pub(super) fn too_many_values(path: &str) -> Problem {
    Problem::new(Code::TooManyValues, path, "too many values")
        .accepts(format!("at most {MAX_VALUES} values"))
}

pub(super) fn invalid_integer(path: &str, least: u64, value: &str) -> Problem {
    Problem::new(Code::InvalidInteger, path, "no integer in range").value(value).accepts(format!(
        "an integer from {least} to {MAX_INTEGER}, without sign, fraction or exponent"
    ))
}
