//! What a request is asked with besides its body.

/// The cap of `limit` unless another is set.
const MAX_LIMIT: u64 = 1000;

/// Who asks, where, and by which settings. Plain data; [`Query`](crate::Query) judges it.
///
/// ```
/// use getcases::Context;
///
/// let context = Context {
///     user: Some("agent-7".into()), // of the token, never of a bare header
///     offset_minutes: -330,         // `X-Timezone-Offset`: UTC+05:30
///     ..Context::default()
/// };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The current user's id, which `mycase` compares exactly. Blank counts as unknown.
    pub user: Option<String>,
    /// Minutes with utc = local + offset, as JavaScript's `getTimezoneOffset` gives them; `-330` is
    /// UTC+05:30. In -840..=720.
    pub offset_minutes: i64,
    /// The time of asking, in milliseconds since 1970. No field of the contract asks for it yet.
    pub now: Option<i64>,
    /// Refuse unknown keys instead of ignoring and reporting them.
    pub strict: bool,
    /// Which scores are the more severe ones, for a bare `priority` in `sortBy`.
    pub severity: Severity,
    /// The cap of `limit` for JSON bodies; a typed [`Request`](crate::Request) has none.
    pub max_limit: u64,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            user: None,
            offset_minutes: 0,
            now: None,
            strict: false,
            severity: Severity::High,
            max_limit: MAX_LIMIT,
        }
    }
}

/// Which scores of a priority are the more severe ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Severity {
    /// High scores, as in the seed.
    #[default]
    High,
    /// Low scores, as where 1 is critical.
    Low,
}
