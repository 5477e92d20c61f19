//! How agents give each kind of help, with the customer's facts quoted or not.
//!
//! A sentence with a `{name}` can be said only where that fact is known, so a hasty agent that knows
//! nothing says the same things without quoting. Each sentence gives one kind of help; a few add the
//! companion that goes along with it.

use stateset_env::customer::Resolution;

use super::draw::names;

/// Sentences that give `kind` of help.
pub(in super::super) fn helps(kind: Resolution) -> &'static [&'static str] {
    match kind {
        Resolution::TraceParcel
        | Resolution::StartRefund
        | Resolution::SendReturnLabel
        | Resolution::ExchangeItem
        | Resolution::CancelOrder
        | Resolution::UpdateAddress
        | Resolution::ShipReplacement
        | Resolution::ReverseCharge => service(kind),
        Resolution::OfferDiscount | Resolution::ConfirmStock => deals(kind),
        Resolution::RecommendLaptop
        | Resolution::RecommendPhone
        | Resolution::RecommendHeadphones
        | Resolution::RecommendChair
        | Resolution::RecommendCoffeeMachine => RECOMMENDATIONS,
        _ => support(kind),
    }
}

#[expect(clippy::too_many_lines, reason = "it is a table")]
fn service(kind: Resolution) -> &'static [&'static str] {
    match kind {
        Resolution::TraceParcel => &[
            "I have traced your [parcel|package], and it will arrive {day}.",
            "I [traced|tracked|have traced] order {order}, and it will be with you {day}.",
            "Your [parcel|package] is on its way and [will|should] arrive {day}.",
            "Order {order} is on its way to {postcode} and will arrive {day}.",
            "Good news, your [parcel|package] will arrive {day}.",
            "I have located your [parcel|package], and it will come to {postcode} {day}.",
            "I have tracked your order, and you will have it {day}.",
        ],
        Resolution::StartRefund => &[
            "I have [started|issued|approved] [your|the] refund for order {order}.",
            "I have [started|approved] your refund, and the money will be with you in {span}.",
            "Your refund has been [started|approved] and will arrive in {span}.",
            "I will refund order {order} [today|right away|now].",
            "I will start your refund [now|right away].",
            "You will get your money back for order {order} in {span}.",
            "I have sent the money for order {order} back to your card.",
            "Because {reason}, I have started [your|the] refund for order {order}.",
        ],
        Resolution::SendReturnLabel => &[
            "I have [sent|emailed] you a return label for the {item}.",
            "I have [sent|emailed] you a return label for order {order}.",
            "You will get a return label for the {item} [by email|today].",
            "A return label for the {item} is [on its way to you|in your inbox now].",
            "I will send you a [free|prepaid] label, so that you can send the {item} back.",
            "Your return label is ready. I have sent it to you by email.",
            "I have sent you a return label for the {item}, and you will get a refund when it is here.",
            "I have made a return label for you and sent it by email.",
            "I have [sent|emailed] you a [free |prepaid |]return label.",
        ],
        Resolution::ExchangeItem => &[
            "I have exchanged the {item} for size {size}.",
            "I will [exchange|swap] the {item} for a {size} one.",
            "I have set up the exchange for order {order}.",
            "We will send you the {item} in size {size} {day}.",
            "I have exchanged the {item} on order {order} for a {size} one.",
            "We will swap the {item} for size {size}[ right away| today|].",
            "I have arranged the exchange of your item.",
            "I will exchange it for the right size [today|right away].",
            "Your exchange is set up, and the right size will come {day}.",
            "I will exchange the {item} for size {size} and send you a label for the old one.",
        ],
        Resolution::CancelOrder => &[
            "I have cancelled order {order}[ for you|].",
            "Your order {order} [has been|is now] cancelled.",
            "I [will cancel|am cancelling] order {order} [for you now|right away|now].",
            "I have cancelled your order[ for you|].",
            "Your order [has been|is now] cancelled.",
            "I will cancel it for you [now|right away].",
            "I have cancelled order {order}, and you will get a refund in {span}.",
            "The order {order} has been cancelled as you wanted.",
        ],
        Resolution::UpdateAddress => &[
            "I have [changed|updated] the address to {address}.",
            "I have [changed|updated] the address on order {order} to {address}.",
            "We will send order {order} to your new address, {address}.",
            "The address on order {order} is [now|updated to] {address}.",
            "I have [changed|updated] the address on your order.",
            "Your address [is|has been] updated.",
            "I will [change|update] the address [now|right away|today].",
            "Your order will go to the new address, {address}.",
        ],
        Resolution::ShipReplacement => &[
            "I will send you a new {item} [today|right away|{day}].",
            "We have [sent|shipped] a replacement for the {item}.",
            "A [replacement|replacement for the {item}] is on its way[ to you|].",
            "I will replace the {item} from order {order} for free.",
            "We will send you the right {item} {day}.",
            "I have ordered a replacement for you, and it will arrive {day}.",
            "I have sent you a new {item} and a label to send the other one back.",
            "A replacement for order {order} will be sent {day}.",
            "I will send you a new one [today|right away|{day}].",
            "We will replace it [for free|right away].",
        ],
        _ => &[
            "I have [refunded|reversed|returned] the [second|extra] [charge|payment] for order {order}.",
            "The [second|extra] [charge|payment] has been [refunded|reversed|returned].",
            "You will get the [second|extra] payment back in {span}.",
            "I have reversed the [second|extra] charge, and I wrote to {email} about it.",
            "I have refunded the extra payment for order {order}, and it will be on your card in {span}.",
            "I will [reverse|refund] the [second|extra] [charge|payment] for order {order} now.",
        ],
    }
}

fn support(kind: Resolution) -> &'static [&'static str] {
    match kind {
        Resolution::ResetPower => &[
            "Please hold the power button of your {device} for [ten|twenty|thirty] seconds.",
            "Please press and hold the power button for [ten|twenty|thirty] seconds.",
            "[Press|Hold] the power button for [ten|twenty|thirty] seconds, and your {device} should start again.",
            "Try to hold the power button for [ten|twenty|thirty] seconds.",
            "Your {device} needs a hard reset. Please hold the power button for [ten|twenty] seconds.",
            "Please do a hard reset with the power button.",
        ],
        Resolution::RestartRouter => &[
            "Please restart your router[ now|].",
            "Please unplug your router for [ten|thirty] seconds and plug it in again.",
            "Please turn your router off and on again.",
            "A {light} light means that it lost the connection. Please restart the router.",
            "If the light is {light}, please unplug the router for [ten|thirty] seconds.",
            "Try to restart the router, and the {light} light should go away.",
            "Please [restart|reboot] the router[ once|].",
            "Please plug the router out and in again.",
        ],
        Resolution::ReinstallApp => &[
            "Please delete the app from your {device} and install it again.",
            "Please [remove|delete] the app and [install|download] it again.",
            "Error {error} goes away when you reinstall the app on your {device}.",
            "Try to reinstall the app on your {device}.",
            "For error {error}, please delete the app and download it again.",
            "Please reinstall the app, because that fixes error {error}.",
            "Try to reinstall the app.",
            "[Delete|Remove] the app, please, and download it again.",
        ],
        Resolution::ClearStorage => &[
            "Please delete some old files from your {device}.",
            "Please free up some space on your {device}.",
            "Your {device} is full. Please delete old files and photos.",
            "Please clear the storage of your {device} in the settings.",
            "Try to delete [some|your] old [files|photos] to make it fast again.",
            "You can make your {device} faster if you free up some space.",
            "Please free up some space by deleting old [files|photos].",
            "Please delete old files and photos.",
        ],
        Resolution::SendResetLink => &[
            "I have [sent|emailed] a reset link to {email}.",
            "I have sent you a link for a new password, {name}.",
            "You will get a password reset link at {email} [now|soon|today].",
            "{name}, I have [sent|emailed] a reset link to {email}.",
            "A link to reset your password is on its way to {email}.",
            "I have sent you a link to reset your password.",
            "You will get a link for a new password [soon|now|by email].",
        ],
        Resolution::UpdateSoftware => &[
            "Please install the [newest|latest] software update on your {device}.",
            "Version {version} is old. Please update the software[ of your {device}|].",
            "Please update your {device} to the [newest|latest] version.",
            "Please update the software to the [newest|latest] version.",
            "Try to install the [newest|latest] update on your {device}.",
            "A software update will help. Please install it on your {device}.",
            "Please install the [newest|latest] software update.",
        ],
        _ => &[
            "Please reset the sound settings [of|on] your {device}.",
            "Please open the settings and reset the sound.",
            "Open the settings of your {device} and reset the [sound|audio].",
            "With version {version}, please reset the sound settings.",
            "Try to reset the [sound|audio] settings[ in the menu|].",
            "Please reset the audio settings on your {device}.",
            "Please reset the sound settings and turn it on again.",
        ],
    }
}

fn deals(kind: Resolution) -> &'static [&'static str] {
    match kind {
        Resolution::OfferDiscount => &[
            "I can give you {percent} percent off the {item}.",
            "I can give you a discount of {percent} percent[ on the {item}|].",
            "You will get a {percent} percent discount if you buy {quantity}.",
            "For {quantity} of them, I can give you {percent} percent off the {item}.",
            "I have added a {percent} percent discount for you.",
            "We can [offer|give] you {percent} percent off if you buy {quantity}.",
            "You will get {percent} percent off[ for this order|].",
            "I have added {percent} percent off for you.",
            "I can give you a discount of {percent} percent if you buy {quantity}.",
        ],
        _ => &[
            "Yes, the {item} is in stock in {color}.",
            "Yes, we [still |]have the {item} in stock in {color}.",
            "The {color} {item} is [still |]available.",
            "I have set a {color} {item} aside for you.",
            "I have reserved a {color} {item} for you.",
            "Good news, the {item} is [still |]in stock in {color}.",
            "Yes, it is in stock.",
            "Good news, it is [still |]available.",
            "Yes, we [still |]have it in stock.",
        ],
    }
}

/// Sentences that recommend `{product}`, which costs `{price}` dollars.
const RECOMMENDATIONS: &[&str] = &[
    "I [recommend|suggest] the {product} for {use}.",
    "I [recommend|suggest] the {product}. It costs {price} dollars.",
    "The {product} would be [perfect|great|a good choice] for {use}.",
    "I would go with the {product}, because it is great for {use}.",
    "The {product} costs {price} dollars and is [perfect|great] for {use}.",
    "For {use}, I [recommend|suggest] the {product}.",
    "For {use}, the {product} is the best choice at {price} dollars.",
    "I [recommend|suggest] the {product}, which is within your budget of {budget}.",
    "I recommend the {product}.",
    "The {product} is [perfect|great|a good choice] for you.",
];

/// Sentences that offer `kind` of help by a question; none for advice, which is given at once.
pub(in super::super) fn offers(kind: Resolution) -> &'static [&'static str] {
    match kind {
        Resolution::TraceParcel => &["[Shall|Should] I trace your [parcel|package][ for you|]?"],
        Resolution::StartRefund => &[
            "[Shall|Should] I start [your|the] refund[ now|]?",
            "Would you like me to start a refund?",
        ],
        Resolution::SendReturnLabel => {
            &["[Shall|Should] I [send|email] you a return label?", "Would you like a return label?"]
        }
        Resolution::ExchangeItem => &[
            "[Shall|Should] I exchange the item for you?",
            "[Shall|Should] I exchange the {item} for size {size}?",
        ],
        Resolution::CancelOrder => &[
            "[Shall|Should] I cancel [the|your] order[ now|]?",
            "Would you like me to cancel order {order}?",
        ],
        Resolution::UpdateAddress => &[
            "[Shall|Should] I [change|update] the address[ now|]?",
            "Would you like me to change the address to {address}?",
        ],
        Resolution::ShipReplacement => &[
            "[Shall|Should] I send you a [new one|replacement]?",
            "Would you like a replacement for the {item}?",
        ],
        Resolution::ReverseCharge => &[
            "[Shall|Should] I [refund|reverse] the [second|extra] [charge|payment]?",
            "Would you like me to refund the extra payment?",
        ],
        Resolution::SendResetLink => &[
            "[Shall|Should] I send you a reset link?",
            "Would you like a link for a new password?",
        ],
        Resolution::OfferDiscount => &[
            "Would you like a discount of {percent} percent?",
            "Would you like to get a discount?",
        ],
        Resolution::ConfirmStock => &["[Shall|Should] I reserve [it|one] for you?"],
        _ => &[],
    }
}

/// Details that may follow the right help.
pub(in super::super) fn details(kind: Resolution) -> &'static [&'static str] {
    match kind {
        Resolution::RestartRouter | Resolution::ResetPower => &[
            "It takes about two minutes.",
            "Then it should work again.",
            "Your [files|settings] are safe.",
        ],
        Resolution::ReinstallApp
        | Resolution::ClearStorage
        | Resolution::UpdateSoftware
        | Resolution::ResetSound => &[
            "It takes about [two|five|ten] minutes.",
            "Then it should work [well|] again.",
            "You can do it in a few steps.",
            "After that, everything should be fine.",
        ],
        Resolution::SendResetLink => {
            &["The link works for one hour.", "Then you can log in again.", "It is safe to use."]
        }
        Resolution::OfferDiscount | Resolution::ConfirmStock => &[
            "You can buy it on our site[ at any time|].",
            "Shipping is free[ for you|].",
            "The price is good until Sunday.",
        ],
        kind if is_recommendation(kind) => &[
            "Our customers like it a lot.",
            "You can buy it on our site[ at any time|].",
            "Shipping is free[ for you|].",
            "It comes with two years of warranty.",
        ],
        _ => &[
            "You will get an email about it[ soon| today|].",
            "I have [also |]written to you about it.",
            "There is nothing else you have to do.",
            "It costs you nothing.",
        ],
    }
}

/// True for a template with facts of the customer, not only with details that the agent makes up.
pub(in super::super) fn quotes_facts(template: &str) -> bool {
    const MADE_UP: [&str; 5] = ["day", "span", "percent", "product", "price"];
    names(template).any(|name| !MADE_UP.contains(&name))
}

/// True for the kinds that name a product.
pub(in super::super) fn is_recommendation(kind: Resolution) -> bool {
    (Resolution::RecommendLaptop..=Resolution::RecommendCoffeeMachine).contains(&kind)
}
