//! Ten things that pupils get wrong in arithmetic, each with its wrong answer and what helps against it.
//!
//! The mistakes are among those that school research describes again and again (for instance Ashlock,
//! "Error Patterns in Computation"); the problems and words are ours.

use crate::names::named_enum;

named_enum! {
    /// A belief that gives wrong answers by rule.
    pub enum Misconception {
        /// Sums are worked out from left to right, whatever the signs.
        LeftToRight => "left_to_right",
        /// Fractions are added top to top and bottom to bottom.
        AddDenominators => "add_denominators",
        /// The decimal with more digits is the larger one.
        LongerIsLarger => "longer_is_larger",
        /// Two negatives multiplied stay negative.
        NegativeProduct => "negative_product",
        /// Going up and down by the same percentage ends where it began.
        PercentReturns => "percent_returns",
        /// The area is what the way around is.
        PerimeterForArea => "perimeter_for_area",
        /// The square of a sum is the sum of the squares.
        SquareOfSum => "square_of_sum",
        /// A power is a product of base and exponent.
        PowerAsProduct => "power_as_product",
        /// In each column the smaller digit is taken from the larger one.
        SmallerFromLarger => "smaller_from_larger",
        /// The average speed is the average of the speeds.
        MeanOfSpeeds => "mean_of_speeds",
    }
}

/// A problem with two answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is to be worked out, as it stands in a sentence.
    pub question: String,
    /// What the belief gives.
    pub wrong: String,
    /// What is right.
    pub right: String,
    /// How the pupil explains the wrong answer.
    pub because: String,
}

impl Misconception {
    /// How many numbers a problem has.
    pub fn n_numbers(self) -> usize {
        match self {
            Misconception::LeftToRight => 3,
            Misconception::PercentReturns => 1,
            _ => 2,
        }
    }

    /// The smallest and the largest that a number may be.
    pub fn range(self) -> (u32, u32) {
        match self {
            Misconception::LongerIsLarger => (2, 9),
            Misconception::PercentReturns => (10, 90),
            Misconception::PowerAsProduct => (2, 6),
            Misconception::SmallerFromLarger => (1, 8),
            Misconception::MeanOfSpeeds => (10, 60),
            _ => (2, 12),
        }
    }

    /// The problem with these numbers; `None` where they do not make one in which the belief is wrong.
    pub fn problem(self, numbers: &[u32]) -> Option<Problem> {
        let (low, high) = self.range();
        let in_range = numbers.iter().all(|number| (low..=high).contains(number));
        if numbers.len() != self.n_numbers() || !in_range {
            return None;
        }
        let at = |index: usize| numbers.get(index).copied().unwrap_or(low);
        let problem = self.of(at(0), at(1), at(2))?;
        (problem.wrong != problem.right).then_some(problem)
    }

    fn of(self, a: u32, b: u32, c: u32) -> Option<Problem> {
        let (question, wrong, right, because) = match self {
            Misconception::LeftToRight => (
                format!("{a} + {b} x {c}"),
                ((a + b) * c).to_string(),
                (a + b * c).to_string(),
                "I went from left to right".to_owned(),
            ),
            Misconception::AddDenominators => (
                format!("1/{a} + 1/{b}"),
                format!("2/{}", a + b),
                format!("{}/{}", a + b, a * b),
                "I added the tops and the bottoms".to_owned(),
            ),
            Misconception::LongerIsLarger => return longer(a, b),
            Misconception::NegativeProduct => (
                format!("minus {a} times minus {b}"),
                format!("minus {}", a * b),
                (a * b).to_string(),
                "both have a minus, so it stays minus".to_owned(),
            ),
            Misconception::PercentReturns => (
                format!("100 dollars plus {a} percent, and then {a} percent off"),
                "100".to_owned(),
                decimal(10_000 - a * a, 100),
                "up and down is the same".to_owned(),
            ),
            Misconception::PerimeterForArea => (
                format!("the area of a room of {a} by {b} meters"),
                (2 * (a + b)).to_string(),
                (a * b).to_string(),
                "I added all the sides".to_owned(),
            ),
            Misconception::SquareOfSum => (
                format!("the square of {a} plus {b}"),
                (a * a + b * b).to_string(),
                ((a + b) * (a + b)).to_string(),
                "I squared both and added them".to_owned(),
            ),
            Misconception::PowerAsProduct => (
                format!("{a} to the power of {b}"),
                (a * b).to_string(),
                a.pow(b).to_string(),
                "I did the one times the other".to_owned(),
            ),
            Misconception::SmallerFromLarger => return columns(a, b),
            Misconception::MeanOfSpeeds => (
                format!("the average speed, going there at {a} and back at {b} miles an hour"),
                decimal(a + b, 2),
                fraction(2 * a * b, a + b)?,
                "it is in the middle of the two".to_owned(),
            ),
        };
        Some(Problem { question, wrong, right, because })
    }

    /// Words, in plain form, that point at what the pupil overlooks. Each helps once.
    pub fn hints(self) -> &'static [&'static str] {
        match self {
            Misconception::LeftToRight => LEFT_TO_RIGHT,
            Misconception::AddDenominators => ADD_DENOMINATORS,
            Misconception::LongerIsLarger => LONGER_IS_LARGER,
            Misconception::NegativeProduct => NEGATIVE_PRODUCT,
            Misconception::PercentReturns => PERCENT_RETURNS,
            Misconception::PerimeterForArea => PERIMETER_FOR_AREA,
            Misconception::SquareOfSum => SQUARE_OF_SUM,
            Misconception::PowerAsProduct => POWER_AS_PRODUCT,
            Misconception::SmallerFromLarger => SMALLER_FROM_LARGER,
            Misconception::MeanOfSpeeds => MEAN_OF_SPEEDS,
        }
    }
}

const LEFT_TO_RIGHT: &[&str] =
    &["first", "before", "order", "multiply", "multiplication", "times", "brackets", "groups"];
const ADD_DENOMINATORS: &[&str] = &[
    "common denominator",
    "same denominator",
    "same size",
    "pieces",
    "slices",
    "half",
    "denominator",
    "pizza",
    "cake",
    "larger than",
];
const LONGER_IS_LARGER: &[&str] = &[
    "tenths",
    "tenth",
    "place",
    "places",
    "hundredths",
    "zero",
    "money",
    "dollars",
    "cents",
    "line",
    "first digit",
];
const NEGATIVE_PRODUCT: &[&str] = &[
    "pattern",
    "opposite",
    "two negatives",
    "sign",
    "signs",
    "debt",
    "turn",
    "direction",
    "times minus 1",
    "take away",
];
const PERCENT_RETURNS: &[&str] = &[
    "of what",
    "new price",
    "which number",
    "of which",
    "after",
    "price now",
    "larger number",
    "percent of",
];
const PERIMETER_FOR_AREA: &[&str] =
    &["squares", "tiles", "cover", "inside", "rows", "row", "around", "carpet", "floor", "surface"];
const SQUARE_OF_SUM: &[&str] =
    &["first", "brackets", "sum", "times itself", "together", "draw", "side", "whole"];
const POWER_AS_PRODUCT: &[&str] =
    &["how many times", "itself", "multiply", "repeated", "write it out", "each time", "doubling"];
const SMALLER_FROM_LARGER: &[&str] = &[
    "borrow",
    "tens",
    "ten",
    "exchange",
    "regroup",
    "number line",
    "check by adding",
    "ones",
    "take from",
];
const MEAN_OF_SPEEDS: &[&str] =
    &["time", "hours", "longer", "distance", "how long", "slow part", "minutes"];

/// 0.a against 0.bc with b below a: the shorter one is larger.
fn longer(a: u32, b: u32) -> Option<Problem> {
    let tail = b - 1;
    (a > tail).then(|| Problem {
        question: format!("which is larger, 0.{a} or 0.{tail}{b}"),
        wrong: format!("0.{tail}{b}"),
        right: format!("0.{a}"),
        because: format!("{tail}{b} is more than {a}").trim_start_matches('0').to_owned(),
    })
}

/// A difference in which the lower ones digit is the larger.
fn columns(a: u32, b: u32) -> Option<Problem> {
    let (upper, lower) = (50 + 10 * (a % 4) + b - 1, 20 + 10 * (a % 2) + b + 1);
    let tens = upper / 10 - lower / 10;
    Some(Problem {
        question: format!("{upper} - {lower}"),
        wrong: (10 * tens + 2).to_string(),
        right: (upper - lower).to_string(),
        because: "I took the small one from the big one each time".to_owned(),
    })
}

/// `n / parts` with as many decimals as it needs, at most two.
fn decimal(n: u32, parts: u32) -> String {
    let hundredths = n * 100 / parts;
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `n / parts` where two decimals are enough for it.
fn fraction(n: u32, parts: u32) -> Option<String> {
    (n * 100).is_multiple_of(parts).then(|| decimal(n, parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customer::plain;

    #[test]
    fn answers_are_worked_out() {
        let pair = |kind: Misconception, numbers: &[u32]| {
            kind.problem(numbers).map(|problem| (problem.wrong, problem.right))
        };
        let some = |wrong: &str, right: &str| Some((wrong.to_owned(), right.to_owned()));
        assert_eq!(pair(Misconception::LeftToRight, &[2, 3, 4]), some("20", "14"));
        assert_eq!(pair(Misconception::AddDenominators, &[2, 3]), some("2/5", "5/6"));
        assert_eq!(pair(Misconception::LongerIsLarger, &[5, 2]), some("0.12", "0.5"));
        assert_eq!(pair(Misconception::NegativeProduct, &[3, 4]), some("minus 12", "12"));
        assert_eq!(pair(Misconception::PercentReturns, &[25]), some("100", "93.75"));
        assert_eq!(pair(Misconception::PerimeterForArea, &[3, 5]), some("16", "15"));
        assert_eq!(pair(Misconception::SquareOfSum, &[2, 3]), some("13", "25"));
        assert_eq!(pair(Misconception::PowerAsProduct, &[3, 4]), some("12", "81"));
        assert_eq!(pair(Misconception::SmallerFromLarger, &[1, 3]), some("32", "28"));
        assert_eq!(pair(Misconception::MeanOfSpeeds, &[20, 30]), some("25", "24"));
        assert_eq!(pair(Misconception::MeanOfSpeeds, &[30, 30]), None);
        assert_eq!(pair(Misconception::PerimeterForArea, &[4, 4]), None, "both are 16");
        assert_eq!(pair(Misconception::LeftToRight, &[2, 3]), None);
    }

    #[test]
    fn every_kind_has_problems_and_hints_in_plain_form() {
        for kind in Misconception::ALL {
            let (low, high) = kind.range();
            let pairs = (low..=high).flat_map(|a| (low..=high).map(move |b| [a, b, low]));
            let n = pairs
                .filter(|numbers| kind.problem(&numbers[..kind.n_numbers()]).is_some())
                .count();
            assert!(n >= 11, "{kind}: {n}");
            assert!(kind.hints().len() >= 6);
            for hint in kind.hints() {
                assert_eq!(plain(hint), *hint);
            }
        }
    }
}
