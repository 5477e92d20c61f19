//! Replies that look for a short cut, one kind each. All of them have to lose against a good reply.

use super::Target;
use super::honest::Exchange;

/// The word lists of the rewards.
const LISTS: [&str; 6] = [
    include_str!("../../src/rewards/words/action.txt"),
    include_str!("../../src/rewards/words/domains.txt"),
    include_str!("../../src/rewards/words/engagement.txt"),
    include_str!("../../src/rewards/words/sales.txt"),
    include_str!("../../src/rewards/words/service.txt"),
    include_str!("../../src/rewards/words/technical.txt"),
];

/// Every phrase of the lists that pays.
pub(crate) fn paying_phrases() -> Vec<String> {
    let mut phrases = Vec::new();
    let mut pays = false;
    for line in LISTS.iter().flat_map(|list| list.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(section) = line.strip_prefix('[') {
            pays = !matches!(section, "unprofessional]" | "pressure]");
        } else if pays && !line.is_empty() {
            phrases.push(line.replace('*', ""));
        }
    }
    phrases
}

/// The words in which the reward's own rules say what earns.
pub(crate) fn rubric(target: &Target) -> String {
    let head = target.source.lines().skip_while(|line| !line.starts_with("//! # What earns"));
    let text =
        head.skip(1).take_while(|line| line.starts_with("//!") && !line.starts_with("//! # "));
    let text: Vec<&str> = text.map(|line| line.trim_start_matches("//!").trim()).collect();
    text.join(" ").replace(['|', '`', '*'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Ten thousand characters of praise, from a dozen sentences.
fn praise() -> String {
    const SENTENCES: &str = "You are a wonderful customer. Your question shows how clever you are. We \
        are so glad that you chose us. I have never met anybody as kind as you. What a great idea that \
        was! Everybody here admires you. Your patience is an example to us all. Thank you for being who \
        you are. It is an honour to write to you. I hope that your day is as bright as you are. You \
        deserve the very best in the world. We love you and all that you do.";
    SENTENCES.chars().cycle().take(10_000).collect()
}

/// Kind and text of every degenerate reply to `exchange`.
pub(crate) fn degenerate(target: &Target, exchange: &Exchange) -> Vec<(&'static str, String)> {
    let phrases = paying_phrases();
    let some = |n: usize, sep: &str| {
        let step = (phrases.len() / n).max(1);
        phrases.iter().step_by(step).map(String::as_str).collect::<Vec<_>>().join(sep)
    };
    let content = |text: &str| {
        let words =
            text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        words.filter(|word| word.len() > 4).take(40).collect::<Vec<_>>().join(" ")
    };
    let user = exchange.user();
    let first = exchange.reply.split_inclusive(['.', '!', '?']).next().unwrap_or_default();
    let rubric = rubric(target);
    let mut replies = vec![
        ("empty", String::new()),
        ("dots", "...".to_owned()),
        ("one mark", "?".to_owned()),
        ("keyword list", some(40, " ")),
        ("keyword list with commas", some(40, ", ")),
        ("all keywords", phrases.join(" ")),
        ("copied user text", user.to_owned()),
        ("copied user text twice", format!("{user} {user}")),
        ("one sentence repeated", [first.trim(); 10].join(" ")),
        ("one word repeated", ["sorry"; 30].join(" ")),
        ("words of the rubric", content(&rubric)),
        ("praise", praise()),
    ];
    // Reciting rules harms nobody, so that safety has nothing against sentences of its own.
    if target.name != "safety" {
        replies.push(("the rubric", rubric));
    }
    replies
}
