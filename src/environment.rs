//! The client of a show from environment variables.

use std::{ffi::OsString, path::Path};

use perenso_auth::{BuildError, ClientAuth, pasted_value};

use crate::{
    builder::{Builder, read_secret},
    error::Error,
};

/// Returns a builder filled from the variables with this prefix, which `read` looks up.
pub(crate) fn builder(prefix: &str, read: impl Fn(&str) -> Option<OsString>) -> Result<Builder, Error> {
    let mut problems = Vec::new();
    let mut builder = Builder::new();
    if prefix.is_empty() || !prefix.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        problems.push("the prefix of the variables is letters, digits and `_`, such as PERENSO".to_owned());
        return Err(BuildError::new(problems).into());
    }
    // An empty variable counts as unset, as in shells and container files.
    let raw = |name: &str| read(&format!("{prefix}_{name}")).filter(|value| !value.is_empty());
    let mut text = |name: &str| {
        let value = raw(name)?;
        let value = value.into_string();
        if value.is_err() {
            problems.push(format!("{prefix}_{name} is not UTF-8"));
        }
        value.ok()
    };
    let (id, secret) = (text("CLIENT_ID"), text("CLIENT_SECRET"));
    let (api_url, token_url, client_auth) = (text("API_URL"), text("TOKEN_URL"), text("CLIENT_AUTH"));
    match id {
        Some(id) => builder = builder.client_id(pasted_value::trimmed(&id)),
        None => problems.push(format!("{prefix}_CLIENT_ID is not set: it is the id of the show")),
    }
    match (secret, raw("CLIENT_SECRET_FILE")) {
        (Some(_), Some(_)) => {
            problems.push(format!("{prefix}_CLIENT_SECRET and {prefix}_CLIENT_SECRET_FILE are both set: unset one"));
        }
        (Some(secret), None) => builder = builder.client_secret(pasted_value::trimmed(&secret)),
        (None, Some(file)) => match read_secret(Path::new(&file)) {
            // The file is read again when the secret is refused, so a rotated secret needs no restart.
            Ok(_) => builder = builder.client_secret_file(file),
            Err(error) => problems.push(format!("{prefix}_CLIENT_SECRET_FILE cannot be read: {error}")),
        },
        (None, None) => {
            problems.push(format!("neither {prefix}_CLIENT_SECRET nor {prefix}_CLIENT_SECRET_FILE is set"));
        }
    }
    if let Some(url) = api_url {
        builder = builder.api_url(pasted_value::trimmed(&url));
    }
    if let Some(url) = token_url {
        builder = builder.token_url(pasted_value::trimmed(&url));
    }
    match client_auth.as_deref().map(pasted_value::trimmed) {
        None => {}
        Some(place) if place.eq_ignore_ascii_case("body") => builder = builder.client_auth(ClientAuth::Body),
        Some(place) if place.eq_ignore_ascii_case("basic") => builder = builder.client_auth(ClientAuth::BasicPlain),
        Some(_) => problems.push(format!("{prefix}_CLIENT_AUTH is neither `basic` nor `body`")),
    }
    if problems.is_empty() { Ok(builder) } else { Err(BuildError::new(problems).into()) }
}

/// Rewrites the problems of an error to name variables instead of setters.
pub(crate) fn in_variables(error: &Error, prefix: &str) -> Error {
    let names = [
        ("call `client_id`", "CLIENT_ID"),
        ("call `client_secret` or `client_secret_file`", "CLIENT_SECRET"),
        ("call `client_secret`", "CLIENT_SECRET"),
        ("call `api_url`", "API_URL"),
        ("call `token_url`", "TOKEN_URL"),
    ];
    let rename = |problem: &String| {
        names
            .iter()
            .fold(problem.clone(), |text, (setter, name)| text.replace(setter, &format!("set {prefix}_{name}")))
            .replace("`client_secret_file`", &format!("{prefix}_CLIENT_SECRET_FILE"))
    };
    BuildError::new(error.problems().iter().map(rename)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(variables: &[(&str, &str)]) -> Vec<String> {
        let read = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value));
        match builder("SHOW", read).and_then(|show| show.build().map_err(|error| in_variables(&error, "SHOW"))) {
            Ok(_) => Vec::new(),
            Err(error) => error.problems().to_vec(),
        }
    }

    #[test]
    fn everything_that_is_missing_or_contradictory_is_named_at_once() {
        assert_eq!(problems(&[]).len(), 2);
        let wrong = problems(&[
            ("SHOW_CLIENT_ID", ""),
            ("SHOW_CLIENT_SECRET", "s3cr3t"),
            ("SHOW_CLIENT_SECRET_FILE", "/nowhere"),
            ("SHOW_CLIENT_AUTH", "header"),
        ]);
        assert_eq!(wrong.len(), 3, "{wrong:?}");
        for (text, name) in wrong.iter().zip(["SHOW_CLIENT_ID", "SHOW_CLIENT_SECRET_FILE", "SHOW_CLIENT_AUTH"]) {
            assert!(text.contains(name) && !text.contains("s3cr3t"), "{text}");
        }
    }

    #[test]
    fn addresses_are_checked_as_those_of_a_builder() {
        let credentials = [("SHOW_CLIENT_ID", "show-1"), ("SHOW_CLIENT_SECRET", "s3cr3t")];
        assert_eq!(problems(&credentials), [] as [String; 0]);
        let plain = [credentials[0], credentials[1], ("SHOW_API_URL", "http://api.example")];
        let problem = &problems(&plain)[0];
        assert!(problem.contains("not https") && problem.contains("set SHOW_API_URL with https"), "{problem}");
    }

    #[test]
    fn whitespace_and_invisible_characters_around_values_are_trimmed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "\u{feff}s3cr3t\u{200b}\r\n").unwrap();
        let path = file.path().to_str().unwrap();
        let around = |value: &str| format!("\u{feff} {value}\u{200b}\n");
        let variables = [
            ("SHOW_CLIENT_ID", around("show-1")),
            ("SHOW_API_URL", around("https://api.example")),
            ("SHOW_TOKEN_URL", around("https://id.example/token")),
            ("SHOW_CLIENT_AUTH", around("basic")),
        ];
        let mut variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        variables.push(("SHOW_CLIENT_SECRET_FILE", path));
        assert_eq!(problems(&variables), [] as [String; 0]);
        // An invisible character inside a value is an error that names the variable.
        std::fs::write(&file, "hu\u{200b}sh").unwrap();
        for (name, wrong) in [
            ("SHOW_CLIENT_ID", "show\u{200b}1"),
            ("SHOW_API_URL", "https://hu\u{2060}sh.example"),
            ("SHOW_TOKEN_URL", "https://id.example/hu\u{feff}sh"),
            ("SHOW_CLIENT_SECRET_FILE", path),
        ] {
            let mut variables = variables.clone();
            variables.retain(|(other, _)| *other != name && *other != "SHOW_CLIENT_SECRET_FILE");
            variables.push((name, wrong));
            if name != "SHOW_CLIENT_SECRET_FILE" {
                variables.push(("SHOW_CLIENT_SECRET", "s3cr3t"));
            }
            let problems = problems(&variables);
            let [problem] = &problems[..] else { panic!("{name}: {problems:?}") };
            assert!(problem.contains("invisible character") && problem.contains(name), "{problem}");
            assert!(!problem.contains("hu"), "{problem}");
        }
        let secret = problems(&[("SHOW_CLIENT_ID", "show-1"), ("SHOW_CLIENT_SECRET", "hu\u{200b}sh")]);
        assert!(secret.len() == 1 && secret[0].contains("set SHOW_CLIENT_SECRET without it"), "{secret:?}");
    }

    #[test]
    fn a_secret_file_is_read_without_its_line_end() {
        let file = std::env::temp_dir().join(format!("perenso-secret-{}", std::process::id()));
        std::fs::write(&file, "s3cr3t\n").unwrap();
        let path = file.to_str().unwrap();
        assert_eq!(problems(&[("SHOW_CLIENT_ID", "show-1"), ("SHOW_CLIENT_SECRET_FILE", path)]), [] as [String; 0]);
        std::fs::remove_file(&file).unwrap();
        let gone = problems(&[("SHOW_CLIENT_ID", "show-1"), ("SHOW_CLIENT_SECRET_FILE", path)]);
        assert!(gone[0].contains("cannot be read"), "{gone:?}");
    }
}
