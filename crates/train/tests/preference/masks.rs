//! Which tokens of a pair are learned.

use stateset_core::Message;
use stateset_nn::ChatFormat;
use stateset_train::{Dialogue, SftRow, chat_format, read_pairs};

use crate::support::tiny;

fn format() -> ChatFormat {
    chat_format(&tiny(), None).expect("a template")
}

fn text(format: &ChatFormat, row: &SftRow, learned: bool) -> String {
    let chosen = row.tokens.iter().zip(&row.mask).filter(|(_, mask)| **mask == learned);
    let ids: Vec<u32> = chosen.map(|(token, _)| *token).collect();
    format.tokenizer().decode(&ids, false).expect("text")
}

const PAIR: &str = r#"{"chosen": [
    {"role": "user", "content": "My order is late."},
    {"role": "assistant", "content": "What is your order number?"},
    {"role": "user", "content": "It is 1234."},
    {"role": "assistant", "content": "Thank you, it comes today."},
    {"role": "user", "content": "Good."},
    {"role": "assistant", "content": "Goodbye!"}],
  "rejected": [
    {"role": "user", "content": "My order is late."},
    {"role": "assistant", "content": "What is your order number?"},
    {"role": "user", "content": "It is 1234."},
    {"role": "assistant", "content": "Thank you, but no."}]}"#;

#[test]
fn only_what_the_assistant_says_after_the_parting_is_learned() {
    let format = format();
    let pair = read_pairs(&PAIR.replace('\n', " ")).unwrap().remove(0);
    let chosen = pair.chosen.rows(&format, 1000).unwrap();
    let rejected = pair.rejected.rows(&format, 1000).unwrap();
    assert_eq!((chosen.len(), rejected.len()), (1, 1));
    let (chosen, rejected) = (&chosen[0], &rejected[0]);
    assert_eq!(text(&format, chosen, true), "Thank you, it comes today.<|end|>Goodbye!<|end|>");
    assert_eq!(text(&format, rejected, true), "Thank you, but no.<|end|>");
    let common = "<|user|>My order is late.<|end|><|assistant|>What is your order number?<|end|>\
        <|user|>It is 1234.<|end|><|assistant|>";
    let prompt = |row: &SftRow| row.mask.iter().position(|mask| *mask).unwrap();
    let n_prompt = prompt(chosen);
    assert_eq!(prompt(rejected), n_prompt);
    assert_eq!(chosen.tokens[..n_prompt], rejected.tokens[..n_prompt]);
    assert_eq!(format.tokenizer().decode(&chosen.tokens[..n_prompt], false).unwrap(), common);
    // Sampling would have read the very same tokens.
    let said = ["My order is late.", "It is 1234."].map(Message::user);
    let asked = Message::assistant("What is your order number?");
    let [first, second] = said;
    let sampled = format.prompt(&[first, asked, second], &[]).unwrap();
    assert_eq!(chosen.tokens[..n_prompt], sampled);
    // Nothing is read after the last token that is learned.
    assert_eq!(chosen.mask.last(), Some(&true));
    assert!(text(&format, chosen, false).ends_with("<|user|>Good.<|end|><|assistant|>"));
}

#[test]
fn long_rows_lose_their_end() {
    let format = format();
    let pair = read_pairs(&PAIR.replace('\n', " ")).unwrap().remove(0);
    let whole = pair.chosen.rows(&format, 1000).unwrap().remove(0);
    let n_prompt = whole.mask.iter().position(|mask| *mask).unwrap();
    let cut = pair.chosen.rows(&format, n_prompt + 3).unwrap().remove(0);
    assert_eq!(cut.tokens, whole.tokens[..n_prompt + 3]);
    assert_eq!(cut.n_targets(), 3);
    assert_eq!(pair.chosen.rows(&format, n_prompt).unwrap(), []);
}

#[test]
fn texts_are_not_rendered() {
    let format = format();
    let dialogue =
        Dialogue::Text { prompt: "Once upon a time".to_owned(), answer: " there was".to_owned() };
    let row = dialogue.rows(&format, 100).unwrap().remove(0);
    assert!(text(&format, &row, true).starts_with(" there was"));
    assert!(text(&format, &row, false).ends_with("Once upon a time"));
}
