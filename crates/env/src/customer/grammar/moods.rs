//! What moods add to what customers say: greetings, stories, remarks, and how they take and leave.

use crate::customer::{Domain, Mood};

/// Words before everything else.
pub(super) fn greetings(mood: Mood) -> &'static [&'static str] {
    match mood {
        Mood::Calm => &["[Hello|Hi|Good morning|Good afternoon|Hi there]."],
        Mood::Worried => &["[Hello|Hi|Hello there].", "Hello, I [hope|think] you can help me."],
        Mood::Annoyed => &["Hello.", "Hi."],
        Mood::Angry => &["Hello.", "Listen."],
        Mood::Cheerful => &["[Hi there|Hello there|Hi|Hello]!", "Good [morning|afternoon]!"],
    }
}

/// A greeting with the customer's name, `{name}`.
pub(super) fn introductions(mood: Mood) -> &'static [&'static str] {
    match mood {
        Mood::Calm | Mood::Worried => &["[Hello|Hi], [this is|my name is|I am] {name}."],
        Mood::Annoyed | Mood::Angry => &["This is {name}.", "My name is {name}."],
        Mood::Cheerful => &["[Hi|Hello] there, [this is|my name is|I am] {name}!"],
    }
}

/// A sentence about why it matters.
pub(super) fn stories(domain: Domain) -> &'static [&'static str] {
    match domain {
        Domain::CustomerService => &[
            "I have [ordered from you|been a customer] for [years|a long time].",
            "This is my first order with you.",
            "I tried to call you but nobody answered.",
            "It was [a present|meant] for my [sister|mother|friend|son].",
            "I [checked|looked at] my account today.",
        ],
        Domain::TechnicalSupport => &[
            "I work from home and [cannot wait long|need this today].",
            "I have [an exam|an important call] tomorrow.",
            "I already tried everything I know.",
            "I am not good with [computers|these things].",
            "My [son|daughter|friend] could not fix it.",
        ],
        Domain::Sales => &[
            "I have never bought anything here before.",
            "A friend told me about your shop.",
            "It is a present for my [son|daughter|father|friend].",
            "I have been looking [for days|all week].",
            "I like your shop a lot.",
        ],
    }
}

/// How the customer feels about it.
pub(super) fn remarks(mood: Mood, domain: Domain) -> &'static [&'static str] {
    match (mood, domain) {
        (Mood::Calm, _) => &[
            "",
            "",
            "Can you help me?",
            "[Can|Could] you [help me with this|take a look], please?",
        ],
        (Mood::Worried, Domain::Sales) => &[
            "I am [a bit|really] worried that I choose the wrong one.",
            "I am worried about making a mistake.",
            "I am [not sure|unsure] and [a bit|quite] worried.",
        ],
        (Mood::Worried, _) => &[
            "I am [really|a bit|quite|very] worried[ about it|].",
            "I hope this is not a big problem.",
            "I am worried that [this is my fault|nobody can fix this].",
            "Please help, I am [so|very] nervous about this.",
        ],
        (Mood::Annoyed, Domain::Sales) => &[
            "The last shop was no help, and that [annoyed|annoys] me.",
            "It is annoying that nobody [answers|helps] me.",
            "I do not have much time, so please no long talk.",
        ],
        (Mood::Annoyed, _) => &[
            "This is [very|really|so] [annoying|frustrating].",
            "I [expected|expect] better[ from you|].",
            "I do not have time for this.",
            "This should not happen.",
        ],
        (Mood::Angry, Domain::Sales) => &[
            "I asked twice already and nobody [answered|helped] me!",
            "I am angry that I have to ask again!",
            "Your [site|shop] is terrible, and I am [tired|sick] of it!",
        ],
        (Mood::Angry, _) => &[
            "This is [unacceptable|outrageous|a disgrace]!",
            "I am [very|really|so] angry[ about this|]!",
            "I have had enough of this!",
            "I want this fixed now!",
        ],
        (Mood::Cheerful, _) => &[
            "I am sure you can help me!",
            "Thank you for [your help|being there]!",
            "No hurry, though!",
            "It is not the end of the world!",
        ],
    }
}

/// A word before an answer.
pub(super) fn answer_openers(mood: Mood) -> &'static [&'static str] {
    match mood {
        Mood::Calm => &["", "", "Sure.", "Let me see."],
        Mood::Worried => &["", "", "Okay.", "Oh, sure."],
        Mood::Annoyed => &["", "", "Fine.", "All right."],
        Mood::Angry => &["", "", "Fine.", "Well."],
        Mood::Cheerful => &["", "Sure!", "Sure thing!", "Let me see!"],
    }
}

/// Before saying something again.
pub(super) fn again_openers(mood: Mood) -> &'static [&'static str] {
    match mood {
        Mood::Calm => &["I [already told|told] you that.", "As I said before."],
        Mood::Worried => {
            &["I [think|believe] I told you already.", "Did you not read it? I told you."]
        }
        Mood::Annoyed => &["I already told you that.", "Please read what I write.", "Again?"],
        Mood::Angry => {
            &["I already told you that!", "Are you even reading this?", "Again? Read what I wrote!"]
        }
        Mood::Cheerful => &["I think I said that already!", "Oh, I told you that before."],
    }
}

/// After a wrong, early or empty turn.
pub(super) fn sighs(mood: Mood) -> &'static [&'static str] {
    match mood {
        Mood::Calm => &["", "Hm.", "Well."],
        Mood::Worried => &["Oh no.", "Oh.", ""],
        Mood::Annoyed => &["", "Really?", "Come on."],
        Mood::Angry => &["", "Seriously?", "Oh, come on!"],
        Mood::Cheerful => &["Hm.", "Oh!", "Well!"],
    }
}

/// When the agent has not said a kind word.
pub(super) fn asks_for_kindness(mood: Mood) -> &'static [&'static str] {
    match mood {
        Mood::Worried => {
            &["You do not seem to [understand|see] how worried I am.", "I hoped for a kind word."]
        }
        _ => &[
            "You could at least say sorry.",
            "Not even a word of apology?",
            "You do not seem to care.",
        ],
    }
}

/// Last words of a customer whose problem is solved.
pub(super) fn thanks(mood: Mood) -> &'static [&'static str] {
    match mood {
        Mood::Calm => &[
            "Thank you[ for your help|]. That is all I needed.",
            "Great, thank you[ very much|]. Goodbye.",
            "Good, thanks for your help.",
        ],
        Mood::Worried => &[
            "Oh, that is a relief. Thank you[ so much|]!",
            "Thank you, now I feel [much|a lot] better.",
        ],
        Mood::Annoyed => {
            &["Okay, thanks[ for sorting it out|].", "Good. That was quick in the end. Thanks."]
        }
        Mood::Angry => &[
            "Finally. Thank you.",
            "All right, thank you for fixing it.",
            "Okay. At least you helped me. Thanks.",
        ],
        Mood::Cheerful => &[
            "Wonderful, thank you[ so much|]! Have a great day!",
            "Perfect, you are the best! Bye!",
        ],
    }
}

/// Last words of a customer who gives up.
pub(super) fn farewells(mood: Mood) -> &'static [&'static str] {
    match mood {
        Mood::Calm => {
            &["This does not help me. Goodbye.", "I will [try|ask] somewhere else. Goodbye."]
        }
        Mood::Worried => {
            &["I do not think you can help me. Goodbye.", "I have to find help somewhere else."]
        }
        Mood::Annoyed => &["This is a waste of my time. Goodbye.", "Forget it. I give up."],
        Mood::Angry => &[
            "I have had enough! Goodbye!",
            "Forget it! I will never [come back|write to you again]!",
        ],
        Mood::Cheerful => {
            &["I think we are getting nowhere. Bye!", "Never mind, I will ask somebody else. Bye!"]
        }
    }
}
