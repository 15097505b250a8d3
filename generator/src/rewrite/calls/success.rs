//! Successful responses of several kinds: one has a type, the others keep their bodies.

use quote::quote;
use serde_json::Value;
use syn::{Expr, parse_quote};

use crate::{
    document::{pointer::schema_name, schemas::OTHERS},
    model::{Operation, text},
};

/// The successful responses of an operation for which its method has no type.
#[derive(Clone, Default)]
pub(crate) struct Others {
    /// The statuses of the typed response.
    typed: Vec<u16>,
    /// The other statuses, each with what the document says of it. A range has no number.
    others: Vec<(Option<u16>, String)>,
}

impl Others {
    /// Returns the other responses of an operation, if its typed one is JSON. The response itself is returned otherwise.
    pub(crate) fn of(operation: &Operation<'_>) -> Self {
        let responses = operation.node["responses"].as_object().into_iter().flatten();
        let success: Vec<_> = responses.filter(|(status, _)| status.starts_with('2')).collect();
        if !success.iter().any(|(_, response)| response.pointer("/content/application~1json").is_some()) {
            return Self::default();
        }
        let described = |status: &String, response: &Value| {
            let name = response.pointer("/content/application~1json/schema").and_then(schema_name);
            let kind = match (name, response.get("content")) {
                (Some(name), _) => format!(", whose `json` is a [`types::{name}`]"),
                (None, Some(_)) => String::new(),
                (None, None) => ", without a body".to_string(),
            };
            let what = text(response, "description").trim_end_matches('.').replace(char::is_control, " ");
            let what = if what.is_empty() { what } else { format!(" ({what})") };
            format!("- {status}{what}{kind}")
        };
        let others = operation.node.get(OTHERS).and_then(Value::as_object).into_iter().flatten();
        Self {
            typed: success.iter().filter_map(|(status, _)| status.parse().ok()).collect(),
            others: others.map(|(status, response)| (status.parse().ok(), described(status, response))).collect(),
        }
    }

    /// Returns true if there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.others.is_empty()
    }

    /// Returns a function that tells the statuses of the others.
    pub(crate) fn condition(&self) -> Expr {
        let statuses: Option<Vec<_>> = self.others.iter().map(|(status, _)| *status).collect();
        let (statuses, negation) = match statuses {
            Some(statuses) => (statuses, quote!()),
            None => (self.typed.clone(), quote!(!)),
        };
        parse_quote!(|status| #negation[#(#statuses),*].contains(&status))
    }

    /// Returns the documentation of the call.
    pub(crate) fn docs(&self, runtime: &str) -> String {
        let lines: Vec<_> = self.others.iter().map(|(_, line)| line.as_str()).collect();
        format!("Other successful responses are [`Success::Other`]({runtime}::Success::Other):\n{}", lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;
    use serde_json::json;

    use super::*;

    fn others(responses: Value, others: Value) -> Others {
        let node = json!({ "responses": responses, OTHERS: others });
        Others::of(&Operation { place: String::new(), id: "a", method: "get", path: "/a", node: &node })
    }

    #[test]
    fn other_statuses_are_told_by_number_or_by_what_they_are_not() {
        let typed = json!({ "description": "", "content": { "application/json": { "schema": {} } } });
        let condition = |others: &Others| others.condition().to_token_stream().to_string();
        let named = others(json!({ "2XX": typed }), json!({ "202": { "description": "Later." }, "204": {} }));
        assert_eq!(condition(&named), "| status | [202u16 , 204u16] . contains (& status)");
        assert!(
            named.docs("r").ends_with("\n- 202 (Later), without a body\n- 204, without a body"),
            "{}",
            named.docs("r")
        );
        let range = others(json!({ "200": typed, "201": typed }), json!({ "2XX": {} }));
        assert_eq!(condition(&range), "| status | ! [200u16 , 201u16] . contains (& status)");
        assert!(others(json!({ "200": {} }), json!({ "204": {} })).is_empty());
    }
}
