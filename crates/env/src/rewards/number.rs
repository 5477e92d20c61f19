//! Finds the number that a text ends up with.
//!
//! Numbers are compared as decimal texts and not as floats, so that nothing is lost however many
//! digits there are: `$1,200.50`, `1200.5` and `01200.500` are the same, `0.1` and `0.10000001` are not.
//!
//! # Source
//! Reference answers of GSM8K (Cobbe et al. 2021, arXiv 2110.14168) stand after `####`; many models
//! write `\boxed{..}`. Without either mark the last number of the text counts.

use std::sync::LazyLock;

use ::regex::Regex;

/// The final number of `text` in plain form; `None` where there is none.
///
/// After the last `####` or inside the last `\boxed{..}`, whichever comes later, the first number
/// counts; elsewhere the last one. Currency signs, units, percent signs and thousands separators are
/// left out; a minus counts where it cannot be a hyphen.
pub fn final_number(text: &str) -> Option<String> {
    const MARKS: [&str; 2] = ["####", "\\boxed{"];
    let marked = MARKS.iter().filter_map(|mark| Some(text.rfind(mark)? + mark.len())).max();
    match marked {
        Some(start) => all_numbers(&text[start..]).next(),
        None => all_numbers(text).last(),
    }
}

/// Every number of `text` in plain form, in order.
pub(crate) fn all_numbers(text: &str) -> impl Iterator<Item = String> {
    NUMBER.captures_iter(text).map(move |found| {
        let digits = found.name("digits").map_or("", |digits| digits.as_str());
        let has_minus = found.name("minus").or(found.name("minus2")).is_some();
        let start = found.get(0).map_or(0, |whole| whole.start());
        let before = text[..start].chars().next_back();
        let is_hyphen = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, ')' | '%'));
        plain_number(digits, has_minus && !is_hyphen)
    })
}

/// Without separators, leading zeros and trailing zeros behind the point.
fn plain_number(digits: &str, is_negative: bool) -> String {
    let digits = digits.replace(',', "");
    let (whole, part) = digits.split_once('.').unwrap_or((&digits, ""));
    let whole = whole.trim_start_matches('0');
    let part = part.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let number = if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") };
    if is_negative && number != "0" { format!("-{number}") } else { number }
}

static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is a constant, compiled by the tests")]
    Regex::new(
        r"(?x)
        (?:(?<minus>[-−–])\s?[$€£]?|[$€£]\s?(?<minus2>[-−])?)?
        (?<digits>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)",
    )
    .expect("a constant pattern compiles")
});

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_final_number_in_plain_form() {
        for (text, expected) in [
            ("#### 72", Some("72")),
            ("She has 3 + 4 = 7 apples.\n#### 7", Some("7")),
            ("The answer is $1,200.50.", Some("1200.5")),
            ("It costs 1200 dollars, or 1,300", Some("1300")),
            ("1,2,3", Some("3")),
            ("42.", Some("42")),
            ("007", Some("7")),
            ("0.50 kg", Some("0.5")),
            (".5", Some("0.5")),
            ("-5", Some("-5")),
            ("-$5", Some("-5")),
            ("$-5", Some("-5")),
            ("10-5", Some("5")),
            ("covid-19", Some("19")),
            ("= −3 degrees", Some("-3")),
            ("-0", Some("0")),
            ("75%", Some("75")),
            ("So \\boxed{12} it is, after 3 tries", Some("12")),
            ("#### 12 apples and 3 pears", Some("12")),
            ("#### 1\n#### 2", Some("2")),
            ("12345678901234567890123", Some("12345678901234567890123")),
            ("no number", None),
            ("#### none, but 5 before", Some("5")),
            ("5 apples #### none", None),
            ("", None),
        ] {
            assert_eq!(final_number(text).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_whole_number_is_found(n in any::<i64>(), before in "[a-z ]{0,10}") {
            let text = format!("{before} is {n}.");
            prop_assert_eq!(final_number(&text), Some(n.to_string()));
        }

        #[test]
        fn any_text_is_read(text in "\\PC{0,80}") {
            let _ = final_number(&text);
        }
    }
}
