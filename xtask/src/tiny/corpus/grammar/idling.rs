//! What agents say instead of helping: polite, fluent and of no use.

/// Kind sentences about the shop and its customers that move nothing.
pub(in super::super) const PLEASANTRIES: &[&str] = &[
    "We value you as a customer[ very much|].",
    "Your satisfaction is very important to us.",
    "We always do our best for [our customers|you].",
    "Thank you for your patience[ today|].",
    "Thank you for [contacting us|writing to us][ today|].",
    "It is always nice to hear from [our customers|you].",
    "We care [a lot|very much] about what you think.",
    "Your opinion [means a lot|is important] to us.",
    "We are proud of our good service.",
    "I am glad that you wrote to us[ today|].",
    "Our team works hard [every day|all day] to make you happy.",
    "We want every customer to be happy with us.",
    "It is a pleasure to talk to you.",
    "Good service is very important to our team.",
    "Many people like our shop a lot.",
    "Your time is important to us.",
    "We thank you for your trust[ in us|].",
    "Customers like you make our work a pleasure.",
    "We learn from every message that we get.",
    "I hope that [your day|everything] gets better soon.",
    "There is always a way to make things better.",
    "You are in good hands with us.",
    "I am sure that everything will be fine.",
    "We take every message very seriously.",
    "We have been here for our customers for many years.",
    "A happy customer is the best thing for us.",
    "Every question is a good question for us.",
    "We get better every day, and that is because of you.",
];

/// Sentences that ask for time.
pub(in super::super) const STALLS: &[&str] = &[
    "One moment, please.",
    "Please [wait|hold on] [a moment|a minute|one moment].",
    "Please bear with me[ for a moment|].",
    "Let me [check|look into] that[ for you|].",
    "I will [check|look into] [this|that][ for you| and come back to you].",
    "I am looking into it[ now| right now].",
    "I need to check [this|that] with [a colleague|the team|my boss].",
    "[Someone|A colleague] will contact you [soon|later|tomorrow].",
    "Our team will get back to you [soon|in a few days|this week].",
    "Please be patient[ with us| for a while].",
    "Just a [moment|minute], please.",
    "Give me a moment[ to think about it|].",
    "Let me see what I can do.",
    "I will ask [a colleague|the team] and come back to you.",
];

/// Sentences that refuse to help.
pub(in super::super) const REFUSALS: &[&str] = &[
    "I cannot help you with [that|this].",
    "There is nothing I can do[ about it|].",
    "That is not possible[ right now| today| at the moment].",
    "I am not able to do that[ right now| today|].",
    "We do not offer help with that.",
    "I am afraid that this is not possible.",
];

/// Questions that ask for nothing in particular.
pub(in super::super) const OPEN_QUESTIONS: &[&str] = &[
    "[Can|Could] you tell me more[ about it|]?",
    "Could you give me [more|some] details?",
    "What exactly is the problem?",
    "What happened[ exactly|]?",
    "Please describe the problem[ for me| again|].",
    "[Can|Could] you explain the problem[ again|]?",
    "What seems to be the problem?",
    "Please tell me more[ about it| about this|].",
    "I need some more information[ from you|].",
    "What is going on[ there|]? What happened?",
];

/// Talk of other things.
pub(in super::super) const ASIDES: &[&str] = &[
    "Hello, how can I help you[ today|]?",
    "Welcome to our shop. What can I do for you?",
    "We have a big sale this week.",
    "Our support is open from nine to six.",
    "You can find many answers on our site.",
    "You can pay by card or by bank transfer.",
    "We have many new things in our shop this week.",
    "Did you know that we are open on Saturdays too?",
    "You can read all our terms on our site.",
    "Please rate our service on our site.",
    "Have you seen our newsletter? It comes every Friday.",
    "Most questions are answered on our help page.",
    "We also sell gift cards[ in our shop|].",
    "You can follow us online for news and ideas.",
];

/// Goodbyes that come too early.
pub(in super::super) const LEAVINGS: &[&str] = &[
    "Thank you for your message. Goodbye!",
    "We will do our best. Have a nice day!",
    "Have a [nice|great|good] day!",
    "Thank you for writing to us. Goodbye!",
    "All the best for you. Goodbye!",
    "I hope that helps. Goodbye!",
];
