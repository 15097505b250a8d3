//! Settings that cannot work are errors of `build` that name the setter to call.

use perenso_auth::{
    AuthorizationCode, AuthorizationRequest, Client, ClientAuth, ClientBuilder, Credentials, Grant, Profile,
    TenantRegion,
};

const URI: &str = "https://app.example/callback";

fn own() -> Credentials {
    Credentials::new("client-1", "s3cr3t")
}

fn with_code() -> Credentials {
    own().code(AuthorizationCode::new("c0de", URI))
}

fn client(profile: Profile, credentials: Credentials) -> ClientBuilder {
    Client::builder(profile).credentials(credentials).memory_only()
}

fn priava() -> Profile {
    Profile::priava(TenantRegion::Eu)
}

fn perspio() -> Profile {
    Profile::perspio("in-1", "key-1")
}

fn problems(builder: ClientBuilder) -> Vec<String> {
    builder.build().unwrap_err().problems().to_vec()
}

#[test]
fn one_thing_that_is_wrong_is_one_sentence_that_names_its_setter() {
    let plain = || client(Profile::perenso(), own());
    let table = [
        // Addresses.
        (client(Profile::new("sixth").api_url("https://api.example"), own()), "`token_url`"),
        (client(Profile::new("sixth").token_url("https://id.example"), own()), "`api_url`"),
        (client(Profile::event_bookings(), own()), "`api_url`"),
        (plain().token_url(""), "`token_url`"),
        (plain().token_url("id.example/token"), "`token_url`"),
        (plain().api_url("no address"), "`api_url`"),
        (plain().token_url("http://id.example/token"), "`token_url`"),
        (plain().api_url("http://192.0.2.7"), "`api_url`"),
        (plain().api_url("http://192.0.2.7"), r#"`allow_http("192.0.2.7")`"#),
        (plain().token_url("ftp://id.example"), "`token_url`"),
        (plain().token_url("https://user:s3cr3t@id.example"), "`token_url`"),
        (plain().api_url("https://api.example?show=1"), "`api_url`"),
        // A scope where none goes.
        (plain().client_auth(ClientAuth::BasicPlain).scope("100214"), "`scope`"),
        (plain().client_auth(ClientAuth::BasicEncoded).scope("100214"), "`scope`"),
        (client(priava(), with_code()).scope("all"), "`scope`"),
        (client(priava(), own().refresh_token("r3fr")).scope("all"), "`scope`"),
        (client(Profile::event_bookings().api_url("https://api.example"), own()).scope("all"), "`scope`"),
        // Headers of a system.
        (client(Profile::perspio("", "key-1"), own()), "`Profile::perspio`"),
        (client(Profile::perspio("in-1", " "), own()), "`Profile::perspio`"),
        (client(Profile::perspio("in-1\r\nx: y", "key-1"), own()), "`Profile::perspio`"),
        // A grant that the system does not know.
        (client(Profile::perenso(), own().user("jane", "pa55")), "`Credentials::new`"),
        (client(Profile::perenso(), with_code()), "`Credentials::new`"),
        (client(priava(), own()), "`Credentials::code` or `Credentials::refresh_token`"),
        (client(priava(), own().user("jane", "pa55")), "`Credentials::code`"),
        (client(perspio(), own().user("jane", "pa55")), "`Credentials::code`"),
        (client(Profile::event_bookings().api_url("https://api.example"), with_code()), "`Credentials::new`"),
        (client(Profile::tourpaq(), own()), "`Credentials::user`"),
        // Credentials with holes.
        (Client::builder(Profile::perenso()), "`credentials`"),
        (Client::builder(Profile::perenso()), "`credentials_provider`"),
        (client(Profile::perenso(), Credentials::new("", "s3cr3t")), "`credentials`"),
        (client(Profile::perenso(), Credentials::new("client-1", " \n")), "`credentials`"),
        (client(priava(), own().code(AuthorizationCode::new("", URI))), "`Credentials::code`"),
        (client(priava(), own().code(AuthorizationCode::new("c0de", ""))), "`AuthorizationCode::new`"),
        (client(priava(), own().refresh_token("")), "`Credentials::refresh_token`"),
        (client(Profile::tourpaq(), own().user("", "pass")), "`Credentials::user`"),
        (client(Profile::tourpaq(), own().user("jane", "")), "`Credentials::user`"),
        (client(Profile::tourpaq(), Credentials::new("a:b", "s3cr3t").user("jane", "pa55")), "`client_auth`"),
        // Tokens that only a person can replace, and nowhere to keep them.
        (Client::builder(priava()).credentials(with_code()), "`store`"),
        (Client::builder(perspio()).credentials(with_code()), "`memory_only`"),
        (Client::builder(priava()).credentials(own().refresh_token("r3fr")), "`memory_only`"),
    ];
    for (row, (builder, setter)) in table.into_iter().enumerate() {
        let problems = problems(builder);
        assert_eq!(problems.len(), 1, "row {row}: {problems:?}");
        assert!(problems[0].contains(setter), "row {row}: {} does not name {setter}", problems[0]);
        for secret in ["s3cr3t", "c0de", "r3fr", "pa55"] {
            assert!(!problems[0].contains(secret), "row {row}: {}", problems[0]);
        }
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let profile = Profile::perspio("", "").token_url("http://id.example").api_url("nowhere");
    let problems = problems(Client::builder(profile).credentials(Credentials::new("", "").user("", "")));
    let all = problems.join("\n");
    for setter in ["`token_url`", "`api_url`", "`Profile::perspio`", "`credentials`", "`Credentials::user`"] {
        assert!(all.contains(setter), "{setter} is not named in:\n{all}");
    }
    assert_eq!(problems.len(), 9, "{all}");
}

#[test]
fn a_request_to_a_person_needs_its_addresses() {
    for (profile, redirect_uri, setter) in [
        (Profile::tourpaq(), URI, "`Profile::authorize_url`"),
        (Profile::new("sixth").authorize_url("nowhere"), URI, "`Profile::authorize_url`"),
        (perspio(), "nowhere", "redirect URI"),
    ] {
        let error = AuthorizationRequest::new(&profile, "client-1", redirect_uri).unwrap_err();
        assert!(error.to_string().contains(setter), "{error}");
    }
}

#[test]
fn unusual_settings_that_work_are_built() {
    let loopback = client(Profile::perenso(), own()).token_url("http://[::1]:1/token").api_url("http://localhost:2");
    loopback.build().unwrap();
    let named = client(Profile::perenso(), own()).api_url("http://show.intern").allow_http("show.intern");
    named.build().unwrap();
    client(Profile::perenso(), Credentials::new("a:b", "s3cr3t")).build().unwrap();
    let sixth = Profile::new("sixth").token_url("https://id.example").api_url("https://api.example");
    for credentials in [own(), own().user("jane", "pa55"), with_code(), own().refresh_token("r3fr")] {
        client(sixth.clone(), credentials.clone()).scope("any").build().unwrap();
        let grants = [credentials.grant()];
        client(sixth.clone().grants(grants), credentials).build().unwrap();
    }
    assert_eq!(own().grant(), Grant::ClientCredentials);
}
