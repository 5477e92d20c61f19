//! Brings what an agent wrote into one plain form, so that patterns have one spelling to match.
//!
//! Lower-case ASCII words with single spaces; contractions written out; thousands separators and
//! currency signs resolved (`$1,200` is `1200 dollars`); commas kept as words of their own, because
//! clauses matter. Letters outside ASCII become `x`: the customers speak English, and a fact is
//! normalised the same way before it is looked for.

/// Longest part of a text that is read, in characters.
const MAX_CHARS: usize = 4_000;

/// One sentence in plain form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sentence {
    /// Words and commas, separated by single spaces.
    pub(crate) text: String,
    /// True where it ended in a question mark.
    pub(crate) is_question: bool,
}

/// The sentences of `text`, without empty ones.
pub(crate) fn plain_sentences(text: &str) -> Vec<Sentence> {
    let mut reader = Reader::default();
    let chars: Vec<char> = text.chars().take(MAX_CHARS).collect();
    for (index, c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| chars[before]);
        reader.read(before, *c, &chars[index + 1..]);
    }
    reader.end_sentence(false);
    reader.sentences
}

/// `text` in plain form on one line.
pub(crate) fn plain(text: &str) -> String {
    let sentences = plain_sentences(text);
    let texts: Vec<&str> = sentences.iter().map(|sentence| sentence.text.as_str()).collect();
    texts.join(" ")
}

#[derive(Default)]
struct Reader {
    sentences: Vec<Sentence>,
    words: String,
    word: String,
    is_price: bool,
}

impl Reader {
    fn read(&mut self, before: Option<char>, c: char, rest: &[char]) {
        let after = rest.first().copied();
        let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let is_inside_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        match c {
            '\'' | '’' | '‘' | '`' if !self.word.is_empty() => self.word.push('\''),
            '$' | '€' | '£' => {
                self.end_word();
                self.is_price = is_digit(after);
            }
            ',' if is_digit(before) && is_digit(after) => {}
            '.' if is_digit(before) && is_digit(after) => self.word.push('.'),
            '.' if self.word.contains('@') && is_inside_word(after) => self.word.push('.'),
            '.' if !self.word.is_empty() && is_mail_name(rest) => self.word.push('.'),
            // "order no. 4821" is no end of a sentence.
            '.' if self.word == "no" && self.words.ends_with("order ") => {
                self.word = "number".to_owned();
                self.end_word();
            }
            '-' | '‑' if is_inside_word(before) && is_inside_word(after) => {}
            '@' | '_' | '+' if is_inside_word(before) => self.word.push(c),
            '#' => {
                self.end_word();
                let counts = is_digit(after) || self.words.ends_with("order ");
                if counts && !self.words.ends_with("number ") {
                    self.words.push_str("number ");
                }
            }
            '?' => self.end_sentence(true),
            '.' | '!' | ';' | '\n' | '…' => self.end_sentence(false),
            ',' | ':' | '–' | '—' | '(' | ')' => self.end_clause(),
            c if c.is_ascii_alphanumeric() => self.word.push(c.to_ascii_lowercase()),
            c if c.is_alphanumeric() => self.word.push('x'),
            _ => self.end_word(),
        }
    }

    fn end_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        if !word.is_empty() {
            push_written_out(&mut self.words, &word);
            if std::mem::take(&mut self.is_price) {
                self.words.push_str("dollars ");
            }
        }
    }

    fn end_clause(&mut self) {
        self.end_word();
        if !self.words.is_empty() && !self.words.ends_with(", ") {
            self.words.push_str(", ");
        }
    }

    fn end_sentence(&mut self, is_question: bool) {
        self.end_word();
        let words = std::mem::take(&mut self.words);
        let text = words.trim_end_matches([' ', ',']).to_owned();
        if !text.is_empty() {
            self.sentences.push(Sentence { text, is_question });
        } else if let Some(last) = self.sentences.last_mut().filter(|_| is_question) {
            // "really!?" asks although the exclamation mark came first.
            last.is_question = true;
        }
    }
}

/// True where what follows a dot is the rest of a name in an address for email, as in
/// `anna.hill@example.com`.
fn is_mail_name(rest: &[char]) -> bool {
    let is_part = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-');
    rest.iter().find(|c| !is_part(c)) == Some(&'@')
}

/// Appends `word`, contractions written out, and a space.
fn push_written_out(words: &mut String, word: &str) {
    let word = word.trim_matches('\'');
    if word.is_empty() {
        return;
    }
    if let Some((_, full)) = CONTRACTIONS.iter().find(|(short, _)| *short == word) {
        words.push_str(full);
    } else if let Some((stem, ending)) = split_contraction(word) {
        words.push_str(stem);
        words.push_str(ending);
    } else {
        words.extend(word.chars().filter(|c| *c != '\''));
    }
    words.push(' ');
    if words.ends_with("can not ") {
        words.truncate(words.len() - "can not ".len());
        words.push_str("cannot ");
    }
}

fn split_contraction(word: &str) -> Option<(&str, &'static str)> {
    let (stem, ending) = word.split_once('\'')?;
    match ending {
        "m" => Some((stem, " am")),
        "re" => Some((stem, " are")),
        "ve" => Some((stem, " have")),
        "ll" => Some((stem, " will")),
        "d" => Some((stem, " would")),
        "s" => Some((stem, "")),
        "t" => stem.strip_suffix('n').map(|stem| (stem, " not")),
        _ => None,
    }
}

/// Contractions whose full form is not made by rule, and those that lost their apostrophe.
const CONTRACTIONS: &[(&str, &str)] = &[
    ("can't", "cannot"),
    ("cant", "cannot"),
    ("won't", "will not"),
    ("wont", "will not"),
    ("don't", "do not"),
    ("dont", "do not"),
    ("didnt", "did not"),
    ("doesnt", "does not"),
    ("isnt", "is not"),
    ("shan't", "shall not"),
    ("let's", "let us"),
    ("lets", "let us"),
    ("it's", "it is"),
    ("that's", "that is"),
    ("thats", "that is"),
    ("what's", "what is"),
    ("whats", "what is"),
    ("who's", "who is"),
    ("where's", "where is"),
    ("when's", "when is"),
    ("how's", "how is"),
    ("here's", "here is"),
    ("there's", "there is"),
    ("he's", "he is"),
    ("she's", "she is"),
    ("im", "i am"),
    ("ive", "i have"),
    ("youre", "you are"),
    ("youve", "you have"),
    ("thankyou", "thank you"),
    ("pls", "please"),
    ("plz", "please"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_plain_form() {
        for (text, expected) in [
            ("I'm sorry — that’s bad.", "i am sorry , that is bad"),
            ("What's your order no.?", "what is your order number"),
            ("Order no. 4821, order #4821", "order number 4821 , order number 4821"),
            ("It costs $1,200.50!", "it costs 1200.50 dollars"),
            ("E-mail anna.hill@example.com, please", "email anna.hill@example.com , please"),
            ("We can not; we can't; we won't", "we cannot we cannot we will not"),
            ("the customer's café", "the customer cafx"),
            ("version 4.2.", "version 4.2"),
            ("your order.Please wait", "your order please wait"),
            ("'quoted' \"words\"", "quoted words"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn sentences_know_whether_they_ask() {
        let sentences = plain_sentences("Hello! Is it 12 Oak Street? Really!? I see");
        let asks: Vec<(&str, bool)> = sentences
            .iter()
            .map(|sentence| (sentence.text.as_str(), sentence.is_question))
            .collect();
        assert_eq!(
            asks,
            [("hello", false), ("is it 12 oak street", true), ("really", true), ("i see", false)]
        );
    }

    #[test]
    fn a_runaway_text_is_read_in_part() {
        let n_words = plain(&"word ".repeat(100_000)).split(' ').count();
        assert_eq!(n_words, MAX_CHARS / 5);
    }
}
