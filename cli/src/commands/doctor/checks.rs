//! The checks of the way to a show.

use std::{
    error::Error,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, TimeDelta, Utc};
use perenso::Perenso;

use super::{Finding, Report};
use crate::output::{Code, Failure, counted};

/// The variables that name a proxy, as the HTTP client reads them.
const PROXIES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"];
/// The timeout of the response to a check.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);
/// A normal difference of the clocks.
const CLOSE: TimeDelta = TimeDelta::seconds(60);
/// A difference of the clocks with which certificates seem expired, or not valid yet.
const FAR: TimeDelta = TimeDelta::hours(1);

/// Says which proxy is set. Returns true if there is one.
pub(super) fn proxy(report: &mut Report) -> Result<bool, Failure> {
    let set =
        PROXIES.iter().find_map(|name| Some((*name, std::env::var(name).ok().filter(|value| !value.is_empty())?)));
    let Some((name, url)) = set else {
        report.add("proxy", Finding::Fine, "none is set")?;
        return Ok(false);
    };
    // A user and a password may stand before the host.
    let place = url.split("://").last().unwrap_or_default().rsplit('@').next().unwrap_or_default();
    let except = std::env::var("NO_PROXY").or_else(|_| std::env::var("no_proxy")).unwrap_or_default();
    let except = if except.is_empty() { String::new() } else { format!(", except for {except}") };
    report.add("proxy", Finding::Notable, format!("{name} sends requests through {place}{except}"))?;
    Ok(true)
}

/// Looks up the names of the hosts.
pub(super) async fn names(report: &mut Report, show: &Perenso, proxy: bool) -> Result<bool, Failure> {
    let url = show.auth_client().api_url();
    let host = url.host_str().unwrap_or_default().to_owned();
    let found =
        tokio::net::lookup_host((host.trim_matches(['[', ']']), url.port_or_known_default().unwrap_or(443))).await;
    let (finding, detail) = match found.map(|mut addresses| addresses.next()) {
        Ok(Some(address)) => (Finding::Fine, format!("{host} is {}", address.ip())),
        // The proxy looks it up.
        _ if proxy => (Finding::Notable, format!("{host} is not known here, which a proxy makes unnecessary")),
        _ => (
            Finding::Wrong(Code::Unavailable),
            format!("{host} is not known: is this machine connected, and is the address right?"),
        ),
    };
    report.add("name", finding, detail)?;
    Ok(!matches!(finding, Finding::Wrong(_)))
}

/// Sends a request without a token, to see the connection and the clock of the show.
pub(super) async fn encryption_and_clock(report: &mut Report, show: &Perenso) -> Result<bool, Failure> {
    let client = show.auth_client();
    let mut url = client.api_url().clone();
    url.set_path(&format!("{}/Customer", url.path().trim_end_matches('/')));
    let is_encrypted = url.scheme() == "https";
    let sent = tokio::time::timeout(RESPONSE_TIMEOUT, client.http().get(url).send()).await;
    let response = match sent {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            let mut detail = root_cause(&error.without_url());
            // The date of the response would tell, but there is none.
            if ["expired", "Expired", "not valid yet", "NotValidYet"].iter().any(|word| detail.contains(word)) {
                detail.push_str("; it is so too when the clock of this machine is wrong");
            }
            report.add("connection", Finding::Wrong(Code::Unavailable), detail)?;
            return Ok(false);
        }
        Err(_) => {
            let detail = format!("no response in {} seconds", RESPONSE_TIMEOUT.as_secs());
            report.add("connection", Finding::Wrong(Code::Unavailable), detail)?;
            return Ok(false);
        }
    };
    let detail = if is_encrypted { "encrypted, with a valid certificate" } else { "not encrypted, on this machine" };
    report.add("connection", Finding::Fine, detail)?;
    let date = response.headers().get("date").and_then(|date| date.to_str().ok());
    let Some(theirs) = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok()) else {
        report.add("clock", Finding::Notable, "the show does not say what time it is")?;
        return Ok(true);
    };
    let ours = DateTime::<Utc>::from(SystemTime::now());
    let (finding, detail) = clock(ours.signed_duration_since(theirs));
    report.add("clock", finding, detail)?;
    Ok(true)
}

/// Judges by how much the clock of this machine is ahead.
fn clock(ahead: TimeDelta) -> (Finding, String) {
    let distance = ahead.abs();
    if distance <= CLOSE {
        return (Finding::Fine, "in step with the show".to_owned());
    }
    let (number, unit) = match distance {
        _ if distance >= TimeDelta::hours(47) => ((distance + TimeDelta::hours(12)).num_days(), "day"),
        _ if distance >= TimeDelta::minutes(90) => ((distance + TimeDelta::minutes(30)).num_hours(), "hour"),
        _ => ((distance + TimeDelta::seconds(30)).num_minutes(), "minute"),
    };
    let side = if ahead > TimeDelta::zero() { "ahead of" } else { "behind" };
    let detail =
        format!("the clock of this machine is {} {side} the show's: set it", counted(number.unsigned_abs(), unit));
    (if distance >= FAR { Finding::Wrong(Code::Partly) } else { Finding::Notable }, detail)
}

/// Asks for a token.
pub(super) async fn login(report: &mut Report, show: &Perenso) -> Result<bool, Failure> {
    match show.token(Duration::ZERO).await {
        Ok(token) => {
            let lifetime = token.expires_in().as_secs_f64().ceil();
            report.add("login", Finding::Fine, format!("accepted; a token lives {lifetime} seconds"))?;
            Ok(true)
        }
        Err(error) => {
            let failure = Failure::from(error);
            report.add("login", Finding::Wrong(failure.code()), failure.to_string())?;
            Ok(false)
        }
    }
}

/// Returns the last cause of an error, which is the one to act on.
fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_judged_by_its_distance() {
        assert_eq!(clock(TimeDelta::seconds(-59)).0, Finding::Fine);
        assert_eq!(clock(TimeDelta::seconds(61)), (Finding::Notable, said("1 minute ahead of")));
        assert_eq!(clock(TimeDelta::seconds(1 - 24 * 3600)), (Finding::Wrong(Code::Partly), said("24 hours behind")));
        assert_eq!(clock(TimeDelta::days(3)), (Finding::Wrong(Code::Partly), said("3 days ahead of")));
    }

    fn said(distance: &str) -> String {
        format!("the clock of this machine is {distance} the show's: set it")
    }
}
