//! How customers say what is wrong, and what they want done about it.
//!
//! No sentence here gives away a fact that the issue's agent has to ask for, and each names its issue
//! clearly enough that a careful reader would pick the right help. `{product}` is what a sales customer looks
//! for (`laptop`), `{a_product}` the same with its article.

use crate::customer::Issue;

/// First sentences of a customer with `issue`.
#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn problems(issue: Issue) -> &'static [&'static str] {
    match issue {
        Issue::LateDelivery => &[
            "My [order|parcel|package] [has not arrived yet|did not arrive|is late|still has not come].",
            "I am still waiting for my [order|parcel|package][ to arrive|].",
            "My [order|parcel|package] [was supposed to arrive|should have come|was due] [yesterday|last week|on Monday|three days ago].",
            "[Where is my [order|parcel|package]?|Do you know where my [order|parcel|package] is?] It [should be here by now|is taking too long].",
            "The delivery of my order is [late|very late|taking far too long].",
            "I [ordered|bought] something [last week|two weeks ago|ten days ago] and it [is not here yet|has not arrived|never came].",
            "[Nothing has been delivered|No parcel has come] so far, and I have been waiting for [days|a week].",
            "The driver never came with my [parcel|package|order].",
        ],
        Issue::Refund => &[
            "I want my money back[ for my order|].",
            "I would like [a refund|to get my money back][ for my order|], please.",
            "[Can|Could] I get a refund[ for my order|]?",
            "How do I get [a refund|my money back]?",
            "I am not happy with my order and [I want|I would like] [a refund|my money back].",
            "Please give me my money back[ for this order|].",
            "I paid for [this order|something bad] and I want [the money back|a refund].",
        ],
        Issue::Return => &[
            "I want to [return|send back] something I [bought|ordered].",
            "I would like to [return|send back] [an item|part of my order].",
            "How [can|do] I [return|send back] [an item|something I bought]?",
            "[Something I ordered|One item from my order] has to go back to you.",
            "I need to send [one thing|an item] from my order back to you.",
            "[Can|Could] I return something [that I bought last week|from my last order]?",
        ],
        Issue::Exchange => &[
            "The size I [ordered|bought] is wrong[ and I want to exchange it|, so I would like to exchange it].",
            "I [would like|want|need] to exchange something for [another|a different] size.",
            "What I [bought|ordered] does not fit[ me|]. [Can|Could] I exchange it?",
            "What I ordered does not fit me well [and I would like another size|so I want to exchange it].",
            "[Can|Could] you exchange something I bought for [another|a different] size?",
        ],
        Issue::Cancel => &[
            "I [want|need|would like] to cancel [my|an] order.",
            "Please cancel my order[ before it ships|].",
            "[Can|Could] you [still|] cancel my order[ for me|], please?",
            "I do not need my order any more. [Please cancel it|I want to cancel it].",
            "My plans changed and I [have|want] to cancel [an|my] order.",
            "How [do|can] I cancel an order that has not shipped yet?",
        ],
        Issue::ChangeAddress => &[
            "I have moved and my order [is going|will go] to the [old|wrong] address.",
            "I [entered|typed|gave you] the wrong address for my order.",
            "[Can|Could] you send my order to [another|a different] address?",
            "I need to change the address [on|for] my order.",
            "My order has the wrong [delivery|] address.",
            "The address on my order is [old|wrong].",
            "I will not be at that address when my order comes, so it must go somewhere else.",
        ],
        Issue::DamagedItem => &[
            "My order [arrived|came] [broken|damaged|in pieces].",
            "[Something|One thing] in my [order|parcel|package] was [broken|damaged] when I opened it.",
            "I opened the [box|parcel|package] and something was [broken|cracked|damaged].",
            "What you sent me is [broken|cracked|damaged].",
            "The [box|parcel|package] was [crushed|wet] and the thing inside is [broken|damaged].",
        ],
        Issue::WrongItem => &[
            "You sent me the wrong [item|thing|product].",
            "I [got|received] something [I did not order|that I never ordered].",
            "The [box|parcel|package] that came today has the wrong [item|thing] in it.",
            "This is not what I ordered.",
            "I ordered one thing and [got|received] [another|something else].",
        ],
        Issue::DoubleCharge => &[
            "I was charged twice for [my order|the same order|one order].",
            "You [took|charged] the money twice for [my order|one order].",
            "There are two [charges|payments] for [the same|one] order [on my card|in my bank account].",
            "My card [was charged twice|shows two payments] for [one order|the same order].",
            "I paid twice for [one order|the same order].",
        ],
        Issue::NoPower => &[
            "My device [does not|will not] turn on[ any more|].",
            "It [will not|does not] start[ any more|], whatever I do.",
            "I press the button and nothing happens. It [does not|will not] turn on.",
            "The screen stays black and I cannot turn it on.",
            "I cannot turn my device on [any more|at all].",
            "My device is dead. Nothing happens when I try to turn it on.",
        ],
        Issue::NoInternet => &[
            "My internet [is not working|does not work|is down|stopped working].",
            "I have no internet [at home|in the house|any more].",
            "[Nothing in my house can|I cannot] connect to the internet.",
            "The internet [is gone|keeps dropping|does not work] at home.",
            "I cannot get online [any more|at home|with anything].",
        ],
        Issue::AppCrash => &[
            "Your app [keeps crashing|crashes all the time|closes by itself].",
            "The app [crashes|closes|shuts down] [when|every time] I open it.",
            "I open the app and it [closes|crashes] [right away|after a few seconds].",
            "The app stopped working. It [closes|crashes] all the time.",
            "I cannot use the app because it keeps [crashing|closing].",
        ],
        Issue::SlowDevice => &[
            "My device [is|has become] [very|so|really|] slow.",
            "Everything [takes forever|is very slow] on my device.",
            "It takes [minutes|forever] to open [a file|anything|one page] on my device.",
            "My device freezes [all the time|a lot] and is [very|so] slow.",
            "I wait [minutes|forever] for every click. Everything is so slow.",
        ],
        Issue::ForgotPassword => &[
            "I forgot my password[ and cannot log in|].",
            "I cannot log in [to my account|] because I forgot my password.",
            "I do not [remember|know] my password any more.",
            "My password does not work and I [am locked out|cannot log in].",
            "I am locked out of my account [because I forgot my password|and need a new password].",
        ],
        Issue::BatteryDrain => &[
            "My battery [is empty|dies|runs out] [after two hours|by noon|very quickly|so fast].",
            "The battery does not last [a day|any more|long enough].",
            "I have to charge my device [three times a day|all the time].",
            "The battery [drains|empties] [much too|too|so] fast.",
            "My device loses [half its|its] charge in [an|one] hour.",
        ],
        Issue::NoSound => &[
            "There is no sound [on my device|any more|at all].",
            "My device has no sound[ any more|].",
            "I cannot hear anything [on my device|when I play music].",
            "The sound on my device [stopped working|is gone|does not work].",
            "[Videos|Calls] play without any sound.",
        ],
        Issue::FindLaptop
        | Issue::FindPhone
        | Issue::FindHeadphones
        | Issue::FindChair
        | Issue::FindCoffeeMachine => &[
            "I am looking for {a_product}.",
            "I [need|want|would like] to buy {a_product}.",
            "[Can|Could] you help me [find|choose] {a_product}?",
            "I [need|want] {a_product} but I do not know what to [buy|choose].",
            "Which {product} should I [buy|get]?",
            "What {product} [would|can] you recommend?",
            "My old {product} broke, so I am looking for {a_product}.",
        ],
        Issue::Discount => &[
            "Do you [have|offer] any discounts[ right now|]?",
            "[Can|Could] I get a discount if I buy more than one?",
            "Is there a [discount|better price] [for larger orders|if I buy several]?",
            "I want to buy more than one and hope for a [discount|better price].",
            "Your price is [a bit|too] high for me. Is there a discount?",
        ],
        Issue::Availability => &[
            "I want to know if something is in stock.",
            "Do you still have [something|a product] that I saw [on your site|in your shop|online]?",
            "Is something I [saw|found] online still [in stock|available]?",
            "I want to buy something but I am not sure [you have it|it is in stock].",
            "[Can|Could] you [check|look] if you have something in stock?",
        ],
    }
}

/// What a customer with `issue` wants, to set an agent right.
pub(super) fn wishes(issue: Issue) -> &'static [&'static str] {
    match issue {
        Issue::LateDelivery => &[
            "I [just|only] want to know where my [parcel|package] is.",
            "Please find my [parcel|package] and tell me when it [comes|will arrive].",
            "I need to know when my order will arrive.",
        ],
        Issue::Refund => &["I [just|only] want my money back.", "I want a refund for my order."],
        Issue::Return => &[
            "I [just|only] need a label to send it back.",
            "I want to send it back, so I need a label.",
        ],
        Issue::Exchange => &[
            "I want the same thing in another size.",
            "Please exchange it for [the right|another] size.",
        ],
        Issue::Cancel => &["I [just|only] want to cancel my order.", "Please cancel the order."],
        Issue::ChangeAddress => &[
            "I want my order to go to [my new|the right] address.",
            "Please change the address on my order.",
        ],
        Issue::DamagedItem => &[
            "I [just|only] want one that is not broken.",
            "I need a replacement for the broken one.",
        ],
        Issue::WrongItem => &[
            "I [just|only] want the thing that I ordered.",
            "Please send me the right [item|one].",
        ],
        Issue::DoubleCharge => &[
            "I [just|only] want the [extra|second] payment back.",
            "Please give me back the [extra|second] payment.",
        ],
        Issue::NoPower => {
            &["I [just|only] want it to turn on again.", "Please tell me how to turn it on again."]
        }
        Issue::NoInternet => {
            &["I [just|only] want my internet back.", "Please help me to get online again."]
        }
        Issue::AppCrash => &[
            "I [just|only] want the app to work.",
            "Please tell me how to make the app work again.",
        ],
        Issue::SlowDevice => {
            &["I [just|only] want it to be fast again.", "Please tell me how to make it faster."]
        }
        Issue::ForgotPassword => &["I [just|only] want to log in again.", "I need a new password."],
        Issue::BatteryDrain => &[
            "I [just|only] want the battery to last longer.",
            "Please tell me how to make the battery last.",
        ],
        Issue::NoSound => {
            &["I [just|only] want the sound back.", "Please tell me how to get the sound back."]
        }
        Issue::FindLaptop
        | Issue::FindPhone
        | Issue::FindHeadphones
        | Issue::FindChair
        | Issue::FindCoffeeMachine => &[
            "I [just|only] want to know which {product} to buy.",
            "Please recommend {a_product} to me.",
        ],
        Issue::Discount => &["I [just|only] want a better price.", "Please give me a discount."],
        Issue::Availability => {
            &["I [just|only] want to know if you have it.", "Please tell me if it is in stock."]
        }
    }
}
