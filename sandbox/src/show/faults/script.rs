//! Scripts: the faults of a sequence of calls.

use std::collections::VecDeque;
use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Call, Fault, Target};
use crate::error::Error;

/// A list of [steps](Step). The first pending step whose target matches a call decides its fault. Without such a step the
/// call has none.
///
/// ```
/// use perenso_sandbox::Script;
///
/// let script = Script::parse(
///     r#"[
///         {"fault": 503, "times": 2},
///         {"fault": "unauthorized", "after": 10, "on": "POST /v2/customers/bulk"},
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

/// One step of a [`Script`]: `after` calls succeed, then `times` calls have the fault.
///
/// ```
/// use perenso_sandbox::{Fault, Step, Target};
///
/// // The first two pages succeed, the third one is cut twice.
/// let list = Target::call("GET", "/Customer");
/// let step = Step::new(Fault::CutBody).after(2).times(2).on(list);
/// assert_eq!(
///     serde_json::to_string(&step).unwrap(),
///     r#"{"fault":"cut_body","after":2,"times":2,"on":"GET /Customer"}"#,
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Step {
    /// The fault, or `None` for calls that succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// The number of matching calls that succeed first; default 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub after: u64,
    /// The number of calls with the fault; default 1.
    pub times: Times,
    /// The calls that the step matches; default [`Target::Api`].
    pub on: Target,
}

/// The number of calls with the fault of a [`Step`]: a number when serialised, or `"always"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Times {
    /// This many calls.
    Count(u64),
    /// All calls until the script is cleared.
    Always,
}

impl Script {
    /// Parses a JSON list of steps.
    ///
    /// # Errors
    /// [`Error::Data`] for an invalid script. The source names the step.
    pub fn parse(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(|error| Error::data("the script", error))
    }

    /// Returns the pending steps.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = &Step> {
        self.steps.iter()
    }

    /// Returns the number of pending steps.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Returns true if no step is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Appends the steps of another script.
    pub(crate) fn extend(&mut self, more: Self) {
        self.steps.extend(more.steps);
    }

    /// Returns the fault of a call, and uses up one repetition of its step.
    pub(crate) fn decide(&mut self, call: &Call<'_>) -> Option<Fault> {
        let place = self.steps.iter().position(|step| step.on.matches(call))?;
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
    /// Returns a step for the next API call.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }

    /// Returns a step that lets the next API call succeed, whatever the later steps say.
    #[must_use]
    pub fn pass() -> Self {
        Self::default()
    }

    /// Lets this many calls succeed first.
    #[must_use]
    pub fn after(mut self, calls: u64) -> Self {
        self.after = calls;
        self
    }

    /// Sets the number of calls with the fault.
    #[must_use]
    pub fn times(mut self, calls: u64) -> Self {
        self.times = Times::Count(calls);
        self
    }

    /// Applies the fault to all calls until the script is cleared.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.times = Times::Always;
        self
    }

    /// Sets the calls that the step matches.
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
    fn steps_apply_in_order_until_they_are_used_up() {
        let json = r#"[{"fault": 501, "after": 1, "times": 2}, {"times": 2}, {"fault": 502}]"#;
        let mut script = Script::parse(json).unwrap();
        assert_eq!(codes(&mut script, &call("GET", "/Customer"), 8), [0, 501, 501, 0, 0, 502, 0, 0]);
        assert!(script.is_empty());
        assert_eq!((script.len(), script.steps().len()), (0, 0));
    }

    #[test]
    fn the_first_matching_step_applies_and_the_others_stay_pending() {
        let json = r#"[{"fault": 501, "on": "POST /Customer"}, {"fault": 502, "on": "api"}, {"fault": 503, "on": "token"},
            {"fault": 504, "on": "refresh"}]"#;
        let mut script = Script::parse(json).unwrap();
        assert_eq!(codes(&mut script, &call("GET", "/Customer"), 2), [502, 0]);
        assert_eq!(codes(&mut script, &token(false), 2), [503, 0]);
        assert_eq!(codes(&mut script, &token(true), 2), [504, 0]);
        assert_eq!(codes(&mut script, &call("POST", "/Customer"), 2), [501, 0]);
    }

    #[test]
    fn an_endless_step_stays() {
        let mut script = Script::parse(r#"[{"fault": 501, "after": 1, "times": "always"}]"#).unwrap();
        assert_eq!(codes(&mut script, &call("GET", "/Customer"), 4), [0, 501, 501, 501]);
        assert_eq!(script.len(), 1);
    }

    #[test]
    fn steps_with_zero_repetitions_are_dropped() {
        let script = Script::from([Step::new(Fault::CutBody).times(0), Step::pass().times(0).after(1)]);
        assert_eq!(script.len(), 1);
    }

    #[test]
    fn a_script_round_trips() {
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
    fn a_script_can_be_toml() {
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
    fn invalid_scripts_are_rejected_with_the_step() {
        for (json, named) in [
            (r#"[{"fault": 503}, {"fault": 503, "tims": 2}]"#, "step 2: unknown field `tims`"),
            (r#"[{"fault": "reste"}]"#, "reste"),
            (r#"[{"fault": 503, "times": "ever"}]"#, "\"always\" for `times`"),
            (r#"[{"fault": 503, "times": -1}]"#, "times"),
            (r#"[{"fault": 503, "after": -1}]"#, "-1"),
            (r#"[{"fault": 503, "on": "apis"}]"#, "\"apis\" is not a target"),
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
