//! How agents show that they have read what the customer's trouble is.

use stateset_env::customer::Issue;

/// First words that name the trouble of `issue`, for customers of every mood. `{a_kind}` is what a
/// customer looks for, such as `a new laptop`.
#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(in super::super) fn troubles(issue: Issue) -> &'static [&'static str] {
    match issue {
        Issue::LateDelivery => &[
            "I am [very |so |]sorry that your [parcel|package|order] is late.",
            "I am [very |so |]sorry that your [parcel|package] has not come yet.",
            "I am sorry [about the late delivery|for the delay of your order].",
        ],
        Issue::Refund => &[
            "I am [very |so |]sorry that you are not happy with your order.",
            "I understand that you want [your money back|a refund].",
            "I am sorry that your order was not good.",
        ],
        Issue::Return => &[
            "I understand that you want to [send|give] something back.",
            "I am [very |so |]sorry that it was not right for you.",
            "I understand, something has to go back.",
        ],
        Issue::Exchange => &[
            "I am [very |so |]sorry that it does not fit[ you|].",
            "I am [very |so |]sorry that the size is wrong.",
            "I understand that you need [another|a different] size.",
        ],
        Issue::Cancel => &[
            "I understand that you want to cancel[ your order|].",
            "I am sorry that you do not need it any more.",
            "I understand that you do not want the order any more.",
        ],
        Issue::ChangeAddress => &[
            "I understand that the address is wrong.",
            "I see that your order must go somewhere else.",
            "I am sorry about the trouble with the address.",
        ],
        Issue::DamagedItem => &[
            "I am [very |so |]sorry that it [came|arrived] [broken|damaged].",
            "I am [very |so |]sorry that it is [broken|damaged].",
            "I am sorry that your order arrived like that.",
        ],
        Issue::WrongItem => &[
            "I am [very |so |]sorry that you got the wrong [item|thing].",
            "I am [very |so |]sorry that we made a mistake[ with your order|].",
            "I am sorry that this is not what you ordered.",
        ],
        Issue::DoubleCharge => &[
            "I am [very |so |]sorry that you [were charged|had to pay] twice.",
            "I am [very |so |]sorry about the [second|extra] charge.",
            "I understand that there were two payments.",
        ],
        Issue::NoPower => &[
            "I am [very |so |]sorry that it does not [turn on|start].",
            "I am sorry that your device does not [turn on|start].",
            "I understand that the screen stays black.",
        ],
        Issue::NoInternet => &[
            "I am [very |so |]sorry that your internet [is down|does not work].",
            "I am [very |so |]sorry that you cannot get online.",
            "I understand that nothing works without the internet.",
        ],
        Issue::AppCrash => &[
            "I am [very |so |]sorry that the app [crashes|closes][ all the time|].",
            "I am sorry about the trouble with our app.",
            "I understand that you cannot use the app.",
        ],
        Issue::SlowDevice => &[
            "I am [very |so |]sorry that [your device|it] is so slow.",
            "I understand how annoying a slow device is.",
            "I am sorry that everything is so slow[ now|].",
        ],
        Issue::ForgotPassword => &[
            "I am [very |so |]sorry that you [cannot log in|are locked out].",
            "I am sorry that your password does not work.",
            "I understand that you need to log in.",
        ],
        Issue::BatteryDrain => &[
            "I am [very |so |]sorry that the battery does not last[ long|].",
            "I am sorry about the trouble with your battery.",
            "I understand that the battery is empty too fast.",
        ],
        Issue::NoSound => &[
            "I am [very |so |]sorry that there is no sound.",
            "I am [very |so |]sorry that the sound is gone.",
            "I understand that you cannot hear anything.",
        ],
        Issue::FindLaptop
        | Issue::FindPhone
        | Issue::FindHeadphones
        | Issue::FindChair
        | Issue::FindCoffeeMachine => &[
            "I understand that you are looking for {a_kind}.",
            "I see that you need {a_kind}.",
            "I understand that you want {a_kind}.",
            "I know that it is [hard|not easy] to find the right one.",
        ],
        Issue::Discount => &[
            "I understand that you want a better price.",
            "I see that you want to buy more than one.",
            "I understand that the price is important[ to you|].",
        ],
        Issue::Availability => &[
            "I understand that you want to know if we have it.",
            "I see that you found something nice in our shop.",
            "I understand that you want to be sure.",
        ],
    }
}
