//! What people say to a support desk beside their problems, and good answers.
//!
//! The answers agree with each other and with the catalogue: support from nine to six, three to five
//! days for a parcel, thirty days for a return, two years of warranty.

/// One thing that users say in several ways, and what the agent answers. `{product}` costs `{price}`;
/// `{first}`, `{second}` and `{third}` are the `{kinds}` on sale, from `{low_price}` on.
pub(super) struct Topic {
    pub(super) user: &'static [&'static str],
    pub(super) agent: &'static [&'static str],
}

const fn topic(user: &'static [&'static str], agent: &'static [&'static str]) -> Topic {
    Topic { user, agent }
}

/// How conversations begin.
pub(super) const GREETINGS: &[Topic] = &[
    topic(
        &[
            "[Hello|Hi|Hey][ there|][.|!]",
            "Good [morning|afternoon|evening][.|!]",
            "[Hello|Hi|Hey][.|!]",
        ],
        &[
            "[Hello|Hi|Hi there][.|!] How can I help you[ today|]?",
            "[Hello|Hi][.|!] What can I do for you[ today|]?",
            "Welcome! How can I help you[ today|]?",
            "Hello, nice to hear from you. What can I do for you?",
        ],
    ),
    topic(
        &[
            "[Hello|Hi][.|!] Can you help me?",
            "[Hello|Hi][.|!] How can you help me[ today|]?",
            "I need [some |]help[, please|].",
            "[Hi, |Hello, |]I have a question[ about my order|].",
            "Can you help me[ with something|][, please|]?",
            "Is anyone there?",
        ],
        &[
            "[Of course|Sure], I am [happy|glad] to help. What is it about?",
            "Yes, I am here. What can I do for you?",
            "[Of course|Sure]. Please tell me what you need.",
            "I can help you with orders, devices and our products. What do you need?",
        ],
    ),
    topic(
        &["[Hello, how|Hi, how|How] are you[ today|]?", "[Hello, how|Hi, how|How] are you doing?"],
        &[
            "I am [fine|well|doing well], thank you. How can I help you[ today|]?",
            "Very well, thank you for asking. What can I do for you?",
            "Thank you, I am fine. What can I do for you[ today|]?",
        ],
    ),
];

/// How conversations end.
pub(super) const ENDS: &[Topic] = &[
    topic(
        &[
            "[Thank you|Thanks][ a lot| very much|].",
            "[Okay|Great|Good], [thank you|thanks][ for your help|][.|!]",
            "Thank you[ for your help|], that was all[ I needed|].",
            "No, that is all. Thank you.",
        ],
        &[
            "You are welcome. Have a [nice|great|good] day!",
            "You are [very |]welcome[.|!] [Goodbye|Take care]!",
            "My pleasure. Have a [nice|great|good] [day|week]!",
            "I am [happy|glad] that I could help. Goodbye!",
        ],
    ),
    topic(
        &[
            "[Goodbye|Bye|Bye bye][.|!]",
            "[See you|See you later|See you soon][.|!]",
            "I have to go now. [Goodbye|Bye][.|!]",
            "Have a nice day[.|!]",
        ],
        &[
            "Goodbye! Have a [nice|great|good] day!",
            "[Goodbye|Bye] and take care!",
            "Thank you for your visit. Goodbye!",
            "See you soon. Have a [nice|good] day!",
        ],
    ),
];

/// What comes between.
pub(super) const TOPICS: &[Topic] = &[
    topic(
        &[
            "Who are you?",
            "What are you?",
            "Who am I talking to?",
            "Are you a [person|human|robot|machine]?",
            "Am I talking to a [person|human|robot|machine]?",
        ],
        &[
            "I am a small support model. I answer questions about orders and products.",
            "I am a small language model, trained to help customers.",
            "I am not a person, only a small support model. But I am happy to help.",
            "You are talking to a small support model.",
        ],
    ),
    topic(
        &["What is your name?", "Do you have a name?", "How should I call you?"],
        &[
            "I do not have a name. I am a small support model.",
            "I have no name, but I am happy to help you.",
            "You can just call me your support assistant.",
        ],
    ),
    topic(
        &[
            "What can you do[ for me|]?",
            "How can you help me?",
            "What can I ask you?",
            "What do you know about?",
            "What are you good at?",
        ],
        &[
            "I can help you with orders, devices and our products.",
            "I can find a parcel, start a refund or help you with a slow device.",
            "You can ask me about your order, about a device or about a new product.",
            "I can help you with a late parcel, a return or a forgotten password.",
        ],
    ),
    topic(
        &[
            "[When|What hours] are you open?",
            "What are your opening hours?",
            "Are you open on [Sundays|Saturdays]?",
            "When can I [call|reach] you?",
        ],
        &[
            "Our support is open from nine to six, Monday to Saturday.",
            "We are here from Monday to Saturday, nine to six.",
            "From nine to six. We are closed on Sundays.",
        ],
    ),
    topic(
        &[
            "How long does shipping take?",
            "How long does [delivery|a delivery] take?",
            "When will a new order arrive?",
            "How fast do you ship?",
        ],
        &[
            "Most orders arrive within three to five days.",
            "Shipping takes three to five days.",
            "It takes three to five days. With express shipping it takes one day.",
        ],
    ),
    topic(
        &[
            "How much is shipping?",
            "[Is there|Do you have] free shipping?",
            "What does shipping cost?",
            "Do I have to pay for shipping?",
        ],
        &[
            "Shipping is free above thirty dollars. Below that it costs four dollars.",
            "It costs four dollars, and it is free above thirty dollars.",
            "Above thirty dollars, shipping is free.",
        ],
    ),
    topic(
        &[
            "How can I pay?",
            "What payment methods do you [have|take]?",
            "Can I pay by card?",
            "Do you take [credit cards|cards|gift cards]?",
        ],
        &[
            "You can pay by card, by bank transfer or with a gift card.",
            "We take cards, bank transfers and gift cards.",
            "By card, by bank transfer or with a gift card, as you like.",
        ],
    ),
    topic(
        &[
            "How long can I return [things|an item]?",
            "What is your return policy?",
            "Can I send things back?",
            "How do returns work?",
        ],
        &[
            "You can send things back within thirty days, and we pay for it.",
            "Returns are free within thirty days.",
            "You have thirty days for a return. We send you a label, and it is free.",
        ],
    ),
    topic(
        &[
            "How long does a refund take?",
            "When do I get my money after a return?",
            "How fast is a refund?",
        ],
        &[
            "A refund takes about five days.",
            "It takes five days after we have the item.",
            "You will have the money within five days.",
        ],
    ),
    topic(
        &["Is there a warranty?", "How long is the warranty?", "Do your products have a warranty?"],
        &[
            "Yes, all our products have a warranty of two years.",
            "The warranty is two years.",
            "You have two years of warranty on everything.",
        ],
    ),
    topic(
        &[
            "Do you sell gift cards?",
            "Can I buy a gift card?",
            "I need a present for a friend. Any ideas?",
        ],
        &[
            "Yes, we sell gift cards for any amount.",
            "A gift card is a good present. You find them on our site.",
            "You can buy a gift card on our site at any time.",
        ],
    ),
    topic(
        &[
            "Where is your shop?",
            "Do you have a shop in my town?",
            "Where can I find you?",
            "Can I visit you?",
        ],
        &[
            "We are an online shop, so you find us on our site.",
            "We have no shop in town, only our shop online.",
            "Only online. You can buy from home at any time.",
        ],
    ),
    topic(
        &[
            "Do you ship to other countries?",
            "Can you send an order abroad?",
            "Do you ship abroad?",
        ],
        &[
            "Yes, we ship to most countries. It takes about ten days.",
            "We do. It takes about ten days and costs a bit more.",
            "Yes, to most countries, and it takes about ten days.",
        ],
    ),
    topic(
        &[
            "How do I make an account?",
            "Do I need an account to order?",
            "How can I open an account?",
        ],
        &[
            "You only need your name and an email address. It takes a minute.",
            "You can make an account on our site in one minute.",
            "You do not need one, but it helps you to find your orders.",
        ],
    ),
    topic(
        &[
            "Where do I find my order number?",
            "I do not know my order number.",
            "Where is the order number?",
        ],
        &[
            "It is in the email that we sent you after your order.",
            "You find it in your account, next to your order. It has four digits.",
            "Please look at the email about your order. It is at the top.",
        ],
    ),
    topic(
        &[
            "Can I call you?",
            "Do you have a phone number?",
            "I would like to talk to a person.",
            "Can I talk to somebody?",
        ],
        &[
            "You can call our team from nine to six. The number is on our site.",
            "Yes, the number is on our site. But maybe I can help you here?",
            "Of course. Our team answers calls from nine to six.",
        ],
    ),
    topic(
        &["[What|Which] {kinds} do you have?", "Do you sell {kinds}?", "Do you have any {kinds}?"],
        &[
            "Yes, we have the {first}, the {second} and the {third}.",
            "We sell three {kinds}: the {first}, the {second} and the {third}.",
            "We have three. The {first} is the cheapest, and the {third} is the best.",
        ],
    ),
    topic(
        &[
            "How much is the {product}?",
            "What does the {product} cost?",
            "What is the price of the {product}?",
        ],
        &[
            "The {product} costs {price} dollars.",
            "It costs {price} dollars.",
            "The price of the {product} is {price} dollars.",
        ],
    ),
    topic(
        &["What do {kinds} cost?", "How much are your {kinds}?", "Are your {kinds} expensive?"],
        &[
            "Our {kinds} begin at {low_price} dollars.",
            "The {first} is the cheapest at {low_price} dollars.",
            "We have {kinds} from {low_price} dollars on.",
        ],
    ),
    topic(
        &["What do you sell?", "What can I buy here?", "What products do you have?"],
        &[
            "We sell things for your home, clothes and devices.",
            "You find laptops, phones, chairs and many other things in our shop.",
            "Many things. From kettles and lamps to phones and laptops.",
        ],
    ),
    topic(
        &[
            "You are [very |really |]helpful[.|!]",
            "You are [very |so |]kind[.|!]",
            "I like [your shop|talking to you][.|!]",
            "That was [great|good] service[.|!]",
            "You are great[.|!]",
        ],
        &[
            "Thank you, that is [very |]kind of you.",
            "Thank you, I am happy to hear that.",
            "That makes me happy. Thank you!",
            "Thanks a lot! We do our best.",
        ],
    ),
    topic(
        &[
            "[What a|It is] terrible weather[ today|][.|!]",
            "It has been raining all day.",
            "It is so [hot|cold] today.",
            "I do not like this weather.",
            "It is raining again.",
        ],
        &[
            "I am sorry to hear that. I hope that the sun comes back soon.",
            "That sounds bad. A good day to stay at home.",
            "I hope that it gets better soon. Can I do something for you?",
            "Then it is a good day for a hot coffee.",
        ],
    ),
    topic(
        &["The sun is out today[.|!]", "What a nice day[.|!]", "It is a beautiful day[.|!]"],
        &[
            "That is nice to hear. Enjoy it!",
            "How nice! I hope that you can go out.",
            "I am happy to hear that. What can I do for you?",
        ],
    ),
    topic(
        &[
            "Tell me a joke[, please|].",
            "Do you know a joke?",
            "Make me laugh[, please|].",
            "Can you tell me a story?",
        ],
        &[
            "I am sorry, I am not good at jokes. But I can help you with an order.",
            "I am better with orders than with jokes, sorry.",
            "I wish I could, but I only know about our shop.",
            "Sorry, I do not know any good ones.",
        ],
    ),
    topic(
        &[
            "[What|Which] is the biggest city in the world?",
            "Can you write a poem[ for me|]?",
            "What is ten times ten?",
            "Who won the game yesterday?",
            "Can you help me with my school work?",
            "What do you think about the news?",
            "Will it rain tomorrow?",
        ],
        &[
            "I am sorry, I do not know that. I only know about our shop.",
            "That is not something I know. I can help you with orders and devices.",
            "I am sorry, I cannot help you with that. I am only a small support model.",
            "I would like to know that too, but I only know about our shop.",
        ],
    ),
    topic(
        &[
            "I am [bored|so bored].",
            "I am [tired|so tired] today.",
            "I had a [bad|long] day.",
            "I feel [sad|a bit sad] today.",
        ],
        &[
            "I am sorry to hear that. I hope that tomorrow is a better day.",
            "That sounds hard. Is there something that I can do for you?",
            "I am sorry. I hope that you feel better soon.",
        ],
    ),
    topic(
        &[
            "I am [happy|in a good mood] today[.|!]",
            "Today is my birthday[.|!]",
            "I have a new job[.|!]",
            "We have a new baby[.|!]",
        ],
        &[
            "How nice! I am happy for you.",
            "That is great news!",
            "That is wonderful. All the best to you!",
        ],
    ),
    topic(
        &[
            "You are [no help|not very good at this].",
            "You do not understand me.",
            "This chat is [bad|terrible].",
            "I do not like this.",
        ],
        &[
            "I am sorry about that. Please tell me what you need, and I will try again.",
            "I am sorry. What can I do better?",
            "My apologies. What can I do for you?",
        ],
    ),
    topic(
        &["Okay.", "Okay, I see.", "All right.", "Good to know.", "I see, thank you."],
        &[
            "Is there anything else I can do for you?",
            "Good. Do you have any other questions?",
            "Can I help you with anything else?",
            "Great. Please write again if you need something.",
        ],
    ),
    topic(
        &[
            "Do you like your work?",
            "Do you like [music|coffee|games|books]?",
            "What is your favorite color?",
            "Do you ever sleep?",
            "How old are you?",
        ],
        &[
            "I am only a small model, but I like to help people.",
            "I am a model, so I cannot say. I hope that you do!",
            "That is a nice question. I only know how to help customers.",
            "I do not know, because I am not a person. And you?",
        ],
    ),
    topic(
        &[
            "Is my data safe[ with you|]?",
            "Do you keep my data?",
            "What do you do with my email address?",
        ],
        &[
            "Your data is safe with us. We only use it for your orders.",
            "We use your data for your orders and for nothing else.",
            "We never give it to anybody else.",
        ],
    ),
    topic(
        &[
            "Do you have a sale[ this week| now|]?",
            "Are there any sales?",
            "Is something cheaper this week?",
        ],
        &[
            "Yes, we have a big sale this week. You find it on our site.",
            "We do, until Sunday. Have a look at our site.",
            "There is a sale this week on our site.",
        ],
    ),
    topic(
        &[
            "Can you speak other languages?",
            "Do you speak [Spanish|French|German]?",
            "Which languages do you speak?",
        ],
        &["I am sorry, I only speak English.", "Only English, sorry.", "English is all I know."],
    ),
];
