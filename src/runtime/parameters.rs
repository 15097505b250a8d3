//! Parameters that are lists, maps or cookies, as the styles of OpenAPI write them.

use std::fmt;

use http::{HeaderMap, header::COOKIE};
use reqwest::{Request, Url};

use super::values::{append_header, checked_segment};
use crate::{error::Error, records::segment};

/// Adds a list to the query of a request as one value. A separator inside of an entry is percent-encoded, the comma between
/// entries is not. An empty list is not sent.
///
/// # Errors
/// The request could not be built.
pub fn with_list<T: fmt::Display>(
    request: Result<Request, reqwest::Error>,
    name: &str,
    values: impl IntoIterator<Item = T>,
    separator: &str,
) -> Result<Request, reqwest::Error> {
    let values: Vec<_> = values.into_iter().map(|value| segment(&value.to_string())).collect();
    let separator = if separator == "," { separator.to_owned() } else { segment(separator) };
    request.map(|mut request| {
        if !values.is_empty() {
            append(request.url_mut(), &format!("{}={}", segment(name), values.join(&separator)));
        }
        request
    })
}

/// Adds a parameter per entry of a map to the query of a request, in the order of the keys. With a name, the key follows it in
/// brackets: `filter[color]=red`.
///
/// # Errors
/// The request could not be built.
pub fn with_map<K: fmt::Display, V: fmt::Display>(
    request: Result<Request, reqwest::Error>,
    name: Option<&str>,
    entries: impl IntoIterator<Item = (K, V)>,
) -> Result<Request, reqwest::Error> {
    let pairs = entries.into_iter().map(|(key, value)| {
        let (key, value) = (segment(&key.to_string()), segment(&value.to_string()));
        match name {
            Some(name) => format!("{}%5B{key}%5D={value}", segment(name)),
            None => format!("{key}={value}"),
        }
    });
    let mut pairs: Vec<_> = pairs.collect();
    // The order of a hash map differs from call to call.
    pairs.sort();
    request.map(|mut request| {
        pairs.iter().for_each(|pair| append(request.url_mut(), pair));
        request
    })
}

fn append(url: &mut Url, pair: &str) {
    let query = match url.query().filter(|query| !query.is_empty()) {
        Some(query) => format!("{query}&{pair}"),
        None => pair.to_owned(),
    };
    url.set_query(Some(&query));
}

/// Adds a list as a header parameter, with commas between its entries. An empty list is not sent.
///
/// # Errors
/// The name or an entry is not valid in a header, or an entry has a comma.
pub fn append_list<T: fmt::Display>(
    headers: &mut HeaderMap,
    operation: &'static str,
    name: &str,
    values: &[T],
) -> Result<(), Error> {
    let values: Vec<_> = values.iter().map(ToString::to_string).collect();
    if values.iter().any(|value| value.contains(',')) {
        return Err(Error::invalid_request(
            operation,
            format_args!("{name}: a list of values without commas is expected"),
        ));
    }
    if values.is_empty() { Ok(()) } else { append_header(headers, operation, name, &values.join(",")) }
}

/// Adds a cookie to the `Cookie` header, after those that are in it.
///
/// # Errors
/// The value has characters that RFC 6265 does not allow in a cookie.
pub fn append_cookie(
    headers: &mut HeaderMap,
    operation: &'static str,
    name: &str,
    value: &impl fmt::Display,
) -> Result<(), Error> {
    let value = value.to_string();
    if !value.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)) {
        let expected = "a value without spaces, quotes, commas, semicolons, backslashes and other letters than those of ASCII is \
                        expected: encode it as the server does";
        return Err(Error::invalid_request(operation, format_args!("{name}: {expected}")));
    }
    let before = headers.remove(COOKIE).map(|before| format!("{}; ", String::from_utf8_lossy(before.as_bytes())));
    append_header(headers, operation, COOKIE.as_str(), &format!("{}{name}={value}", before.unwrap_or_default()))?;
    // Logs hide the value.
    headers.get_mut(COOKIE).into_iter().for_each(|cookies| cookies.set_sensitive(true));
    Ok(())
}

/// Encodes a list as one segment of a path, with commas between its entries.
///
/// # Errors
/// The list is empty, or an entry is empty, `.`, `..`, or has a control character.
pub fn list_segment<T: fmt::Display>(operation: &'static str, name: &str, values: &[T]) -> Result<String, Error> {
    if values.is_empty() {
        return Err(Error::invalid_request(
            operation,
            format_args!("{name}: a list with at least one value is expected"),
        ));
    }
    let values: Result<Vec<_>, _> = values.iter().map(|value| checked_segment(operation, name, value)).collect();
    Ok(values?.join(","))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn query(change: impl FnOnce(Result<Request, reqwest::Error>) -> Result<Request, reqwest::Error>) -> String {
        let request = Ok(Request::new(http::Method::GET, Url::parse("http://localhost/a?page=1").unwrap()));
        change(request).unwrap().url().query().unwrap().to_owned()
    }

    #[test]
    fn the_separator_of_a_list_is_none_of_an_entry() {
        let values = ["a,b", "c d", "|"];
        let list = |separator| query(|request| with_list(request, "x[y]", values, separator));
        assert_eq!(list(","), "page=1&x%5By%5D=a%2Cb,c%20d,%7C");
        assert_eq!(list(" "), "page=1&x%5By%5D=a%2Cb%20c%20d%20%7C");
        assert_eq!(list("|"), "page=1&x%5By%5D=a%2Cb%7Cc%20d%7C%7C");
        assert_eq!(query(|request| with_list(request, "x", [0; 0], ",")), "page=1");
    }

    #[test]
    fn the_entries_of_a_map_are_sorted() {
        let map = [("b&", "2"), ("a", "1 ")];
        assert_eq!(query(|request| with_map(request, Some("f"), map)), "page=1&f%5Ba%5D=1%20&f%5Bb%26%5D=2");
        assert_eq!(query(|request| with_map(request, None, map)), "page=1&a=1%20&b%26=2");
    }

    #[test]
    fn lists_and_cookies_in_headers_and_paths_are_checked() {
        let mut headers = HeaderMap::new();
        append_list(&mut headers, "get", "X-Ids", &[1, 2]).unwrap();
        append_list(&mut headers, "get", "X-None", &[0; 0]).unwrap();
        assert_eq!((&headers["x-ids"], headers.len()), (&http::HeaderValue::from_static("1,2"), 1));
        let error = append_list(&mut headers, "get", "X-Ids", &["a,b"]).unwrap_err();
        assert_eq!(error.to_string(), "get: X-Ids: a list of values without commas is expected");
        append_cookie(&mut headers, "get", "a", &"b=").unwrap();
        append_cookie(&mut headers, "get", "c", &1).unwrap();
        assert_eq!(
            (&headers["cookie"], headers["cookie"].is_sensitive()),
            (&http::HeaderValue::from_static("a=b=; c=1"), true)
        );
        for value in ["a; b=c", "é", "a\r\n"] {
            let error = append_cookie(&mut headers, "get", "a", &value).unwrap_err().to_string();
            assert!(error.starts_with("get: a: a value without spaces, quotes"), "{error}");
        }
        assert_eq!(list_segment("get", "ids", &["a,b", "c/d"]).unwrap(), "a%2Cb,c%2Fd");
        assert!(list_segment("get", "ids", &["a", ".."]).is_err() && list_segment("get", "ids", &[0; 0]).is_err());
    }
}
