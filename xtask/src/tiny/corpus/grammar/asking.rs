//! How agents ask for facts: direct questions, indirect ones, and the names of facts, in frames.

use stateset_core::Stream;
use stateset_env::customer::{Issue, Slot};

use super::draw::{Values, draw};

/// A question of a customer with `issue` for one fact.
pub(in super::super) fn ask_one(
    slot: Slot,
    issue: Issue,
    is_curt: bool,
    stream: &mut Stream,
) -> String {
    let has_noun = !nouns(slot).is_empty();
    let asks_directly = stream.chance(if is_curt { 0.6 } else { 0.45 });
    let (frames, parts): (&[&str], _) = match (asks_directly, is_curt) {
        (false, true) if has_noun => (CURT_FRAMES, nouns(slot)),
        (false, false) if has_noun && stream.chance(0.6) => (NOUN_FRAMES, nouns(slot)),
        (false, false) => (CLAUSE_FRAMES, clauses(slot, issue)),
        _ => (&["{one}?"], questions(slot, issue)),
    };
    framed(frames, &[parts], stream)
}

/// A question for two facts.
pub(in super::super) fn ask_two(slots: [Slot; 2], issue: Issue, stream: &mut Stream) -> String {
    let have_nouns = slots.iter().all(|slot| !nouns(*slot).is_empty());
    if stream.chance(0.25) {
        framed(TWO_QUESTION_FRAMES, &slots.map(|slot| questions(slot, issue)), stream)
    } else if have_nouns && stream.chance(0.6) {
        framed(TWO_NOUN_FRAMES, &slots.map(nouns), stream)
    } else {
        framed(TWO_CLAUSE_FRAMES, &slots.map(|slot| clauses(slot, issue)), stream)
    }
}

/// A question for three facts, which is more than customers like.
pub(in super::super) fn ask_three(slots: [Slot; 3], issue: Issue, stream: &mut Stream) -> String {
    framed(THREE_CLAUSE_FRAMES, &slots.map(|slot| clauses(slot, issue)), stream)
}

/// One of `frames` around one of each list of `parts`. `{indirect}` is the first part where it is a
/// question itself, such as "which item it is".
fn framed(frames: &[&str], parts: &[&[&str]], stream: &mut Stream) -> String {
    let mut values = Values::default();
    for (name, templates) in ["one", "two", "three"].into_iter().zip(parts) {
        let part = lower_first(&draw(templates, &Values::default(), stream));
        if name == "one" && (part.starts_with("wh") || part.starts_with("how")) {
            values.set("indirect", part.clone());
        }
        values.set(name, part);
    }
    draw(frames, &values, stream)
}

/// `text` as it stands inside a sentence.
fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// Frames of a polite question for a fact by its name.
const NOUN_FRAMES: &[&str] = &[
    "[May|Can|Could] I have {one}[, please|]?",
    "[Could|Can] you [give me|share] {one}[, please|]?",
    "Please [give|tell] me {one}.",
    "[May|Can] I ask for {one}?",
    "I [just |only |still |]need {one}[ to help you| to go on| first|].",
];
const TWO_NOUN_FRAMES: &[&str] = &[
    "[May|Can|Could] I have {one} and {two}[, please|]?",
    "[Could|Can] you [give me|share] {one} and {two}[, please|]?",
    "Please [give|tell] me {one} and {two}.",
    "I [just |only |]need {one} and {two}[ to help you| to go on| first|].",
];
/// Frames of a polite question around an indirect one.
const CLAUSE_FRAMES: &[&str] = &[
    "[Could|Can|Would] you [please |]tell me {one}?",
    "Please tell me {one}.",
    "Please let me know {one}.",
    "[May|Can] I ask {indirect}?",
    "I [just |only |still |]need to know {one}.",
];
const TWO_CLAUSE_FRAMES: &[&str] = &[
    "[Could|Can|Would] you [please |]tell me {one} and {two}?",
    "Please tell me {one} and {two}.",
    "Please let me know {one} and {two}.",
    "[May|Can] I ask {indirect} and {two}?",
    "I [just |only |]need to know {one} and {two}.",
];
const THREE_CLAUSE_FRAMES: &[&str] = &[
    "[Could|Can|Would] you [please |]tell me {one}, {two} and {three}?",
    "Please tell me {one}, {two} and {three}.",
    "I need to know {one}, {two} and {three}[ first|].",
    "Before we start, please tell me {one}, {two} and {three}.",
];
const TWO_QUESTION_FRAMES: &[&str] = &["{one}, and {two}?", "{one}? And {two}?"];
const CURT_FRAMES: &[&str] = &["{one}?", "I need {one}."];

/// Direct questions, without their mark and capital.
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn questions(slot: Slot, issue: Issue) -> &'static [&'static str] {
    match slot {
        Slot::OrderNumber => &[
            "what is [your|the] order number",
            "what is the number of your order",
            "do you have [your|the] order number[ at hand|]",
            "which order is it[ about|]",
            "which order do you mean",
        ],
        Slot::Item => item_questions(issue),
        Slot::Email => &[
            "what is your email[ address|]",
            "which email do you use[ for your account|]",
            "what email address is on your account",
            "which email is on your account",
        ],
        Slot::Postcode => &[
            "what is [your|the] zip code",
            "which zip code [do you live in|is it]",
            "what is your zip code at home",
        ],
        Slot::Reason => reason_questions(issue),
        Slot::NewAddress => &[
            "what is [the|your] new address",
            "where should we send it",
            "which address should it go to",
            "what is the right address",
            "where should we send your order",
        ],
        Slot::Size => &[
            "[which|what] size do you need",
            "[which|what] size would you like",
            "[which|what] size would fit you",
            "what is the right size",
        ],
        Slot::Color => &[
            "[which|what] color would you like",
            "[which|what] color do you want",
            "[which|what] color is it",
            "[which|what] color are you looking for",
        ],
        Slot::Quantity => &[
            "how many do you [need|want]",
            "how many would you like[ to buy|]",
            "how many of them do you [need|want]",
            "how many do you want to [buy|order]",
        ],
        Slot::Device => &[
            "which device is it",
            "which device do you have",
            "which device are you using",
            "what kind of device [is it|do you have|are you using]",
        ],
        Slot::SinceWhen => &[
            "when did [it|this|that] [start|begin]",
            "since when have you had this",
            "how long has [it been like this|this been going on]",
            "when did you first notice it",
            "when did the problem [start|begin]",
        ],
        Slot::Version => &[
            "which software version [is it|do you have|is installed]",
            "what version do you have",
            "what is the software version",
            "which version does it run",
        ],
        Slot::ErrorCode => &[
            "which error code do you see",
            "what is the error code",
            "which error code does it show",
            "what error code is on the screen",
        ],
        Slot::Light => &[
            "what color is the light on [the|your] router",
            "what color is the router light",
            "which color does the light on the router have",
            "what color does the router light show",
        ],
        Slot::Name => &[
            "what is your [full |]name",
            "what is the name on your account",
            "may I have your [full |]name",
        ],
        Slot::Budget => &[
            "what is your budget",
            "how much [do you want|would you like] to [spend|pay]",
            "how much can you spend",
            "what price range do you have in mind",
        ],
        Slot::Use if issue == Issue::FindHeadphones => &[
            "what [will|would] you use them for",
            "what do you need them for",
            "what do you want to use them for",
            "how will you use them",
        ],
        Slot::Use => &[
            "what [will|would] you use it for",
            "what do you need it for",
            "what do you want to use it for",
            "how will you use it",
        ],
    }
}

fn item_questions(issue: Issue) -> &'static [&'static str] {
    match issue {
        Issue::Return => &[
            "which item is it",
            "which item [do you want|would you like] to [return|send back]",
            "what would you like to [return|send back]",
        ],
        Issue::Exchange => &[
            "which item is it",
            "which item does not fit",
            "which item [do you want|would you like] to exchange",
        ],
        Issue::DamagedItem => &[
            "which item is it",
            "which item is [broken|damaged]",
            "which item came [broken|damaged]",
            "what is broken",
        ],
        Issue::WrongItem => &[
            "which item did you order",
            "what did you order",
            "which item did you want",
            "which item should have come",
        ],
        Issue::Discount => &[
            "which [item|product] is it",
            "which [item|product] do you want to buy",
            "which [item|product] would you like[ to buy|]",
        ],
        Issue::Availability => &[
            "which [item|product] is it",
            "which [item|product] do you mean",
            "which [item|product] are you looking for",
            "what are you looking for",
        ],
        _ => &["which item is it", "which item do you mean", "which item is it about"],
    }
}

fn reason_questions(issue: Issue) -> &'static [&'static str] {
    match issue {
        Issue::Refund => &[
            "why do you want a refund",
            "what is the reason[ for that|]",
            "what is the reason for the refund",
            "may I ask why",
            "may I ask for the reason",
        ],
        Issue::Cancel => &[
            "why do you want to cancel",
            "why would you like to cancel",
            "what is the reason[ for that|]",
            "may I ask why",
            "may I ask for the reason",
        ],
        _ => &["what is the reason[ for that|]", "may I ask why", "may I ask for the reason"],
    }
}

/// Indirect questions, to go after "tell me".
fn clauses(slot: Slot, issue: Issue) -> &'static [&'static str] {
    match slot {
        Slot::OrderNumber => &["your order number", "the order number", "the number of your order"],
        Slot::Item => item_clauses(issue),
        Slot::Email => &["your email[ address|]", "the email on your account"],
        Slot::Postcode => &["your zip code", "the zip code"],
        Slot::Reason => match issue {
            Issue::Refund => &["the reason", "why you want a refund", "why you want it back"],
            Issue::Cancel => &["the reason", "why you want to cancel"],
            _ => &["the reason", "the reason for that"],
        },
        Slot::NewAddress => &["the new address", "your new address", "the right address"],
        Slot::Size => &["which size you need", "the size you need", "the right size"],
        Slot::Color => &["which color you want", "the color you want", "which color it is"],
        Slot::Quantity => &["how many you [need|want]", "how many you want to buy"],
        Slot::Device => {
            &["which device it is", "which device you have", "what kind of device it is"]
        }
        Slot::SinceWhen => &["when it started", "when this started", "when it began"],
        Slot::Version => {
            &["the software version", "your software version", "which version you have"]
        }
        Slot::ErrorCode => &["the error code", "which error code you see"],
        Slot::Light => &["the color of the router light", "what color the router light is"],
        Slot::Name => &["your name", "your full name", "the name on your account"],
        Slot::Budget => {
            &["your budget", "how much you [want to|can] spend", "how much you want to pay"]
        }
        Slot::Use if issue == Issue::FindHeadphones => {
            &["what you need them for", "what you will use them for"]
        }
        Slot::Use => &["what you need it for", "what you will use it for"],
    }
}

fn item_clauses(issue: Issue) -> &'static [&'static str] {
    match issue {
        Issue::Return => &["which item it is", "which item you want to [return|send back]"],
        Issue::Exchange => &["which item it is", "which item you want to exchange"],
        Issue::DamagedItem => &["which item it is", "which item is [broken|damaged]"],
        Issue::WrongItem => &["which item you ordered", "which item you wanted"],
        Issue::Discount => &["which [item|product] it is", "which [item|product] you want to buy"],
        Issue::Availability => &["which [item|product] it is", "which [item|product] you mean"],
        _ => &["which item it is", "which item you mean"],
    }
}

/// Names of a fact, to go after "may I have"; empty where it has none that sounds right.
fn nouns(slot: Slot) -> &'static [&'static str] {
    match slot {
        Slot::OrderNumber => &["your order number", "the order number"],
        Slot::Email => &["your email address", "your email"],
        Slot::Postcode => &["your zip code", "the zip code"],
        Slot::NewAddress => &["the new address", "your new address"],
        Slot::Size => &["the right size", "your size"],
        Slot::Version => &["the software version", "your software version"],
        Slot::ErrorCode => &["the error code"],
        Slot::Name => &["your name", "your full name"],
        Slot::Item
        | Slot::Reason
        | Slot::Budget
        | Slot::Color
        | Slot::Quantity
        | Slot::Device
        | Slot::SinceWhen
        | Slot::Light
        | Slot::Use => &[],
    }
}
