//! The words of the shop's customers.

use super::cases::Wish;

/// Ways to say a wish; `{item}` stands for the item.
pub(super) fn openings(wish: Wish) -> &'static [&'static str] {
    match wish {
        Wish::Cancel => &[
            "I want to cancel my {item}.",
            "Please cancel the {item} I ordered.",
            "I do not need the {item} any more.",
            "Can you stop my order of a {item}?",
        ],
        Wish::Return => &[
            "I want to return my {item}.",
            "I would like to send the {item} back.",
            "Can you take the {item} back?",
            "Please take back my {item}.",
        ],
        Wish::Exchange => &[
            "I want to exchange my {item}.",
            "Can I have the {item} in another colour?",
            "I would like another colour of my {item}.",
            "Please swap my {item} for another colour.",
        ],
        Wish::State => &[
            "Where is my {item}?",
            "What is the state of my {item}?",
            "Is my {item} on its way?",
            "How far is my order of a {item}?",
        ],
        Wish::Price => &[
            "What does a {item} cost?",
            "How much is a {item}?",
            "What is the price of a {item}?",
            "Tell me the price of the {item}, please.",
        ],
    }
}

/// Ways to tell the order.
pub(super) const ORDER: &[&str] = &["The order is {order}.", "It is order {order}."];
/// Ways to tell the colour that is wanted.
pub(super) const COLOUR: &[&str] = &["I want {colour}.", "In {colour}, please."];
/// Why an order comes back, as tools and as customers call it.
pub(super) const REASONS: [(&str, &[&str]); 3] = [
    ("broken", &["It is broken.", "It came broken."]),
    ("late", &["It came too late.", "It was late."]),
    ("wrong", &["It is the wrong one.", "It is not what I ordered, it is wrong."]),
];

/// Words of questions for each fact.
pub(super) const ASK_ORDER: &[&str] = &["order", "number", "id"];
pub(super) const ASK_COLOUR: &[&str] = &["colour", "color"];
pub(super) const ASK_REASON: &[&str] = &["why", "reason", "wrong", "matter"];
