//! What a reward says of many conversations, as text: its parts, their correlations, the spread of the
//! total, the conversations at both ends.

use std::fmt::Write;

use serde_json::Value;
use stateset_core::{RewardResult, Role, Score};
use stateset_env::rewards::{Column, ParetoReport, PartsTable};

use super::conversations::Conversation;

/// Width of a name.
const NAME: usize = 22;
/// Bins of the distribution, and the length of its longest bar.
const N_BINS: usize = 10;
const BAR: usize = 40;
/// Reasons and parts that are listed; of very many, the first.
const MAX_LISTED: usize = 20;
/// Characters of a quoted message and of evidence.
const MAX_QUOTE: usize = 100;

/// Conversations and what a reward said of each.
pub(crate) struct Judged<'a> {
    /// The reward in words.
    pub(crate) spec: &'a str,
    /// In the order of the input.
    pub(crate) conversations: &'a [Conversation],
    /// One for each.
    pub(crate) results: &'a [RewardResult],
}

/// The whole text; `n_shown` conversations of either end are quoted.
pub(crate) fn spread(judged: &Judged<'_>, n_shown: usize) -> String {
    let table = PartsTable::of(judged.results);
    let n_unscorable: usize = table.unscorable.iter().map(|(_, n)| n).sum();
    let n = judged.results.len();
    let mut text = format!("reward         {}\n", judged.spec);
    line(&mut text, &format!("conversations  {n}, {n_unscorable} of them unscorable"));
    parts(&mut text, &table);
    correlations(&mut text, &table);
    distribution(&mut text, &table.columns[0]);
    front(&mut text, &table, judged.results);
    unscorable(&mut text, &table);
    ends(&mut text, judged, n_shown);
    text
}

/// Appends a line without space at its end.
fn line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

fn heading(text: &mut String, words: &str) {
    let _ = writeln!(text, "\n{words}");
}

/// Cut to the width of a name.
fn name(name: &str) -> String {
    match name.chars().count() > NAME {
        true => name.chars().take(NAME - 2).chain("..".chars()).collect(),
        false => name.to_owned(),
    }
}

fn parts(text: &mut String, table: &PartsTable) {
    heading(text, "Parts");
    let columns = ["weight", "scored", "mean", "std", "min", "p10", "median", "p90", "max"];
    let head: String = columns.iter().map(|column| format!("{column:>8}")).collect();
    line(text, &format!("     {:<NAME$}{head}", ""));
    for (number, column) in table.columns.iter().take(MAX_LISTED).enumerate() {
        let weight = column.weight.map_or("-".to_owned(), |weight| format!("{weight:.3}"));
        let mut row = format!("{:>3}  {:<NAME$}{weight:>8}", number + 1, name(&column.name));
        match column.summary() {
            None => row += &format!("{:>8}", 0),
            Some(s) => {
                row += &format!("{:>8}", s.n);
                for value in [s.mean, s.std, s.min, s.p10, s.median, s.p90, s.max] {
                    row += &format!("{value:>8.3}");
                }
            }
        }
        line(text, &row);
    }
}

fn correlations(text: &mut String, table: &PartsTable) {
    let n = table.columns.len().min(MAX_LISTED);
    if n < 2 {
        return;
    }
    heading(text, "Correlations (Pearson; - where one of the two never changes)");
    let head: String = (1..=n).map(|number| format!("{number:>7}")).collect();
    line(text, &format!("     {:<NAME$}{head}", ""));
    for a in 0..n {
        let mut row = format!("{:>3}  {:<NAME$}", a + 1, name(&table.columns[a].name));
        for b in 0..=a {
            let shown = table.correlation(a, b).map(|value| format!("{value:.2}"));
            row += &format!("{:>7}", shown.as_deref().unwrap_or("-"));
        }
        line(text, &row);
    }
}

fn distribution(text: &mut String, total: &Column) {
    let Some(summary) = total.summary() else { return };
    heading(text, "Distribution of the total");
    let is_usual = summary.min >= 0.0 && summary.max <= 1.0;
    let (low, high) = if is_usual { (0.0, 1.0) } else { (summary.min, summary.max) };
    let counts = total.histogram(low, high, N_BINS);
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let at = |bin: usize| low + (high - low) * bin as f64 / N_BINS as f64;
    for (bin, n) in counts.iter().enumerate() {
        // What is there is seen, however little it is.
        let length = (n * BAR).div_ceil(most);
        let range = format!("{:.2} to {:.2}", at(bin), at(bin + 1));
        line(text, &format!("  {range:>16}  {n:>7}  {}", "#".repeat(length)));
    }
}

fn front(text: &mut String, table: &PartsTable, results: &[RewardResult]) {
    let parts: Vec<&str> = table.columns[1..].iter().map(|column| column.name.as_str()).collect();
    let report = ParetoReport::of(&parts, results);
    if parts.len() < 2 || report.n_compared < 2 {
        return;
    }
    heading(text, "Pareto front");
    let (n, of) = (report.front.len(), report.n_compared);
    line(text, &format!("  {n} of {of} conversations are beaten by no other in every part"));
}

fn unscorable(text: &mut String, table: &PartsTable) {
    if table.unscorable.is_empty() {
        return;
    }
    heading(text, "Unscorable, by reason");
    for (why, n) in table.unscorable.iter().take(MAX_LISTED) {
        line(text, &format!("  {n:>7}  {}", quote(why)));
    }
    let n_more = table.unscorable.len().saturating_sub(MAX_LISTED);
    if n_more > 0 {
        line(text, &format!("  and {n_more} other reasons"));
    }
}

fn ends(text: &mut String, judged: &Judged<'_>, n_shown: usize) {
    let value = |place: &usize| judged.results[*place].total.value();
    let mut places: Vec<usize> =
        (0..judged.results.len()).filter(|place| value(place).is_some()).collect();
    // Equal ones stay in the order of the input.
    places.sort_by(|a, b| {
        value(b).unwrap_or_default().total_cmp(&value(a).unwrap_or_default()).then(a.cmp(b))
    });
    if n_shown == 0 {
        return;
    }
    let n_best = n_shown.min(places.len());
    let n_worst = n_shown.min(places.len() - n_best);
    for (words, places) in
        [("Best", &places[..n_best]), ("Worst", &places[places.len() - n_worst..])]
    {
        heading(text, words);
        places.iter().for_each(|place| one(text, judged, *place));
    }
}

fn one(text: &mut String, judged: &Judged<'_>, place: usize) {
    let (conversation, result) = (&judged.conversations[place], &judged.results[place]);
    let id = match &conversation.id {
        Value::String(id) => id.clone(),
        other => format!("line {other}"),
    };
    let Score::Scored { value, evidence } = &result.total else { return };
    line(text, &format!("  {value:.3}  {id}"));
    if !evidence.is_empty() {
        line(text, &format!("         ({})", quote(evidence)));
    }
    let mut said = conversation.trajectory.turns.iter().map(|turn| &turn.message);
    let last = said.rfind(|message| message.role == Role::Assistant);
    if let Some(message) = last {
        line(text, &format!("         {}", quote(&message.content)));
    }
}

/// One line, cut.
fn quote(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Texts of others must not steer the terminal.
    let clean: String = one_line.chars().filter(|c| !c.is_control()).collect();
    match clean.chars().count() > MAX_QUOTE {
        true => clean.chars().take(MAX_QUOTE).chain("..".chars()).collect(),
        false => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_quotes_are_cut_and_tame() {
        assert_eq!(name("safety"), "safety");
        assert_eq!(name("contains:a very long list of words"), "contains:a very long..");
        assert_eq!(quote("a\n b\u{1b}[31m"), "a b[31m");
        assert_eq!(quote(&"x".repeat(200)).chars().count(), MAX_QUOTE + 2);
    }

    #[test]
    fn values_beyond_0_and_1_have_bins_of_their_own() {
        let values = vec![Some(-2.0), Some(0.0), Some(3.0)];
        let column = Column { name: "total".into(), weight: None, values };
        let mut text = String::new();
        distribution(&mut text, &column);
        assert!(text.contains("-2.00 to -1.50"), "{text}");
        assert_eq!(text.matches('#').count(), 3 * BAR);
    }
}
