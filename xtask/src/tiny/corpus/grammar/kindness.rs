//! Kind words of agents: for how the customer feels, for what was told, for mistakes, and at the end.

use stateset_env::customer::{Domain, Fault, Mood, Slot};

/// First words to a customer of `mood`. Upset ones hear that their trouble is understood.
#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(in super::super) fn acknowledgements(mood: Mood, domain: Domain) -> &'static [&'static str] {
    match (mood, domain) {
        (Mood::Calm, Domain::Sales) => &[
            "Sure, I can help you with that.",
            "[Thank you|Thanks] for your interest.",
            "I am [happy|glad] to help[ you with that|].",
            "Of course, I am [happy|glad] to help.",
            "Thank you for [your message|writing to us|asking].",
        ],
        (Mood::Calm, _) => &[
            "I am sorry to hear that.",
            "[I am sorry|Sorry] about that.",
            "Thank you for [your message|writing to us|telling us].",
            "Of course, I can help you with that.",
            "Sure, I am [happy|glad] to help[ you|].",
            "I am [happy|glad] to help you with that.",
        ],
        (Mood::Cheerful, Domain::Sales) => &[
            "Thank you for your [kind|friendly] message!",
            "Nice to hear from you!",
            "I am [happy|glad] to help[ you|]!",
            "[Sure|Of course], with pleasure!",
            "Great, [thank you|thanks] for asking!",
            "[Hello|Hi], I am [happy|glad] to help you!",
        ],
        (Mood::Cheerful, _) => &[
            "Thank you for your [kind|friendly] message!",
            "I am sorry about that, and thank you for being so [kind|friendly].",
            "Sure, I am [happy|glad] to help!",
            "Thank you for taking it so well!",
            "[Hello|Hi], I am [happy|glad] to help you!",
            "I am sorry to hear that, but we can fix it!",
        ],
        (Mood::Worried, Domain::Sales) => &[
            "Do not worry, [I will help you|I am here to help|we will find the right one].",
            "I understand that you want to be sure.",
            "I understand how you feel.",
            "I understand, it is not easy to choose.",
            "No need to worry, I am [happy|glad] to help.",
            "I understand that you are [a bit |]worried.",
            "I [can imagine|know] that it is not easy.",
        ],
        (Mood::Worried, _) => &[
            "I understand that you are [worried|nervous].",
            "I am sorry that you are [so |]worried.",
            "I am sorry [to hear that|about this|about that].",
            "Do not worry, [we will fix this|I am here to help|we will sort this out|I will take care of this].",
            "I can imagine how worried you are.",
            "I [see|understand] why [this|that] worries you.",
            "That must be stressful[ for you|].",
            "No need to worry, I will help you.",
        ],
        (Mood::Annoyed, Domain::Sales) => &[
            "I am sorry that nobody [helped|answered] you.",
            "I am sorry about that.",
            "I understand that you are [a bit |]annoyed.",
            "I understand, and I will keep it short.",
            "I am sorry for the [trouble|bad start].",
            "That [is|sounds] [really |]annoying, and I am sorry.",
        ],
        (Mood::Annoyed, _) => &[
            "I am sorry [for the trouble|about that|about this|to hear that].",
            "I understand how [annoying|frustrating] this is.",
            "That [is|must be|sounds] [really |very |][annoying|frustrating].",
            "You are right, this should not happen.",
            "I apologize for [the trouble|this|that].",
            "My apologies[ for the trouble|].",
            "I would be annoyed too.",
        ],
        (Mood::Angry, Domain::Sales) => &[
            "I am [very |so |]sorry that nobody [helped|answered] you.",
            "I am [very |so |]sorry that you had to ask again.",
            "I understand that you are angry.",
            "I apologize for this, and I will help you now.",
            "You are right, that is not good enough.",
        ],
        (Mood::Angry, _) => &[
            "I am [very|so] sorry [about this|about that|for all the trouble|for the trouble].",
            "I understand [that|why] you are angry.",
            "You have every right to be angry, and I am sorry.",
            "I apologize for [all the trouble|this|that].",
            "I am sorry that we let you down.",
            "You are right to be angry, and I am [very |so |]sorry.",
        ],
    }
}

/// Words after a fact was told.
pub(in super::super) const THANKS: &[&str] = &[
    "Thank you.",
    "Thank you[ very much| for that|].",
    "Thanks[ a lot| for that|].",
    "[Great|Perfect|Good], thank you.",
    "Thank you, {name}.",
    "Thanks, {name}.",
    "Got it[, thank you|].",
    "All right, thank you.",
    "Thank you, that helps.",
];

/// Words that show that the fact `told` was read.
pub(in super::super) fn receipts(told: Slot) -> &'static [&'static str] {
    match told {
        Slot::OrderNumber => &[
            "Thank you, I have found order {order}.",
            "Thanks, I have order {order} here.",
            "Thank you, I see order {order}.",
        ],
        Slot::Item => {
            &["Thank you, so it is the {item}.", "I see, the {item}.", "The {item}, thank you."]
        }
        Slot::Email => &["Thank you, I have found {email}.", "Thank you, {email} is on my list."],
        Slot::Postcode => {
            &["Thank you, I have {postcode}.", "So you live in {postcode}, thank you."]
        }
        Slot::Reason => {
            &["I see, {reason}.", "I see, thank you for telling me.", "Thank you for telling me."]
        }
        Slot::NewAddress => &["Thank you, I have {address}.", "{address}, thank you."],
        Slot::Size => &["Thank you, size {size}.", "Size {size}, thank you."],
        Slot::Color => &["Thank you, so in {color}.", "{color} is a good choice."],
        Slot::Quantity => &["Thank you, so it is {quantity}.", "{quantity} is a good number."],
        Slot::Device => &["Thank you, so it is your {device}.", "I see, it is your {device}."],
        Slot::SinceWhen => &["I see, so it started {since}.", "Thank you, so it began {since}."],
        Slot::Version => &["Thank you, I know version {version}.", "I see, version {version}."],
        Slot::ErrorCode => &["Thank you, I know error {error}.", "I see, error {error}."],
        Slot::Light => &["I see, the light is {light}.", "Thank you, so the light is {light}."],
        Slot::Name => &["Thank you, {name}.", "Nice to meet you, {name}."],
        Slot::Budget => &["Thank you, so {budget} at most.", "{budget} is a good budget."],
        Slot::Use => &["I see, for {use}.", "For {use}, that is good to know."],
    }
}

/// Words after the agent did `fault`.
pub(in super::super) fn apologies(fault: Fault) -> &'static [&'static str] {
    match fault {
        Fault::RepeatedQuestion => &[
            "[I am sorry|Sorry], you told me [that already|before].",
            "My apologies, I see it now.",
            "You are right, I have it here.",
            "[I am sorry|Sorry], I have it now.",
        ],
        Fault::RepeatedTurn => &[
            "[I am sorry|Sorry], I said that before.",
            "You are right, I am sorry.",
            "My apologies, let us go on.",
        ],
        Fault::WrongHelp => &[
            "[I am sorry|Sorry], that was my mistake.",
            "I am sorry, now I understand.",
            "My apologies, that was wrong.",
            "You are right, that was the wrong thing.",
        ],
        Fault::Premature => &[
            "You are right, I was too fast.",
            "[I am sorry|Sorry], I was too fast.",
            "You are right, I need that first.",
            "Of course, my mistake.",
        ],
        Fault::Confusing => &[
            "[I am sorry|Sorry], one thing after the other.",
            "You are right, that was too much.",
            "My apologies, let us go step by step.",
        ],
        Fault::Unkind => &[
            "You are right, I am [very |so |]sorry.",
            "I am sorry, I should have said that first.",
            "I am [very |so |]sorry about all this.",
            "Please forgive me, I do understand.",
        ],
        _ => &[
            "You are right, let us go on.",
            "[I am sorry|Sorry], I will help you now.",
            "I am sorry about that.",
            "My apologies, let us do it now.",
        ],
    }
}

/// Words after the customer said yes to an offer.
pub(in super::super) const GOING_AHEAD: &[&str] =
    &["Great.", "All right.", "Good.", "Very well.", "Of course.", "With pleasure.", "Perfect."];

/// Why a fact is asked for.
pub(in super::super) const PURPOSES: &[&str] = &[
    "Then I can help you right away.",
    "Then we can go on.",
    "That helps me a lot.",
    "Then I know what to do.",
    "It will not take long.",
];

/// The question for anything else.
pub(in super::super) const MORE_HELP: &[&str] = &[
    "Is there anything else I can [do for you|help you with]?",
    "Can I help you with anything else?",
    "Is there anything else[ you need|]?",
    "Do you need anything else?",
    "Is there something else I can do[ for you|]?",
    "Do you have any other questions?",
    "Can I do anything else for you[ today|]?",
    "Please tell me if you need anything else.",
];

/// Last words to a customer whose problem is solved.
pub(in super::super) const FAREWELLS: &[&str] = &[
    "You are welcome[, {name}|]. Have a [nice|great|good|lovely] day!",
    "You are [very |]welcome. Have a [nice|great|good|lovely] day!",
    "You are [very |]welcome. [Goodbye|Take care]!",
    "I am [glad|happy] that I could help. [Have a [nice|good] day|Goodbye]!",
    "My pleasure. Have a [nice|great|good] [day|week]!",
    "[Happy|Glad] to help. [Goodbye|Take care]!",
    "Thank you for your patience. Have a [nice|good|lovely] day!",
    "With pleasure. [Goodbye|Take care] and [see you soon|all the best]!",
    "Thank you too, {name}. Goodbye!",
    "Any time. Have a [nice|great|good] [day|week]!",
];

/// Last words of an agent that is short with people.
pub(in super::super) const CURT_FAREWELLS: &[&str] =
    &["Goodbye.", "You are welcome.", "All right. Goodbye.", "Good. Bye.", "Fine. Goodbye."];

/// Last words to a customer who gives up.
pub(in super::super) const SORRY_FAREWELLS: &[&str] = &[
    "I am [very |so |]sorry that I could not help you. Goodbye.",
    "I am [very |]sorry[ about this|]. Please write to us again at any time.",
    "I understand. I am sorry that this did not work out.",
    "My apologies. I hope that you find help soon. Goodbye.",
    "I am sorry to see you go. Take care.",
];
