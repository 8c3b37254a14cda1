//! A refusal as a response.

use axum::body::Body;
use axum::http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use getcases::{Code, Problem, Refusal};

/// What a request is answered that is not honoured.
#[derive(Debug)]
pub(crate) struct Refused(Box<Answer>);

#[derive(Debug)]
struct Answer {
    refusal: Refusal,
    /// For the log alone.
    why: Option<&'static str>,
    header: Option<(HeaderName, HeaderValue)>,
}

/// The code of the first problem, as an extension of a response: what refusals are counted by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reason(pub(crate) Code);

impl Refused {
    /// Says why, where whoever asks is not told.
    pub(crate) fn because(mut self, why: &'static str) -> Self {
        self.0.why = Some(why);
        self
    }

    /// Says when to come again.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.0.header = Some((RETRY_AFTER, seconds.max(1).into()));
        self
    }

    /// Says which methods there are.
    pub(crate) fn allow(mut self, methods: HeaderValue) -> Self {
        self.0.header = Some((ALLOW, methods));
        self
    }

    /// Something went wrong here.
    pub(crate) fn internal() -> Self {
        Problem::new(Code::InternalError, "$", "a defect of the server; its log has more").into()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(Box::new(Answer { refusal, why: None, header: None }))
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Refusal::from(problem).into()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response<Body> {
        let Answer { refusal, why, header } = *self.0;
        let code = code(&refusal);
        if let Some(why) = why {
            tracing::info!(code = code.as_str(), why, "refused");
        }
        let status = StatusCode::from_u16(refusal.http_status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, refusal.to_json());
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, value);
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if matches!(status.as_u16(), 408 | 413 | 415) {
            // What is left of the body is not waited for.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(Reason(code));
        response
    }
}

/// The code of a refusal's first problem, which gives an answer its status.
pub(crate) fn code(refusal: &Refusal) -> Code {
    refusal.problems().first().map_or(Code::InternalError, Problem::code)
}

/// A response of JSON.
pub(crate) fn json(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
