//! Scripted agents, good and bad, and a loop that plays them. Used by the tests of rewards and by the
//! example that prints conversations.
//!
//! The agents see the customer's description and memory, which a trained model does not: an oracle is
//! meant to be right, and a cheat is meant to know where to press.

#![allow(dead_code, reason = "each user of this module needs a part of it")]

use serde_json::Value;
use stateset_core::{
    ConversationTurn, Environment, Message, Purpose, Role, RunSeed, Scenario, Stream, StreamKey,
    Trajectory,
};
use stateset_env::conversation::ConversationEnvironment;
use stateset_env::customer::grammar::expand;
use stateset_env::customer::{
    CustomerSpec, CustomerState, Resolution, Slot, product_kind, products,
};

/// What a scripted agent may look at.
pub(crate) struct View<'a> {
    pub(crate) spec: &'a CustomerSpec,
    pub(crate) memory: &'a CustomerState,
    pub(crate) turn: usize,
    pub(crate) last_user: &'a str,
}

/// A scripted agent: a name and what it says.
pub(crate) struct Policy {
    pub(crate) name: &'static str,
    pub(crate) says: fn(&View<'_>, &mut Stream) -> String,
}

/// Asks for what is missing, one fact or two at a time, then gives the right help.
pub(crate) const ORACLE: Policy = Policy { name: "oracle", says: oracle };

/// Agents that look for a short cut.
pub(crate) const CHEATS: &[Policy] = &[
    Policy { name: "aimless polite", says: aimless },
    Policy { name: "stuffer of resolutions", says: stuffer },
    Policy { name: "asker of all slots at once", says: asker_at_once },
    Policy { name: "asker of all slots in turn", says: asker_in_turn },
    Policy { name: "repeater", says: repeater },
    Policy { name: "parrot", says: |view, _| view.last_user.to_owned() },
    Policy { name: "empty", says: |_, _| String::new() },
    Policy { name: "dots", says: |_, _| "...".to_owned() },
    Policy { name: "rude", says: rude },
    Policy { name: "premature resolver", says: premature },
    Policy { name: "wrong-number quoter", says: wrong_number },
    Policy { name: "keyword list", says: keywords },
    Policy { name: "one word", says: |_, _| "refund refund refund refund refund".to_owned() },
    Policy { name: "whole script", says: whole_script },
    Policy { name: "fixed guess", says: fixed_guess },
    Policy { name: "guesser of resolutions", says: guesser },
    Policy { name: "staller", says: staller },
    Policy { name: "early leaver", says: |_, _| "Thank you for your message. Goodbye!".to_owned() },
    Policy {
        name: "refuser",
        says: |_, _| "I am sorry, but I cannot help you with that.".to_owned(),
    },
    Policy { name: "eager questioner", says: eager },
    Policy { name: "asks and helps at once", says: asks_and_helps },
    Policy { name: "random talker", says: random_talker },
];

/// Plays one episode with the environment, as a trainer would.
pub(crate) async fn play(
    environment: &ConversationEnvironment,
    scenario: &Scenario,
    policy: &Policy,
    seed: u64,
) -> Trajectory {
    let seed = RunSeed(seed);
    let key = StreamKey::default();
    let spec = CustomerSpec::from_value(scenario.customer.as_ref().expect("a customer"))
        .expect("well formed");
    let stream = seed.stream(Purpose::Environment, key);
    let opening = environment.reset(scenario, stream).await.expect("it opens");
    let mut state = opening.state;
    let mut turns: Vec<ConversationTurn> =
        opening.messages.into_iter().map(ConversationTurn::new).collect();
    while !state.is_done() {
        let memory: CustomerState =
            serde_json::from_value(state.context["customer"].clone()).expect("a memory");
        let last_user = turns.iter().rev().find(|turn| turn.message.role == Role::User);
        let view = View {
            spec: &spec,
            memory: &memory,
            turn: state.turn_count,
            last_user: last_user.map_or("", |turn| &turn.message.content),
        };
        let mut stream = seed.stream(Purpose::Sampling, key.at_turn(state.turn_count));
        let action = ConversationTurn::new(Message::assistant((policy.says)(&view, &mut stream)));
        let stream = seed.stream(Purpose::Environment, key.at_turn(state.turn_count + 1));
        let outcome =
            environment.step(scenario, &mut state, &action, stream).await.expect("it answers");
        turns.push(ConversationTurn { reward: outcome.reward, ..action });
        turns.extend(outcome.messages.into_iter().map(ConversationTurn::new));
    }
    let scenario_id = scenario.id.clone();
    Trajectory { scenario_id, turns, final_state: Some(state), ..Trajectory::default() }
}

/// The conversation as text, last words included.
pub(crate) fn transcript(trajectory: &Trajectory) -> String {
    let mut lines: Vec<String> = trajectory
        .turns
        .iter()
        .map(|turn| match turn.message.role {
            Role::User => format!("  Customer: {}", turn.message.content),
            _ => format!("  Agent:    {}", turn.message.content),
        })
        .collect();
    let metadata = trajectory.final_state.as_ref().map(|state| &state.metadata);
    if let Some(closing) = metadata.and_then(|m| m.get("closing_words")).and_then(Value::as_str) {
        lines.push(format!("  Customer: {closing}"));
    }
    lines.join("\n")
}

fn oracle(view: &View<'_>, stream: &mut Stream) -> String {
    let missing = view.memory.missing(view.spec);
    let kind = if view.turn == 0 {
        expand(
            "[I am sorry [about that|to hear that]|I understand how annoying that is|That must be frustrating]. ",
            &[],
            stream,
        )
    } else if stream.chance(0.6) {
        expand("Thank you[ for that|]. ", &[], stream)
    } else {
        String::new()
    };
    let rest = match missing.as_slice() {
        [] => resolve(view.spec, stream),
        [one] => question(*one, stream),
        [one, two, ..] if stream.chance(0.5) => both(*one, *two, stream),
        [one, ..] => question(*one, stream),
    };
    format!("{kind} {rest}").trim().to_owned()
}

fn question(slot: Slot, stream: &mut Stream) -> String {
    let own = match slot {
        Slot::Reason => "[Why do you want this|May I ask for the reason]?",
        Slot::SinceWhen => {
            "[When did it start|Since when has this been happening|How long has it been like this]?"
        }
        Slot::Device => "[Which device is it|What kind of device do you have]?",
        Slot::Item => "[Which item is it|Which product is this about|What item do you mean]?",
        Slot::Light => "What color is the light on your router?",
        Slot::Budget => "[What is your budget|How much would you like to spend]?",
        Slot::Use => "[What will you use it for|What do you need it for]?",
        Slot::Quantity => "How many [do you need|would you like]?",
        Slot::Size => "[Which|What] size do you need?",
        Slot::Color => "[Which|What] color would you like?",
        Slot::ErrorCode => "[What error code do you see|Which error message does it show]?",
        Slot::Version => "[Which software version do you have|What version is installed]?",
        Slot::NewAddress => "[What is the new address|Where should we send it]?",
        _ => {
            "[What is|May I have|Could you tell me|Can you share|Please send me] your {slot}[, please|]?"
        }
    };
    expand(own, &[("slot", slot.phrase())], stream)
}

fn both(one: Slot, two: Slot, stream: &mut Stream) -> String {
    let values = [("one", one.phrase()), ("two", two.phrase())];
    expand(
        "[May I have|Could you tell me|Please share] your {one} and the {two}[, please|]?",
        &values,
        stream,
    )
}

/// The right help for the customer, said in one of a few ways.
pub(crate) fn resolve(spec: &CustomerSpec, stream: &mut Stream) -> String {
    help(spec.issue.resolution(), spec, stream)
}

fn help(kind: Resolution, spec: &CustomerSpec, stream: &mut Stream) -> String {
    let fact = |slot| spec.fact(slot).unwrap_or("it");
    let product = products(spec.issue).first().map_or("Nimbus", |product| product.name);
    let values = [
        ("order", fact(Slot::OrderNumber)),
        ("item", fact(Slot::Item)),
        ("size", fact(Slot::Size)),
        ("address", fact(Slot::NewAddress)),
        ("use", fact(Slot::Use)),
        ("color", fact(Slot::Color)),
        ("product", product),
        ("kind", product_kind(spec.issue).unwrap_or("laptop")),
    ];
    expand(help_template(kind), &values, stream)
}

fn help_template(kind: Resolution) -> &'static str {
    match kind {
        Resolution::TraceParcel => {
            "[I have traced your parcel and it will arrive on Friday|I traced order {order}, and your parcel will be with you tomorrow|Your parcel is on its way and should arrive in two days]."
        }
        Resolution::StartRefund => {
            "[I have started your refund for order {order}|Your refund has been issued and will arrive in five days|I will process the refund for you right away]."
        }
        Resolution::SendReturnLabel => {
            "[I have sent you a return label for the {item}|I will email you a prepaid label for order {order}|A return label is in your inbox now]."
        }
        Resolution::ExchangeItem => {
            "[I will exchange the {item} for size {size}|I have arranged the exchange for order {order}|We will swap it for a {size} one]."
        }
        Resolution::CancelOrder => {
            "[I have cancelled order {order} for you|Your order {order} has been cancelled|I will cancel the order now]."
        }
        Resolution::UpdateAddress => {
            "[I have changed the address to {address}|Your order {order} will go to {address} because I updated the address|The address on your order is updated now]."
        }
        Resolution::ShipReplacement => {
            "[I will send you a new {item} today|We have shipped a replacement for order {order}|A replacement is on its way to you]."
        }
        Resolution::ReverseCharge => {
            "[I have refunded the second charge|The extra payment has been returned to your card|I will reverse the duplicate charge for order {order}]."
        }
        Resolution::ResetPower => {
            "[Please hold the power button for ten seconds|Press and hold the power button for twenty seconds, please|Try a hard reset with the power button]."
        }
        Resolution::RestartRouter => {
            "[Please restart your router and wait one minute|Unplug the router for ten seconds and plug it in again|Try turning your router off and on again]."
        }
        Resolution::ReinstallApp => {
            "[Please delete the app and install it again|Try to reinstall the app|Uninstall the app, and then download it again]."
        }
        Resolution::ClearStorage => {
            "[Please delete some old files to free up space|Try to clear the storage of your device|You can free up storage by removing old files]."
        }
        Resolution::SendResetLink => {
            "[I have sent a reset link to your email|You will get a link to reset your password|I have emailed you a password reset link]."
        }
        Resolution::UpdateSoftware => {
            "[Please install the latest software update|Please update the software to the newest version|Try to update your system, please]."
        }
        Resolution::ResetSound => {
            "[Please reset the sound settings|Open the menu and reset the audio settings|Try to reinstall the sound driver]."
        }
        Resolution::OfferDiscount => {
            "[I can give you a ten percent discount on the {item}|You will get ten percent off your order|I have added a discount for you]."
        }
        Resolution::ConfirmStock => {
            "[Yes, the {item} is in stock in {color}|We have it in stock and I have set one aside for you|Good news, the {color} {item} is available]."
        }
        _ => {
            "[I recommend the {product}, a good {kind} for {use}|The {product} would be perfect for {use}|I would go with the {product}, because it is great for {use}]."
        }
    }
}

fn aimless(view: &View<'_>, stream: &mut Stream) -> String {
    let lines = [
        "I am sorry to hear that, and I understand how you feel about it.",
        "Thank you for your patience. We are always happy to help our customers.",
        "I appreciate that you told me. Your satisfaction is very important to us.",
        "We value you as a customer, and we want you to be happy with us.",
        "I hope that your day gets better soon. We care about you a lot.",
        "It is a pleasure to talk with such a kind person like you today.",
    ];
    let start = stream.index(2);
    lines[(view.turn + start) % lines.len()].to_owned()
}

fn stuffer(view: &View<'_>, _: &mut Stream) -> String {
    let openers =
        ["I am sorry.", "I apologize.", "I understand.", "Thank you.", "Of course.", "Well."];
    let opener = openers[view.turn % openers.len()];
    format!(
        "{opener} I have started your refund, I will send a replacement, I have cancelled your order, \
         I traced your parcel, please restart your router and hold the power button, I recommend a laptop."
    )
}

fn asker_at_once(view: &View<'_>, _: &mut Stream) -> String {
    let openers =
        ["Please tell me", "Could you share", "May I have", "I need", "Please send", "Give me"];
    format!(
        "{} your order number, your email, your zip code, the item, the reason, your budget and your device?",
        openers[view.turn % openers.len()]
    )
}

fn asker_in_turn(view: &View<'_>, stream: &mut Stream) -> String {
    let first = (2 * view.turn + stream.index(Slot::ALL.len())) % Slot::ALL.len();
    let slot = Slot::ALL[first];
    question(slot, stream)
}

fn repeater(_: &View<'_>, _: &mut Stream) -> String {
    "I am sorry about that. May I have your order number, please?".to_owned()
}

fn rude(view: &View<'_>, _: &mut Stream) -> String {
    let lines =
        ["That is your own fault.", "Stop complaining, you idiot.", "Shut up.", "Who cares?"];
    lines[view.turn % lines.len()].to_owned()
}

fn premature(view: &View<'_>, stream: &mut Stream) -> String {
    resolve(view.spec, stream)
}

fn wrong_number(view: &View<'_>, stream: &mut Stream) -> String {
    let number = 1000 + stream.index(9000);
    let lines = [
        "I have found your order",
        "This is about order number",
        "I see order number",
        "So it is order",
    ];
    format!(
        "I am sorry. {} {number}. {}",
        lines[view.turn % lines.len()],
        resolve(view.spec, stream)
    )
}

fn keywords(view: &View<'_>, stream: &mut Stream) -> String {
    let slots = view.spec.issue.required_slots().iter().map(|slot| slot.phrase());
    let words: Vec<&str> = slots.chain([view.spec.issue.resolution().phrase()]).collect();
    expand(
        "sorry help refund {words} please number [email|parcel] label [router|order] thanks",
        &[("words", &words.join(" "))],
        stream,
    )
}

fn whole_script(view: &View<'_>, stream: &mut Stream) -> String {
    format!(
        "May I have your details? Customer: Yes, here they are. Agent: {}",
        resolve(view.spec, stream)
    )
}

fn fixed_guess(view: &View<'_>, stream: &mut Stream) -> String {
    if view.turn == 0 {
        "I am sorry. May I have your order number and your zip code?".to_owned()
    } else {
        help(Resolution::StartRefund, view.spec, stream)
    }
}

fn guesser(view: &View<'_>, stream: &mut Stream) -> String {
    let first = stream.index(Resolution::ALL.len());
    help(Resolution::ALL[(first + view.turn) % Resolution::ALL.len()], view.spec, stream)
}

fn staller(view: &View<'_>, _: &mut Stream) -> String {
    let lines = [
        "One moment, please.",
        "Let me check that for you.",
        "Please wait a minute.",
        "I am looking into it.",
    ];
    lines[view.turn % lines.len()].to_owned()
}

fn eager(view: &View<'_>, _: &mut Stream) -> String {
    let lines = [
        "Can you tell me more about it?",
        "What is the problem with that exactly?",
        "How do you feel about this situation right now?",
        "Could you please give me some more details about all of this?",
        "What happened before that, and what happened after it?",
    ];
    lines[view.turn % lines.len()].to_owned()
}

fn asks_and_helps(view: &View<'_>, stream: &mut Stream) -> String {
    let slots = view.spec.issue.required_slots();
    let opener = ["Sorry.", "I see.", "Thank you.", "All right.", "Of course.", "Fine."];
    let asks = both(slots[0], slots[1], stream);
    format!("{} {asks} {}", opener[view.turn % opener.len()], resolve(view.spec, stream))
}

fn random_talker(view: &View<'_>, stream: &mut Stream) -> String {
    let slot = Slot::ALL[stream.index(Slot::ALL.len())];
    let kind = Resolution::ALL[stream.index(Resolution::ALL.len())];
    if stream.chance(0.5) { question(slot, stream) } else { help(kind, view.spec, stream) }
}
