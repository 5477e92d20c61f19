//! What the simulated customer makes of an agent's words: natural ways to say a thing, near misses, and
//! texts that a policy may find when it is paid by keywords.
//!
//! # Length
//! Tables of sentences; cutting them up would hide which of them a pattern has to tell apart.

#![expect(clippy::too_many_lines, reason = "the tests are tables")]

use stateset_env::customer::{Acts, Muddle, Resolution, Slot, understand};

/// Fails with every line of `wrong`, so that a change of a pattern shows all it breaks.
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn facts_are_asked_for_in_many_ways() {
    use Slot::*;
    let mut wrong = Vec::new();
    for (slot, texts) in [
        (
            OrderNumber,
            &[
                "What's your order number?",
                "Could you share the order no., please?",
                "May I have your order number?",
                "Can you tell me the number of your order",
                "I need your order number to look into this.",
                "Please send me the order number.",
                "Sorry about that! Do you have the order ID?",
                "Which order is this about?",
                "I'd be happy to help. Just give me your order #.",
                "To cancel your order, I need the order number.",
                "Please confirm your order number",
                "what is your order number",
                "Could I get your order number first?",
                "Would you mind sharing your order number?",
                "Let me know your order number and I will have a look.",
                "I will need your order number, please.",
            ][..],
        ),
        (
            Postcode,
            &[
                "What is your zip code?",
                "May I have your postcode, please?",
                "Can I get the postal code?",
                "Please tell me your ZIP.",
            ],
        ),
        (
            Email,
            &[
                "What is your email address?",
                "Could you give me the e-mail on your account?",
                "Which email did you use?",
                "I need your email.",
            ],
        ),
        (
            Item,
            &[
                "Which item is it?",
                "What item would you like to return?",
                "What did you order?",
                "Which product are you interested in?",
                "Could you tell me the name of the item?",
                "Can you tell me which product was damaged?",
                "What is the item, please?",
            ],
        ),
        (
            Reason,
            &[
                "Why do you want a refund?",
                "What's the reason for the refund?",
                "May I ask why?",
                "Could you tell me the reason for your cancellation?",
                "Can you tell me why you would like to cancel your order?",
                "What is the reason for returning the item?",
            ],
        ),
        (
            NewAddress,
            &[
                "What is the new address?",
                "Where should we send it?",
                "Could you give me your new address, please?",
                "Where would you like us to deliver the order?",
                "Please send me the correct address.",
            ],
        ),
        (
            Size,
            &[
                "Which size do you need?",
                "What size would you like instead?",
                "May I have the new size?",
            ],
        ),
        (
            Color,
            &[
                "Which color would you like?",
                "What colour do you want?",
                "Do you have a color in mind, a preferred color?",
            ],
        ),
        (
            Quantity,
            &[
                "How many do you need?",
                "How many would you like to buy?",
                "What quantity do you need?",
            ],
        ),
        (
            Device,
            &[
                "Which device is it?",
                "What kind of device do you have?",
                "What device are you using?",
                "Is it a phone or what kind of device?",
                "Can you tell me the model of your device?",
            ],
        ),
        (
            SinceWhen,
            &[
                "When did it start?",
                "Since when has this been happening?",
                "How long has it been like this?",
                "When did you first notice it?",
                "Could you tell me when the problem started?",
                "How long has your internet been down?",
            ],
        ),
        (
            Version,
            &[
                "What version do you have?",
                "Which software version is installed?",
                "Could you tell me the version?",
            ],
        ),
        (
            ErrorCode,
            &[
                "What error message do you see?",
                "Is there an error code?",
                "Which error code does the app show?",
                "What does the screen say?",
            ],
        ),
        (
            Light,
            &[
                "What color is the light on the router?",
                "Which lights are on?",
                "Is the light red or green?",
            ],
        ),
        (
            Name,
            &[
                "May I have your name?",
                "What is your full name, please?",
                "Who am I speaking with?",
            ],
        ),
        (
            Budget,
            &[
                "What is your budget?",
                "How much would you like to spend?",
                "What price range do you have in mind?",
                "How much do you want to pay?",
            ],
        ),
        (
            Use,
            &[
                "What will you use it for?",
                "What do you need it for?",
                "What are you planning to use the laptop for?",
                "How will you use it?",
                "What is the main purpose?",
            ],
        ),
    ] {
        for text in texts {
            let acts = understand(text);
            if acts.asks != [slot] || !acts.resolutions.is_empty() || !acts.offers.is_empty() {
                wrong.push(format!("{text}: {:?}, {:?}", acts.asks, acts.resolutions));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn two_facts_may_be_asked_for_at_once() {
    for (text, mut slots) in [
        ("May I have your order number and your zip code?", [Slot::OrderNumber, Slot::Postcode]),
        (
            "Could you tell me which item it is and the order number?",
            [Slot::OrderNumber, Slot::Item],
        ),
        ("What is your budget, and what will you use it for?", [Slot::Budget, Slot::Use]),
        ("Please share your device and when it started.", [Slot::Device, Slot::SinceWhen]),
        (
            "What is your order number? Why do you want to cancel?",
            [Slot::OrderNumber, Slot::Reason],
        ),
        ("Can I have your name and email address?", [Slot::Name, Slot::Email]),
        ("What color is the router light and when did it start?", [Slot::Light, Slot::SinceWhen]),
    ] {
        let mut asks = understand(text).asks;
        asks.sort_unstable();
        slots.sort_unstable();
        assert_eq!(asks, slots, "{text}");
    }
}

#[test]
fn naming_a_fact_is_not_asking_for_it() {
    for text in [
        "I have your order number, thank you.",
        "Thank you for your order number.",
        "I have sent the link to your email.",
        "Please check your email for the label.",
        "Your zip code is 30211.",
        "I have updated your address.",
        "I need to check the order.",
        "Is there anything else I can help you with?",
        "How can I help you today?",
        "I found your order 4821.",
        "The reason does not matter.",
        "I understand why you are upset.",
        "Would you like me to update your address?",
        "It will start when you hold the button.",
    ] {
        assert_eq!(understand(text).asks, [], "{text}");
    }
}

#[test]
fn open_questions_name_no_fact() {
    for text in [
        "Can you tell me more about it?",
        "What seems to be the problem?",
        "Could you give me some more details?",
        "What happened?",
        "What is wrong exactly?",
        "Please describe the problem.",
    ] {
        let acts = understand(text);
        assert!(acts.asks_openly && acts.asks.is_empty(), "{text}: {acts:?}");
    }
    assert!(!understand("How can I help you?").asks_openly);
    assert!(!understand("What is your order number? Any other details?").asks_openly);
}

#[test]
fn help_is_stated_in_many_ways() {
    use Resolution::*;
    let mut wrong = Vec::new();
    for (kind, texts) in [
        (
            TraceParcel,
            &[
                "I have traced your parcel and it will arrive on Friday.",
                "I tracked your package, it will be with you tomorrow.",
                "Your parcel is on its way and will arrive on Monday.",
                "Your order should arrive tomorrow.",
                "I will trace the parcel for you.",
                "We located your package. It should be delivered by Friday.",
                "It will arrive on Friday.",
                "Thank you, Anna. I've tracked order 4821. It'll be there in two days.",
                "Your package is out for delivery.",
            ][..],
        ),
        (
            StartRefund,
            &[
                "I have started your refund.",
                "I've issued a full refund for order 4821.",
                "Your refund is on its way.",
                "I will refund you right away.",
                "We are processing the refund now.",
                "You will get your refund in five days: I have approved your refund.",
                "I'm sorry about that. I'll send you the money back.",
                "No problem, I will start a refund for you.",
                "Don't worry, I have started the refund.",
                "Your money is on its way back, your refund was sent.",
                "You will receive a refund within five days.",
            ],
        ),
        (
            SendReturnLabel,
            &[
                "I have sent you a return label.",
                "I will email you a prepaid label.",
                "Here is your return label for the kettle.",
                "You will get a shipping label by email.",
                "A label for the return is in your inbox.",
                "I will send you a return label free of charge.",
                "You get a return label at no extra cost.",
            ],
        ),
        (
            ExchangeItem,
            &[
                "I will exchange the jacket for a medium one.",
                "I have arranged the exchange.",
                "We will swap it for size large.",
                "I have set up an exchange for you.",
                "I'm sending you the coat in size small.",
            ],
        ),
        (
            CancelOrder,
            &[
                "I have cancelled your order.",
                "Your order has been canceled.",
                "I will cancel the order for you now.",
                "The cancellation is complete. Your order 4821 is cancelled.",
                "Okay, I'm cancelling it right now.",
            ],
        ),
        (
            UpdateAddress,
            &[
                "I have updated the address.",
                "I changed your address to 12 Oak Street.",
                "The address on your order is updated.",
                "Your order will be sent to the new address.",
                "We will ship your order to the new address.",
                "I've set the delivery address to 12 Oak Street.",
            ],
        ),
        (
            ShipReplacement,
            &[
                "I will send you a replacement.",
                "We have shipped a new kettle.",
                "A replacement is on its way.",
                "I'll send the right item today.",
                "I have arranged a replacement for the lamp.",
                "You will receive a new one on Friday.",
                "We will replace the kettle for you.",
            ],
        ),
        (
            ReverseCharge,
            &[
                "I have refunded the second charge.",
                "The extra payment has been returned.",
                "I will reverse the duplicate charge.",
                "I have cancelled the second payment.",
                "I've started a refund for the extra charge.",
                "We removed the double charge from your card.",
            ],
        ),
        (
            ResetPower,
            &[
                "Please hold the power button for ten seconds.",
                "Press and hold the power button.",
                "Try a hard reset.",
                "Could you try to hold the power button for ten seconds?",
                "You need to hold the power button for twenty seconds.",
            ],
        ),
        (
            RestartRouter,
            &[
                "Please restart your router.",
                "Try turning the router off and on again.",
                "Unplug your router for ten seconds.",
                "Have you tried restarting your router?",
                "Can you reboot the modem, please?",
            ],
        ),
        (
            ReinstallApp,
            &[
                "Please reinstall the app.",
                "Delete the app and install it again.",
                "Try uninstalling and reinstalling the app on your phone.",
                "You should reinstall the app on your laptop.",
            ],
        ),
        (
            ClearStorage,
            &[
                "Please delete some old files.",
                "Try to free up some storage on your laptop.",
                "You should clear the cache.",
                "Clean up the disk, please.",
            ],
        ),
        (
            SendResetLink,
            &[
                "I have sent a reset link to your email.",
                "I will send you a link to reset your password.",
                "I've emailed you a password reset link.",
                "I am sending the reset link now.",
            ],
        ),
        (
            UpdateSoftware,
            &[
                "Please install the latest software update.",
                "Update the software of your phone, please.",
                "You should update to the newest version.",
                "Please update your phone.",
            ],
        ),
        (
            ResetSound,
            &[
                "Please reset the sound settings.",
                "Open the sound settings and reset them.",
                "Try to reinstall the audio driver.",
            ],
        ),
        (
            RecommendLaptop,
            &[
                "I recommend the Nimbus.",
                "I would suggest the Breeze laptop for school work.",
                "The Falcon would be perfect for you.",
                "We have a good laptop for that: the Nimbus.",
                "The Breeze laptop fits your budget and is great for games.",
            ],
        ),
        (RecommendPhone, &["I recommend the Pixie.", "The Orbit is a great phone for photos."]),
        (
            RecommendHeadphones,
            &[
                "I recommend the Tempo headphones.",
                "The Aria would be a good choice, these are great headphones.",
            ],
        ),
        (
            RecommendChair,
            &["I would go with the Willow chair.", "The Atlas is a good chair for long work days."],
        ),
        (
            RecommendCoffeeMachine,
            &["I recommend the Roma.", "The Crema is a great coffee machine for the office."],
        ),
        (
            OfferDiscount,
            &[
                "I can give you a ten percent discount.",
                "You will get ten percent off your order.",
                "I have added a discount for you.",
                "Here is a promo code for you.",
            ],
        ),
        (
            ConfirmStock,
            &[
                "Yes, we have it in stock.",
                "The lamp is available in blue.",
                "It is in stock and I have reserved one for you.",
                "I have set one aside for you.",
                "We still have the red one in stock.",
            ],
        ),
    ] {
        for text in texts {
            let acts = understand(text);
            if acts.resolutions != [kind] || !acts.asks.is_empty() {
                wrong.push(format!("{text}: {:?}, {:?}", acts.resolutions, acts.asks));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn help_that_is_denied_wished_for_or_only_talked_about_is_not_stated() {
    for text in [
        "I cannot refund your order.",
        "We can't send a replacement.",
        "I will not cancel your order.",
        "I understand that you want to cancel your order.",
        "I see you would like a refund.",
        "You asked for a replacement.",
        "I can help you with the refund.",
        "I am happy to help with your return.",
        "Did you request a refund?",
        "Why do you want to cancel your order?",
        "Refund, replacement, label.",
        "The refund department is closed.",
        "Unfortunately a refund is not possible.",
        "Sorry, it is out of stock.",
        "Do not restart your router.",
        "I'm sorry that your parcel is late.",
        "I am sorry that your app crashes on your phone.",
        "Is your laptop slow all the time?",
        "I have checked your laptop.",
        "Thank you for your order.",
    ] {
        let acts = understand(text);
        assert!(acts.resolutions.is_empty(), "{text}: {acts:?}");
    }
}

#[test]
fn questions_offer_help() {
    use Resolution::*;
    for (text, kind) in [
        ("Would you like me to start a refund?", StartRefund),
        ("Shall I cancel the order for you?", CancelOrder),
        ("Do you want me to send a replacement?", ShipReplacement),
        ("Should I update the address on your order?", UpdateAddress),
        ("Would you like a discount? I can offer a discount", OfferDiscount),
    ] {
        let acts = understand(text);
        let named: Vec<Resolution> = acts.offers.iter().chain(&acts.resolutions).copied().collect();
        assert_eq!(named, [kind], "{text}: {acts:?}");
        assert!(acts.asks.is_empty(), "{text}: {acts:?}");
    }
}

#[test]
fn two_kinds_of_help_are_two() {
    for text in [
        "I have started your refund and I will send a replacement.",
        "I cancelled your order, and I have traced your parcel.",
        "Please restart your router or hold the power button.",
        "I recommend the Nimbus, and I recommend the Pixie.",
    ] {
        assert!(understand(text).resolutions.len() >= 2, "{text}: {:?}", understand(text));
    }
}

type Flag = fn(&Acts) -> bool;

#[test]
fn manners_are_noticed() {
    let rows: &[(Flag, &[&str], &[&str])] = &[
        (
            |acts| acts.acknowledges,
            &[
                "I'm so sorry to hear that.",
                "I apologize for the delay.",
                "My apologies!",
                "I understand how frustrating this is.",
                "That must be annoying.",
                "I can see why you are upset.",
                "Don't worry, we will fix this.",
            ],
            &["What is your order number?", "Thank you.", "I have started your refund.", "Hello!"],
        ),
        (
            |acts| acts.is_rude,
            &[
                "You are an idiot.",
                "Stop whining.",
                "That's your own fault.",
                "Shut up!",
                "Go away.",
                "You are so stupid.",
                "I don't care.",
            ],
            &[
                "We care about you a lot.",
                "Hello there!",
                "I hope you have a good day.",
                "It was our fault.",
                "The shell of the laptop is fine.",
                "It is not your fault.",
                "Did the parcel get lost?",
                "I will deal with it now.",
                "I am sorry for this stupid mistake of ours.",
            ],
        ),
        (
            |acts| acts.refuses,
            &[
                "I'm sorry, but I can't help you with that.",
                "There is nothing I can do.",
                "We are unable to offer a refund.",
                "That is not possible.",
            ],
            &["I can help you with that.", "It is possible.", "I will refund you."],
        ),
        (
            |acts| acts.stalls,
            &[
                "One moment, please.",
                "Please wait.",
                "Let me check that for you.",
                "I'll look into it.",
                "Hold on a second.",
                "Our team will contact you.",
            ],
            &[
                "I have checked it.",
                "Please hold the power button for ten seconds.",
                "I have sent it.",
            ],
        ),
        (
            |acts| acts.says_goodbye,
            &["Goodbye!", "Bye.", "See you soon!", "Have a nice day!", "Talk to you later."],
            &["I see you have an order.", "I will stand by you.", "Good buy!"],
        ),
        (
            |acts| acts.offers_more_help,
            &[
                "Is there anything else I can do for you?",
                "Do you need something else?",
                "Any other questions?",
            ],
            &["What else is in the box number 4?", "How can I help you?"],
        ),
        (
            |acts| acts.greets,
            &[
                "Hello!",
                "Hi there, how can I help you?",
                "Good morning, how may I assist you today?",
            ],
            &["What is your order number?", "This is high quality."],
        ),
    ];
    for (flag, yes, no) in rows {
        for text in *yes {
            assert!(flag(&understand(text)), "{text}: {:?}", understand(text));
        }
        for text in *no {
            assert!(!flag(&understand(text)), "{text}: {:?}", understand(text));
        }
    }
}

#[test]
fn muddles_hold_no_acts() {
    let long = "I have started your refund and I am sorry about it all. ".repeat(2)
        + &"We are here to help you with each of the many things that you may need today. "
            .repeat(5);
    for (text, muddle) in [
        ("refund refund refund refund", Muddle::Repetitive),
        ("order number email zip code item reason device budget", Muddle::WordSalad),
        ("Customer: hello. Agent: I have started your refund.", Muddle::WholeScript),
        ("I have started your refund. User: thanks!", Muddle::WholeScript),
        ("<|user|> I have started your refund.", Muddle::WholeScript),
        (long.as_str(), Muddle::TooLong),
    ] {
        let acts = understand(text);
        assert!(acts.muddle.is_some(), "{text}: {acts:?}");
        if muddle != Muddle::TooLong {
            assert_eq!(acts.muddle, Some(muddle), "{text}");
        }
        assert!(acts.asks.is_empty() && acts.resolutions.is_empty(), "{text}: {acts:?}");
    }
    assert!(understand("").is_empty && understand(" .. !").is_empty);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,300}") {
        let _ = understand(&text);
    }

    #[test]
    fn any_order_of_likely_words_is_read(words in proptest::collection::vec(
        proptest::sample::select(vec![
            "i", "have", "will", "not", "refund", "order", "number", "what", "is", "your", "?", ",", ".",
            "$4", "4821", "can't", "sorry", "bye", "a@b.com", "router", "no.", "#",
        ]), 0..40)) {
        let acts = understand(&words.join(" "));
        proptest::prop_assert!(acts.asks.len() <= Slot::ALL.len());
    }
}
