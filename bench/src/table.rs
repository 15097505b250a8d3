//! The printed table: our value, that of the rival, their ratio, and whether it meets the bound.

/// The bound of a ratio.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
    /// The ratio is printed without a bound.
    None,
}

impl Bound {
    fn show(self, ratio: f64) -> (String, &'static str) {
        let (text, is_met) = match self {
            Self::AtMost(most) => (format!("at most {most}"), ratio <= most),
            Self::AtLeast(least) => (format!("at least {least}"), ratio >= least),
            Self::None => return (String::new(), ""),
        };
        (text, met(is_met))
    }
}

/// The table, which counts the rows whose count misses its bound.
pub(crate) struct Table {
    miscounts: usize,
}

impl Table {
    /// Prints the header of the table.
    pub(crate) fn new() -> Self {
        println!("| what | ours | rival | ratio | bound | met |");
        println!("|---|---|---|---|---|---|");
        Self { miscounts: 0 }
    }

    /// Prints a measurement, whose bound holds on an idle machine.
    pub(crate) fn ratio(&mut self, what: &str, ours: &str, rival: &str, ratio: f64, bound: Bound) {
        let (bound, met) = bound.show(ratio);
        let digits = if ratio < 2.0 { 3 } else { 1 };
        println!("| {what} | {ours} | {rival} | {ratio:.digits$} | {bound} | {met} |");
    }

    /// Prints a count, whose bound holds on any machine.
    pub(crate) fn count(&mut self, what: &str, ours: &str, rival: &str, bound: &str, is_met: bool) {
        self.miscounts += usize::from(!is_met);
        println!("| {what} | {ours} | {rival} | | {bound} | {} |", met(is_met));
    }

    /// Returns true if all counts meet their bounds.
    pub(crate) fn counts_are_met(&self) -> bool {
        self.miscounts == 0
    }
}

/// Returns a count with its noun, as `1 request` or `2 requests`.
pub(crate) fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn met(is_met: bool) -> &'static str {
    if is_met { "yes" } else { "no" }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Returns the medians of both values over all turns, and of their ratio per turn.
pub(crate) fn medians(turns: &[(f64, f64)]) -> (f64, f64, f64) {
    let of = |value: fn(&(f64, f64)) -> f64| median(turns.iter().map(value).collect());
    (of(|turn| turn.0), of(|turn| turn.1), of(|turn| turn.0 / turn.1))
}
