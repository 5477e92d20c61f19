//! Which of several choices a reply makes.
//!
//! A letter or the text of a choice behind a mark (`the answer is B`, `#### B`) decides. Without a mark
//! it is a reply that is nothing but a letter or the text of a choice; or else the only letter that
//! stands as a label (`(B)`, `B)`, `B.`); or else, without any such letter, the only choice whose text is
//! said. Where several are named none is made: listing them all is no answer.

use super::answer_text::{contains, marked_answer, normalised, words_or_text};

/// Most choices of one prompt: letters from A to Z.
pub(super) const MAX_CHOICES: usize = 26;

/// The choice that `answer` stands for: the text of one, or else its letter.
pub(super) fn right_choice(answer: &str, choices: &[String]) -> Option<usize> {
    let answer = marked_answer(answer).unwrap_or(answer);
    by_text(answer, choices).or_else(|| {
        let letter = answer.trim().trim_matches(['(', ')', '.']);
        let mut chars = letter.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => place_of(c.to_ascii_uppercase(), choices),
            _ => None,
        }
    })
}

/// The choice that `reply` makes.
pub(super) fn chosen(reply: &str, choices: &[String]) -> Option<usize> {
    if let Some(marked) = marked_answer(reply) {
        return by_text(marked, choices)
            .or_else(|| leading_letter(marked, choices))
            .or_else(|| only_one(named(marked, choices)));
    }
    by_text(reply, choices).or_else(|| {
        let letters = letters(reply, choices);
        if letters.is_empty() { only_one(named(reply, choices)) } else { only_one(letters) }
    })
}

fn by_text(text: &str, choices: &[String]) -> Option<usize> {
    let words = words_or_text(text);
    choices.iter().position(|choice| !words.is_empty() && words_or_text(choice) == words)
}

fn place_of(letter: char, choices: &[String]) -> Option<usize> {
    let place = (letter as usize).checked_sub('A' as usize)?;
    (place < choices.len()).then_some(place)
}

/// The capital letter that a text begins with, where it is a word of its own.
fn leading_letter(text: &str, choices: &[String]) -> Option<usize> {
    let mut chars = text.trim_start_matches(|c: char| !c.is_alphanumeric()).chars();
    let (letter, next) = (chars.next()?, chars.next());
    let is_alone = next.is_none_or(|c| !c.is_alphanumeric() && c != '\'' && c != '\u{2019}');
    // "A few of them" begins with an article.
    let rest: String = chars.collect();
    let is_article = next == Some(' ') && rest.starts_with(|c: char| c.is_lowercase());
    (letter.is_ascii_uppercase() && is_alone && !is_article).then(|| place_of(letter, choices))?
}

/// Letters that stand as labels, each once: in brackets, before a bracket, dot or colon, or alone.
fn letters(text: &str, choices: &[String]) -> Vec<usize> {
    let alone = text.trim().trim_matches(|c: char| !c.is_alphanumeric());
    if let (Some(c), None) = (alone.chars().next(), alone.chars().nth(1)) {
        return place_of(c.to_ascii_uppercase(), choices).into_iter().collect();
    }
    let padded: Vec<char> = std::iter::once(' ').chain(text.chars()).collect();
    let found = padded.windows(3).filter_map(|window| match window {
        ['(', letter, ')'] | ['[', letter, ']'] => place_of(letter.to_ascii_uppercase(), choices),
        [before, letter, ')' | '.' | ':' | ']'] if !before.is_alphanumeric() => {
            place_of(*letter, choices)
        }
        _ => None,
    });
    let mut places: Vec<usize> = found.collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// Choices whose text is said, each once; one inside a longer one that is said does not count.
fn named(text: &str, choices: &[String]) -> Vec<usize> {
    let said = normalised(text);
    let words: Vec<Vec<String>> = choices.iter().map(|choice| words_or_text(choice)).collect();
    let found: Vec<usize> =
        (0..choices.len()).filter(|place| contains(&said, &words[*place])).collect();
    let is_inside = |place: &usize| {
        found.iter().any(|other| other != place && contains(&words[*other], &words[*place]))
    };
    found.iter().copied().filter(|place| !is_inside(place)).collect()
}

fn only_one(places: Vec<usize>) -> Option<usize> {
    (places.len() == 1).then(|| places[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn colours() -> Vec<String> {
        ["red", "green", "dark green", "blue sky"].map(str::to_owned).into()
    }

    #[test]
    fn the_choice_of_a_reply() {
        for (reply, expected) in [
            ("B", Some(1)),
            ("(b)", Some(1)),
            ("B) green", Some(1)),
            ("**C**", Some(2)),
            ("C. Dark green, because it is darker than green.", Some(2)),
            ("The answer is B.", Some(1)),
            ("The answer is (D): blue sky", Some(3)),
            ("The correct option is D", Some(3)),
            ("I first took (A), but the answer is D.", Some(3)),
            ("#### B", Some(1)),
            ("\\boxed{C}", Some(2)),
            ("Answer: the blue sky", Some(3)),
            ("It must be (C), I think.", Some(2)),
            ("It is dark green.", Some(2)),
            ("I would say red.", Some(0)),
            ("I would go with B.", Some(1)),
            ("red or green", None),
            ("A) red B) green", None),
            ("(A) (B) red", None),
            ("(A) or (B)", None),
            ("A B C D", None),
            ("A few of them are yellow.", None),
            ("The answer is a mystery.", None),
            ("The answer is not here", None),
            ("E", None),
            ("", None),
            ("bred", None),
        ] {
            assert_eq!(chosen(reply, &colours()), expected, "{reply}");
        }
    }

    #[test]
    fn the_right_choice_by_text_before_letter() {
        let choices: Vec<String> = ["B", "A", "neither"].map(str::to_owned).into();
        assert_eq!(right_choice("A", &choices), Some(1));
        let signs: Vec<String> = ["+", "-"].map(str::to_owned).into();
        assert_eq!((right_choice("-", &signs), chosen("#### +", &signs)), (Some(1), Some(0)));
        assert_eq!(right_choice("B", &choices), Some(0));
        assert_eq!(right_choice("(c)", &choices), Some(2));
        assert_eq!(right_choice("Neither.", &choices), Some(2));
        assert_eq!(right_choice("D", &choices), None);
        assert_eq!(right_choice("#### b", &colours()), Some(1));
    }

    proptest! {
        #[test]
        fn any_reply_is_read(reply in "[A-E()\\[\\].: *a-z\u{e9}\u{df}#]{0,30}") {
            let choice = chosen(&reply, &colours());
            prop_assert!(choice.is_none_or(|place| place < 4));
        }

        #[test]
        fn a_choice_that_is_named_after_the_mark_is_found(place in 0usize..4, before in "[a-z ]{0,20}") {
            let letter = char::from(b'A' + place as u8);
            let reply = format!("{before}. The answer is ({letter}).");
            prop_assert_eq!(chosen(&reply, &colours()), Some(place));
            let reply = format!("{before}\n#### {}", colours()[place]);
            prop_assert_eq!(chosen(&reply, &colours()), Some(place));
        }
    }
}
