//! A string that matches a regular expression.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Returns a string that matches a pattern, unless the pattern is of another dialect.
pub(crate) fn example(pattern: &str) -> Option<String> {
    let mut made = String::new();
    write(&regex_syntax::parse(pattern).ok()?, &mut made);
    Some(made)
}

fn write(node: &Hir, made: &mut String) {
    match node.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => made.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(Class::Unicode(class)) => {
            // A plain letter or digit where the class has one.
            let has = |letter: &char| class.iter().any(|range| (range.start()..=range.end()).contains(letter));
            let letters = ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(' '..='~');
            made.extend(letters.into_iter().find(has).or_else(|| class.iter().next().map(|range| range.start())));
        }
        HirKind::Class(Class::Bytes(class)) => made.extend(class.iter().next().map(|range| char::from(range.start()))),
        HirKind::Repetition(repetition) => {
            let wanted = repetition.min.max(1).min(repetition.max.unwrap_or(u32::MAX));
            (0..wanted).for_each(|_| write(&repetition.sub, made));
        }
        HirKind::Capture(capture) => write(&capture.sub, made),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, made)),
        HirKind::Alternation(parts) => parts.iter().take(1).for_each(|part| write(part, made)),
    }
}
