//! How much a request may hold, however it comes.

use super::context::Context;
use super::request::Request;
use crate::refusal::{Code, Problem, Problems};
use crate::value::shown::quoted;

/// The greatest integer of `page`, `skip` and `limit`: 2^53 - 1.
pub(super) const MAX_INTEGER: u64 = (1 << 53) - 1;
/// How many elements a list may have.
pub(super) const MAX_VALUES: usize = 1000;
/// How many code points a text may have that cases are searched for, after trimming where that is
/// done.
const MAX_NEEDLE: usize = 1024;

/// Checks a typed request as a body's members are checked; says whether `page`, `skip` and `limit`
/// are valid, each by itself.
pub(super) fn check_request(request: &Request, problems: &mut Problems) -> bool {
    if is_too_long(request.search_text.trim()) {
        problems.add(|| text_too_long("$.searchText", &quoted(&request.search_text)));
    }
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
            problems.add(|| too_many_values(path));
        }
    }
    let integers =
        [("$.page", request.page, 1), ("$.skip", request.skip, 0), ("$.limit", request.limit, 0)];
    let mut is_valid = true;
    for (path, value, least) in integers {
        if let Some(value) = value.filter(|value| !(least..=MAX_INTEGER).contains(value)) {
            problems.add(|| invalid_integer(path, least, &value.to_string()));
            is_valid = false;
        }
    }
    if let Some(filter) = &request.filter {
        filter.check(problems);
    }
    is_valid
}

/// The offset of a context, where it is one that a place on Earth has.
pub(super) fn offset(context: &Context) -> Option<i32> {
    let offset = i32::try_from(context.offset_minutes).ok();
    offset.filter(|offset| (-840..=720).contains(offset))
}

pub(super) fn check_offset(context: &Context, problems: &mut Problems) {
    if offset(context).is_none() {
        problems.add(|| {
            let msg = "no offset that a place on Earth has";
            Problem::new(Code::InvalidOffset, "X-Timezone-Offset", msg)
                .with_value(&context.offset_minutes.to_string())
                .accepts("minutes from -840 to 720, where utc = local + offset")
        });
    }
}

/// Whether a text has too many code points to be searched for. Cost: the characters it may have.
pub(super) fn is_too_long(text: &str) -> bool {
    text.chars().nth(MAX_NEEDLE).is_some()
}

/// `value` is the text as JSON.
pub(super) fn text_too_long(path: impl Into<String>, value: &str) -> Problem {
    Problem::new(Code::TextTooLong, path, "the search text is too long")
        .with_value(value)
        .accepts(format!("at most {MAX_NEEDLE} characters"))
}

pub(super) fn too_many_values(path: &str) -> Problem {
    Problem::new(Code::TooManyValues, path, "too many values")
        .accepts(format!("at most {MAX_VALUES} values"))
}

pub(super) fn invalid_integer(path: &str, least: u64, value: &str) -> Problem {
    Problem::new(Code::InvalidInteger, path, "no integer in range").with_value(value).accepts(
        format!("an integer from {least} to {MAX_INTEGER}, without sign, fraction or exponent"),
    )
}
