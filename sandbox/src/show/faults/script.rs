//! Scripts: which calls go wrong, and how.

use std::collections::VecDeque;
use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Call, Fault, Target};
use crate::error::Error;

/// What is to go wrong, as a list of [steps](Step). The first step that is meant for a call and not used up decides what
/// becomes of it; where there is none, nothing goes wrong.
///
/// ```
/// use perenso_sandbox::Script;
///
/// let script = Script::parse(
///     r#"[
///         {"fault": 503, "times": 2},
///         {"fault": {"too_many_requests": {"retry_after": 30}}, "after": 10, "on": "POST /v2/customers/bulk"},
///         {"fault": "drop_answer", "on": "refresh"}
///     ]"#,
/// )?;
/// assert_eq!(script.len(), 3);
/// # Ok::<(), perenso_sandbox::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Script {
    steps: VecDeque<Step>,
}

/// One step of a [`Script`]: so many calls go well, then so many have the fault.
///
/// ```
/// use perenso_sandbox::{Fault, Step, Target};
///
/// // The first two pages come, the third one breaks off twice.
/// let step = Step::new(Fault::CutBody).after(2).times(2).on(Target::call("GET", "/Customer"));
/// assert_eq!(serde_json::to_string(&step).unwrap(), r#"{"fault":"cut_body","after":2,"times":2,"on":"GET /Customer"}"#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Step {
    /// What goes wrong; `None`: nothing, these calls are left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// How many of the calls that the step decides about go well before that; default 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub after: u64,
    /// How many calls it happens to; default once.
    pub times: Times,
    /// Which calls the step decides about; default [`Target::Api`].
    pub on: Target,
}

/// How often the fault of a [`Step`] comes: a number in data, or `"always"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Times {
    /// So often.
    Count(u64),
    /// Until the script is taken back.
    Always,
}

impl Script {
    /// Reads a script from JSON: a list of steps.
    ///
    /// # Errors
    /// [`Error::Data`], whose source names the step and what is wrong with it.
    pub fn parse(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(|error| Error::data("the script", error))
    }

    /// The steps that are not used up.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = &Step> {
        self.steps.iter()
    }

    /// How many steps are not used up.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether nothing will go wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Adds the steps of another script behind those that are there.
    pub(crate) fn extend(&mut self, more: Self) {
        self.steps.extend(more.steps);
    }

    /// What is to go wrong with this call, which takes it off the script.
    pub(crate) fn decide(&mut self, call: &Call<'_>) -> Option<Fault> {
        let place = self.steps.iter().position(|step| step.on.is_for(call))?;
        let step = self.steps.get_mut(place)?;
        let fault = step.take();
        if step.is_used_up() {
            self.steps.remove(place);
        }
        fault
    }
}

impl FromIterator<Step> for Script {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Self { steps: steps.into_iter().filter(|step| !step.is_used_up()).collect() }
    }
}

impl<const N: usize> From<[Step; N]> for Script {
    fn from(steps: [Step; N]) -> Self {
        steps.into_iter().collect()
    }
}

impl From<Vec<Step>> for Script {
    fn from(steps: Vec<Step>) -> Self {
        steps.into_iter().collect()
    }
}

impl From<Step> for Script {
    fn from(step: Step) -> Self {
        Self::from([step])
    }
}

impl<'de> Deserialize<'de> for Script {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Steps;

        impl<'de> Visitor<'de> for Steps {
            type Value = Script;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of steps")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Script, A::Error> {
                let mut steps = Vec::new();
                let place = |number: usize| move |error: A::Error| A::Error::custom(format!("step {number}: {error}"));
                while let Some(step) = list.next_element().map_err(place(steps.len() + 1))? {
                    steps.push(step);
                }
                Ok(steps.into())
            }
        }

        deserializer.deserialize_seq(Steps)
    }
}

impl Step {
    /// The fault for the next call of the API.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }

    /// The next call of the API goes well, whatever stands behind this step.
    #[must_use]
    pub fn pass() -> Self {
        Self::default()
    }

    /// So many calls go well before it.
    #[must_use]
    pub fn after(mut self, calls: u64) -> Self {
        self.after = calls;
        self
    }

    /// It happens so often.
    #[must_use]
    pub fn times(mut self, calls: u64) -> Self {
        self.times = Times::Count(calls);
        self
    }

    /// It happens until the script is taken back.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.times = Times::Always;
        self
    }

    /// It is for these calls.
    #[must_use]
    pub fn on(mut self, target: Target) -> Self {
        self.on = target;
        self
    }

    fn take(&mut self) -> Option<Fault> {
        if self.after > 0 {
            self.after -= 1;
            return None;
        }
        if let Times::Count(left) = &mut self.times {
            *left = left.saturating_sub(1);
        }
        self.fault.clone()
    }

    fn is_used_up(&self) -> bool {
        self.after == 0 && self.times == Times::Count(0)
    }
}

impl Default for Step {
    fn default() -> Self {
        Self { fault: None, after: 0, times: Times::Count(1), on: Target::Api }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(number) => serializer.serialize_u64(*number),
            Self::Always => serializer.serialize_str("always"),
        }
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a whole number or \"always\" for `times`")]
        enum Repetition {
            Count(u64),
            Word(Word),
        }

        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Word {
            Always,
        }

        Ok(match Repetition::deserialize(deserializer)? {
            Repetition::Count(number) => Self::Count(number),
            Repetition::Word(Word::Always) => Self::Always,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::show::faults::EndpointKind;

    fn call(method: &'static str, path: &'static str) -> Call<'static> {
        Call { kind: EndpointKind::Api, method, path, is_refresh: false }
    }

    fn token(is_refresh: bool) -> Call<'static> {
        Call { kind: EndpointKind::Token, method: "POST", path: "/auth/oauth/token", is_refresh }
    }

    fn codes(script: &mut Script, call: &Call<'_>, times: usize) -> Vec<u16> {
        let code = |fault| match fault {
            Some(Fault::Status { code, .. }) => code,
            _ => 0,
        };
        (0..times).map(|_| code(script.decide(call))).collect()
    }

    #[test]
    fn steps_decide_one_after_the_other_until_they_are_used_up() {
        let json = r#"[{"fault": 501, "after": 1, "times": 2}, {"times": 2}, {"fault": 502}]"#;
        let mut script = Script::parse(json).unwrap();
        assert_eq!(codes(&mut script, &call("GET", "/Customer"), 8), [0, 501, 501, 0, 0, 502, 0, 0]);
        assert!(script.is_empty());
        assert_eq!((script.len(), script.steps().len()), (0, 0));
    }

    #[test]
    fn the_first_step_that_is_meant_for_a_call_decides_and_the_others_wait() {
        let json = r#"[{"fault": 501, "on": "POST /Customer"}, {"fault": 502, "on": "api"}, {"fault": 503, "on": "token"},
            {"fault": 504, "on": "refresh"}]"#;
        let mut script = Script::parse(json).unwrap();
        assert_eq!(codes(&mut script, &call("GET", "/Customer"), 2), [502, 0]);
        assert_eq!(codes(&mut script, &token(false), 2), [503, 0]);
        assert_eq!(codes(&mut script, &token(true), 2), [504, 0]);
        assert_eq!(codes(&mut script, &call("POST", "/Customer"), 2), [501, 0]);
    }

    #[test]
    fn a_step_without_end_stays() {
        let mut script = Script::parse(r#"[{"fault": 501, "after": 1, "times": "always"}]"#).unwrap();
        assert_eq!(codes(&mut script, &call("GET", "/Customer"), 4), [0, 501, 501, 501]);
        assert_eq!(script.len(), 1);
    }

    #[test]
    fn steps_of_no_time_are_none() {
        let script = Script::from([Step::new(Fault::CutBody).times(0), Step::pass().times(0).after(1)]);
        assert_eq!(script.len(), 1);
    }

    #[test]
    fn a_script_comes_back_as_it_was_written() {
        let script = Script::from([
            Step::new(Fault::status(503)).times(2).after(1),
            Step::new(Fault::Unauthorized).always().on(Target::Refresh),
            Step::pass().on(Target::Token),
            Step::new(Fault::Reset).on(Target::call("delete", "/Customer/*")),
            Step::new(Fault::Reset).on(Target::path("/v2/**")),
        ]);
        let json = serde_json::to_string(&script).unwrap();
        assert_eq!(Script::parse(&json).unwrap(), script);
        assert!(json.ends_with(r#"{"fault":"reset","times":1,"on":"/v2/**"}]"#), "{json}");
        assert!(json.contains(r#"{"fault":"unauthorized","times":"always","on":"refresh"}"#), "{json}");
    }

    #[test]
    fn a_script_is_read_from_toml_too() {
        #[derive(Deserialize)]
        struct File {
            script: Script,
        }

        let File { script } = toml::from_str(
            r#"
            script = [
                { fault = 503, times = "always", on = "/v2/**" },
                { fault = { status = 503, body = "down", headers = { retry-after = 3 } }, after = 2 },
                { fault = { slow = { piece = 1, pause = 0.5 } }, on = "token" },
            ]
            "#,
        )
        .unwrap();
        let json = r#"[{"fault": 503, "times": "always", "on": "/v2/**"},
            {"fault": {"status": 503, "body": "down", "headers": {"retry-after": "3"}}, "after": 2},
            {"fault": {"slow": {"piece": 1, "pause": 0.5}}, "on": "token"}]"#;
        assert_eq!(script, Script::parse(json).unwrap());
    }

    #[test]
    fn what_is_no_script_is_refused_with_its_place() {
        for (json, named) in [
            (r#"[{"fault": 503}, {"fault": 503, "tims": 2}]"#, "step 2: unknown field `tims`"),
            (r#"[{"fault": "reste"}]"#, "reste"),
            (r#"[{"fault": 503, "times": "ever"}]"#, "\"always\" for `times`"),
            (r#"[{"fault": 503, "times": -1}]"#, "times"),
            (r#"[{"fault": 503, "after": -1}]"#, "-1"),
            (r#"[{"fault": 503, "on": "apis"}]"#, "\"apis\" does not say which calls"),
            (r#"[{"fault": 503, "on": "GET Customer"}]"#, "GET Customer"),
            (r#"[{"fault": 503, "on": "G-T /Customer"}]"#, "G-T /Customer"),
            (r#"[{"fault": 503, "on": " /Customer"}]"#, "/Customer"),
            (r#"{"fault": 503}"#, "a list of steps"),
        ] {
            let error = serde_json::from_str::<Script>(json).unwrap_err().to_string();
            assert!(error.contains(named), "{json}: {error}");
        }
    }
}
