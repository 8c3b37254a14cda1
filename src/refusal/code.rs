//! The codes of problems: one table.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal;)*) => {
        /// The kinds of problems: one table for requests, documents and hosts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it stands in an error body.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The status that a host answers over HTTP (docs/contract.md, *Errors*).
            #[must_use]
            pub fn http_status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }
        }
    };
}

codes! {
    /// The text is no strict JSON; comes alone.
    InvalidJson = "invalid_json", 400;
    /// The text is JSON but no object; comes alone.
    NotAnObject = "not_an_object", 400;
    /// A key stands twice in one object; comes alone.
    DuplicateKey = "duplicate_key", 400;
    /// Arrays and objects nest too deep; comes alone.
    TooDeep = "too_deep", 400;
    /// The request body is too long; comes alone.
    BodyTooLarge = "body_too_large", 413;
    /// A value of the wrong JSON type.
    InvalidType = "invalid_type", 400;
    /// A number that is no integer in range.
    InvalidInteger = "invalid_integer", 400;
    /// `page` and `skip` disagree, or one of them stands beside a cursor.
    ConflictingPaging = "conflicting_paging", 400;
    /// No date of an accepted form.
    InvalidDate = "invalid_date", 400;
    /// A timezone offset out of range.
    InvalidOffset = "invalid_offset", 400;
    /// A part of `sortBy` that is not of an accepted form.
    InvalidSort = "invalid_sort", 400;
    /// A name that nothing sorts by.
    UnknownSortField = "unknown_sort_field", 400;
    /// A list with too many elements, or a filter with too many nodes.
    TooManyValues = "too_many_values", 400;
    /// A search text that is too long.
    TextTooLong = "text_too_long", 400;
    /// `mycase` without a current user.
    MissingCurrentUser = "missing_current_user", 400;
    /// A reserved name that is not built yet.
    Unsupported = "unsupported", 400;
    /// A name that the contract does not know: in a filter, and in strict mode anywhere.
    UnknownField = "unknown_field", 400;
    /// A part of a filter with nothing in it.
    InvalidFilter = "invalid_filter", 400;
    /// An operator that a filter's field does not have.
    UnknownOperator = "unknown_operator", 400;
    /// A number that no finite double holds.
    InvalidNumber = "invalid_number", 400;
    /// A filter that is nested too deep.
    TooDeepFilter = "too_deep_filter", 400;
    /// A text that is no cursor of this question; comes alone.
    InvalidCursor = "invalid_cursor", 400;
    /// A document whose `_id` is missing, blank, no text or too long.
    InvalidId = "invalid_id", 400;
    /// A document that is too long; comes alone.
    DocumentTooLarge = "document_too_large", 413;
    /// A document that names another account or stream than the one it is stored in.
    ForeignScope = "foreign_scope", 400;
    /// More problems than are listed; comes last, and says how many more.
    TooManyProblems = "too_many_problems", 400;
    /// A header that must be there is not. This and those that follow are for hosts to refuse with.
    MissingHeader = "missing_header", 400;
    /// A header that may be there once is there twice.
    RepeatedHeader = "repeated_header", 400;
    /// A path that nothing answers at.
    UnknownPath = "unknown_path", 404;
    /// A method that a path does not have.
    MethodNotAllowed = "method_not_allowed", 405;
    /// A body of another media type, or encoded.
    UnsupportedMediaType = "unsupported_media_type", 415;
    /// A body that did not come in time.
    RequestTimeout = "request_timeout", 408;
    /// A case that is not there.
    UnknownCase = "unknown_case", 404;
    /// A generation that a scope has not reached.
    UnknownGeneration = "unknown_generation", 412;
    /// A generation since which it is not known any more what changed.
    GenerationTooOld = "generation_too_old", 410;
    /// A host that is still loading its cases.
    NotReady = "not_ready", 503;
    /// A host that has more to do than it can.
    Overloaded = "overloaded", 503;
    /// A defect of the host.
    InternalError = "internal_error", 500;
    /// Who asks is not known.
    Unauthenticated = "unauthenticated", 401;
    /// Who asks may not ask this.
    MissingScope = "missing_scope", 403;
    /// An account or a stream that is not there, or is another's: one answer for both.
    UnknownStream = "unknown_stream", 404;
    /// A question that was given up after its time.
    TooSlow = "too_slow", 503;
    /// Who asks, asks too often.
    TooManyRequests = "too_many_requests", 429;
    /// A write that a scope may have no room for. The same will not fit later either, unless cases
    /// are taken out: 507.
    ScopeFull = "scope_full", 507;
    /// A write that all scopes together have no memory for: it may fit once others take less.
    MemoryLimit = "memory_limit", 503;
    /// A write that the host's disk has no room for; it may fit once there is some.
    StorageFull = "storage_full", 507;
    /// A write to a disk that has failed: none are kept until the host has looked at it.
    StorageFailed = "storage_failed", 503;
    /// A write that depends on what is there, where that has changed.
    VersionConflict = "version_conflict", 412;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
