//! The changes, losses and omissions of the generator, as data and as Markdown.

use std::{collections::BTreeMap, fmt};

/// The places that Markdown lists for one message before it only counts them.
const LISTED: usize = 10;

/// A list of all problems of a document, in the order in which the steps found them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The problems, by step.
    pub problems: Vec<Problem>,
}

/// A part of a document that could not be taken as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The name of the step that found it.
    pub step: &'static str,
    /// The consequence for the generated code.
    pub effect: Effect,
    /// The JSON pointer of the part, in the vendor's document. A part that the document only refers to is where it is used.
    pub pointer: String,
    /// A sentence that says what was found and what was made of it.
    pub message: String,
}

/// The consequence of a problem for the generated code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Effect {
    /// An operation is missing.
    LeftOut,
    /// A type or a part of the documentation is less exact than the document.
    Lost,
    /// The same meaning is written in another way.
    Changed,
}

impl Report {
    /// Returns the operations that are missing in the generated code.
    pub fn left_out(&self) -> impl Iterator<Item = &Problem> {
        self.with(Effect::LeftOut)
    }

    /// Returns the parts whose types are less exact than the document.
    pub fn lost(&self) -> impl Iterator<Item = &Problem> {
        self.with(Effect::Lost)
    }

    /// Returns the parts that are written in another way.
    pub fn changed(&self) -> impl Iterator<Item = &Problem> {
        self.with(Effect::Changed)
    }

    /// Writes the report as Markdown, one section per effect. Equal sentences of one step are one entry.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        for effect in [Effect::LeftOut, Effect::Lost, Effect::Changed] {
            let mut entries: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
            for problem in self.with(effect) {
                entries.entry((problem.step, &problem.message)).or_default().push(&problem.pointer);
            }
            if entries.is_empty() {
                continue;
            }
            text.push_str(&format!("## {effect}\n\n"));
            for ((step, message), places) in entries {
                text.push_str(&format!("- {step}: {message}\n"));
                for place in places.iter().take(LISTED) {
                    text.push_str(&format!("  - `{place}`\n"));
                }
                if places.len() > LISTED {
                    text.push_str(&format!("  - and {} more\n", places.len() - LISTED));
                }
            }
            text.push('\n');
        }
        text
    }

    fn with(&self, effect: Effect) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(move |problem| problem.effect == effect)
    }
}

impl fmt::Display for Report {
    /// Writes one line: the counts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} operations left out, {} parts lost, {} changed",
            self.left_out().count(),
            self.lost().count(),
            self.changed().count()
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.pointer, self.message, self.step)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LeftOut => "Left out",
            Self::Lost => "Lost",
            Self::Changed => "Changed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(effect: Effect, pointer: &str, message: &str) -> Problem {
        Problem { step: "step", effect, pointer: pointer.into(), message: message.into() }
    }

    #[test]
    fn markdown_gives_each_sentence_once_with_its_places() {
        let report = Report {
            problems: vec![
                problem(Effect::Changed, "/a", "renamed"),
                problem(Effect::Lost, "/b", "a type"),
                problem(Effect::Lost, "/c", "a type"),
            ],
        };
        assert_eq!(
            report.to_markdown(),
            "## Lost\n\n- step: a type\n  - `/b`\n  - `/c`\n\n## Changed\n\n- step: renamed\n  - `/a`\n\n"
        );
        assert_eq!(report.to_string(), "0 operations left out, 2 parts lost, 1 changed");
    }

    #[test]
    fn markdown_counts_many_places() {
        let problems = (0..12).map(|n| problem(Effect::LeftOut, &format!("/{n}"), "no body")).collect();
        assert!(Report { problems }.to_markdown().ends_with("  - and 2 more\n\n"));
    }
}
