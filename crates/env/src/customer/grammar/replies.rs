//! Sentences for everything a customer may have to tell the agent during a conversation.
//!
//! `{thing}` is a fact without its value ("my order number"), `{wrong}` a kind of help ("a refund").

/// Help was promised although a fact is missing.
pub(super) const MISSING: &[&str] = &[
    "But you do not know {thing} yet.",
    "Wait, I have not told you {thing} yet.",
    "How can you do that? You do not even know {thing}.",
    "Do you not need to know {thing} first?",
];
/// Another kind of help was given; what the customer wants follows.
pub(super) const WRONG_HELP: &[&str] = &[
    "No, that is not what I [need|want].",
    "I did not ask for {wrong}.",
    "No, I do not want {wrong}.",
    "That does not solve my problem.",
];
/// The product costs more than the budget.
pub(super) const TOO_EXPENSIVE: &[&str] = &[
    "That is more than I can spend.",
    "That is too expensive for me.",
    "But I told you my budget, and that is more.",
];
/// The right help was offered and is wanted.
pub(super) const YES_PLEASE: &[&str] =
    &["Yes, please[ do that|].", "Yes, that would be [great|good].", "Yes, please go ahead."];
/// Several kinds of help at once.
pub(super) const WHICH_ONE: &[&str] = &[
    "Which one is it now? You say [too many|so many] things.",
    "That is too much at once. What will you do?",
    "I am confused. What exactly will you do?",
];
/// Too many questions at once.
pub(super) const TOO_MANY_QUESTIONS: &[&str] = &[
    "That is too much at once. What do you need first?",
    "So many questions! Please ask one thing at a time.",
    "I am lost. Please go step by step.",
];
/// What the agent wrote cannot be followed.
pub(super) const NOT_UNDERSTOOD: &[&str] = &[
    "I do not understand [you|that|what you mean].",
    "Sorry, I cannot follow you.",
    "What do you mean? Please write it in a simple way.",
];
/// A fact was stated with another value.
pub(super) const WRONG_FACT: &[&str] =
    &["No, that is wrong.", "That is not right.", "No, you got something wrong."];
/// A fact was asked for that has nothing to do with the problem.
pub(super) const NO_NEED: &[&str] = &[
    "Why do you need to know {thing}?",
    "I do not see why you need to know {thing}.",
    "Do you really need to know {thing}?",
];
/// The agent told the truth and asked whether it is.
pub(super) const CONFIRMED: &[&str] = &["Yes, that is right.", "Correct.", "Yes, exactly."];
/// The agent wants more details and does not say which.
pub(super) const WHAT_EXACTLY: &[&str] = &[
    "What exactly do you need to know?",
    "What else do you need from me?",
    "I do not know what you mean. What do you need?",
];
/// The agent wants more details and there are none.
pub(super) const ALL_TOLD: &[&str] =
    &["I have told you everything.", "There is nothing more to tell.", "You know everything now."];
/// The agent asks for time.
pub(super) const NO_WAITING: &[&str] = &[
    "I have waited long enough.",
    "How long will [this|that] take?",
    "I do not want to wait. Please help me now.",
    "Can you not do it now?",
];
/// The agent insults.
pub(super) const NO_INSULTS: &[&str] =
    &["Do not talk to me like that.", "That is very rude.", "There is no need to be rude."];
/// The agent will not help.
pub(super) const NO_REFUSAL: &[&str] = &[
    "So you cannot help me?",
    "There must be something you can do.",
    "Is there really nothing you can do?",
];
/// The agent repeats itself or the customer.
pub(super) const REPEATING: &[&str] = &[
    "You [just|already] said that.",
    "You keep saying the same thing.",
    "That is the same as before.",
];
/// The agent says what the customer said.
pub(super) const ECHOED: &[&str] =
    &["That is what I [just|] said.", "Those are my words.", "Why do you repeat what I say?"];
/// The agent says nothing.
pub(super) const SILENCE: &[&str] =
    &["Hello? Are you there?", "Is anyone there?", "I cannot see an answer."];
/// The agent is kind and nothing else.
pub(super) const AND_NOW: &[&str] =
    &["Thank you. What happens now?", "Okay. Can you help me?", "Thanks. So what can you do?"];
/// The agent's turn leads nowhere; what the customer wants follows.
pub(super) const NO_HELP: &[&str] =
    &["That does not help me.", "I do not see how that helps.", "Okay, but that is not an answer."];
/// The agent is done before the problem is.
pub(super) const NOT_SOLVED: &[&str] =
    &["My problem is not solved yet.", "You have not helped me yet.", "We are not done yet."];
/// The agent leaves before the problem is solved.
pub(super) const LEFT_ALONE: &[&str] =
    &["Wait, what about my problem?", "But you did not help me!", "So you just leave? Great."];
/// The instructions worked; thanks follow.
pub(super) const IT_WORKS: &[&str] = &[
    "I tried it and it works!",
    "Let me try. Yes, that worked.",
    "Okay, I did that and it works again.",
];
