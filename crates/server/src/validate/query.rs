//! The query string and the path of a request.

use axum::extract::{FromRequestParts, rejection::PathRejection};
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;

use super::fields::{Fields, Shape, Source};
use crate::error::ApiError;

/// The query parameters of a request as `T`.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: Shape, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let pairs = pairs_of(parts.uri.query().unwrap_or_default());
        let mut fields = Fields::new(Source::Query(&pairs));
        let value = T::read(&mut fields);
        let problems = fields.into_problems();
        if problems.is_empty() {
            Ok(Self(value))
        } else {
            Err(ApiError::invalid(problems))
        }
    }
}

/// The decoded captures of the route's path; what is no UTF-8 is an unknown route.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub(crate) struct UrlPath<T>(pub(crate) T);

impl From<PathRejection> for ApiError {
    fn from(_: PathRejection) -> Self {
        Self::unknown_route()
    }
}

/// Splits and decodes; bytes that are no UTF-8 become U+FFFD, a key without `=` has an empty value.
fn pairs_of(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_split_before_it_is_decoded() {
        let pairs = pairs_of("a=1%262&b=x+y&&c&d=%E4%B8%AD%ff");
        let expected = [("a", "1&2"), ("b", "x y"), ("c", ""), ("d", "中\u{fffd}")];
        let expected: Vec<_> = expected
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(pairs, expected);
    }
}
