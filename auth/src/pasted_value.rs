//! Trims and checks values that were pasted: whitespace, byte order marks and other invisible characters.
//!
//! A value from a file, the environment, a registry or a pasted code is [`trimmed`]. A value passed to a setter is used as
//! is. Invisible characters that remain are an error for both.

/// Removes whitespace and invisible characters from both ends.
#[must_use]
pub fn trimmed(value: &str) -> &str {
    value.trim_matches(is_stray)
}

/// Returns true for whitespace and invisible characters.
pub(crate) fn is_stray(c: char) -> bool {
    c.is_whitespace() || has_no_width(c)
}

/// Returns the problem of a value that is empty or holds control or invisible characters. `remedy` ends the sentence, such as
/// "call `client_id`"; the value is not shown.
#[must_use]
pub fn problem(what: &str, value: &str, remedy: &str) -> Option<String> {
    if trimmed(value).is_empty() {
        return Some(format!("the {what} is empty: {remedy}"));
    }
    if value.chars().any(char::is_control) {
        return Some(format!(
            "the {what} contains a line end or another control character, probably from copying: {remedy} without it"
        ));
    }
    invisible(what, value, remedy)
}

/// Returns the problem of a value that holds invisible characters. It may be empty and may have line ends.
pub(crate) fn invisible(what: &str, value: &str, remedy: &str) -> Option<String> {
    let found = value.chars().find(|c| has_no_width(*c))?;
    Some(format!(
        "the {what} contains the invisible character U+{:04X}, probably from copying: {remedy} without it",
        u32::from(found)
    ))
}

/// Returns true for the invisible characters that pasting leaves: byte order mark, zero-width spaces and joiners, soft hyphen,
/// direction marks.
fn has_no_width(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AuthorizationRequest, Client, Credentials, Profile};

    #[test]
    fn only_the_ends_of_a_value_are_trimmed() {
        for around in [
            "\u{feff}",
            "\u{200b}",
            "\u{200c}",
            "\u{200d}",
            "\u{2060}",
            "\u{200e}",
            " \r\n",
            "\u{a0}",
            "\t\u{feff} \u{200b}\n",
        ] {
            let value = format!("{around}s3 cr3t/+={around}");
            assert_eq!(trimmed(&value), "s3 cr3t/+=", "{around:?}");
            assert_eq!(problem("secret", trimmed(&value), "call `x`"), None);
            assert_eq!(trimmed(around), "");
            assert_eq!(problem("secret", around, "call `x`").unwrap(), "the secret is empty: call `x`");
        }
    }

    #[test]
    fn every_error_names_the_setter() {
        let hidden = "hu\u{200b}sh";
        let build = |profile: Profile| {
            let url = "https://api.example";
            Client::builder(profile)
                .api_url(url)
                .token_url(url)
                .credentials(Credentials::new("client", "s3cr3t"))
                .build()
        };
        let builder = || Client::builder(Profile::perenso()).credentials(Credentials::new("client", "s3cr3t"));
        let request = |id: &str, uri: &str| AuthorizationRequest::new(&Profile::perspio("in-1", "key"), id, uri);
        for (error, setter) in [
            (build(Profile::perspio(hidden, "key")).err(), "`Profile::perspio`"),
            (build(Profile::perspio("in-1", hidden)).err(), "`Profile::perspio`"),
            (build(Profile::new("x").token_field("realm", hidden)).err(), "`Profile::token_field`"),
            (builder().api_url("https://hu\u{200d}sh.example").build().err(), "`api_url`"),
            (builder().token_url("\u{feff}https://hush.example").build().err(), "`token_url`"),
            (builder().scope(hidden).build().err(), "`scope`"),
            (request(hidden, "https://erp.example/cb").err(), "`AuthorizationRequest::new`"),
            (request("client", "https://erp.example/hu\u{2060}sh").err(), "`AuthorizationRequest::new`"),
        ] {
            let error = error.unwrap();
            let [problem] = error.problems() else { panic!("{setter}: {error}") };
            assert!(problem.contains("invisible character") && problem.contains(setter), "{problem}");
            assert!(!problem.contains("hu"), "{problem}");
        }
    }

    #[test]
    fn an_invisible_character_is_named_by_its_code_point_and_the_value_is_not_shown() {
        for (value, says) in [
            ("hush\u{200b}hush", "U+200B"),
            ("\u{feff}hush", "U+FEFF"),
            ("hush\u{2060}", "U+2060"),
            ("hu\u{ad}sh", "U+00AD"),
            ("hush\n", "a line end or another control character"),
            ("hush\0", "a line end or another control character"),
        ] {
            let text = problem("secret", value, "call `x`").unwrap();
            assert!(text.contains(says) && text.ends_with("call `x` without it") && !text.contains("hu"), "{text}");
        }
        assert_eq!(problem("secret", " pa ss\u{a0}wörd ", "call `x`"), None);
    }
}
