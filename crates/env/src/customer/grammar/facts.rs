//! How customers tell their facts. `{value}` is the fact.

use crate::customer::Slot;

/// Whole sentences that tell the fact unasked.
pub(super) fn told(slot: Slot) -> &'static [&'static str] {
    match slot {
        Slot::OrderNumber => &[
            "[My|The] order number is {value}.",
            "It is order {value}.",
            "This is about order {value}.",
            "The number of my order is {value}.",
        ],
        Slot::Item => {
            &["It is about the {value}.", "The item is the {value}.", "I mean the {value}."]
        }
        Slot::Email => &[
            "My email is {value}.",
            "The email on my account is {value}.",
            "My email address is {value}.",
        ],
        Slot::Postcode => {
            &["My [zip code|postcode] is {value}.", "The [zip code|postcode] is {value}."]
        }
        Slot::Reason => &["The reason is that {value}.", "I want this because {value}."],
        Slot::NewAddress => &[
            "[My|The] new address is {value}.",
            "I now live at {value}.",
            "It should go to {value}.",
        ],
        Slot::Size => &["I need size {value}.", "[My|The right] size is {value}."],
        Slot::Color => &["I want it in {value}.", "I am looking for the color {value}."],
        Slot::Quantity => &["I need {value} of them.", "I want to buy {value}."],
        Slot::Device => {
            &["It is my {value}.", "The device is my {value}.", "I am talking about my {value}."]
        }
        Slot::SinceWhen => &["It started {value}.", "This began {value}.", "I noticed it {value}."],
        Slot::Version => &[
            "The software version is {value}.",
            "I have version {value}.",
            "It runs version {value}.",
        ],
        Slot::ErrorCode => &[
            "The error code is {value}.",
            "It shows error {value}.",
            "The screen says error {value}.",
        ],
        Slot::Light => &["The light on the router is {value}.", "The router light is {value}."],
        Slot::Name => &["My name is {value}.", "I am {value}."],
        Slot::Budget => &[
            "My budget is {value}.",
            "I can spend up to {value}.",
            "I want to spend {value} at most.",
        ],
        Slot::Use => {
            &["I need it for {value}.", "I want to use it for {value}.", "It is for {value}."]
        }
    }
}

/// Short answers to the question for the fact alone.
pub(super) fn answers(slot: Slot) -> &'static [&'static str] {
    match slot {
        Slot::OrderNumber => {
            &["It is {value}.", "{value}.", "The number is {value}.", "Order {value}."]
        }
        Slot::Item => &["It is the {value}.", "The {value}.", "I mean the {value}."],
        Slot::Email => &["It is {value}.", "You can use {value}.", "My email is {value}."],
        Slot::Postcode => &["It is {value}.", "{value}.", "The [zip code|postcode] is {value}."],
        Slot::Reason => &["Because {value}.", "Well, {value}.", "The reason is that {value}."],
        Slot::NewAddress => {
            &["It is {value}.", "Please use {value}.", "The new address is {value}."]
        }
        Slot::Size => &["Size {value}, please.", "I need a {value}.", "It should be {value}."],
        Slot::Color => &["In {value}, please.", "{value}, please.", "I would like {value}."],
        Slot::Quantity => &["{value}.", "I need {value}.", "{value} of them, please."],
        Slot::Device => &["It is my {value}.", "My {value}.", "It is a {value}."],
        Slot::SinceWhen => &["It started {value}.", "It began {value}.", "{value}."],
        Slot::Version => &["It is version {value}.", "Version {value}.", "It says {value}."],
        Slot::ErrorCode => &["It says {value}.", "The code is {value}.", "Error {value}."],
        Slot::Light => &["It is {value}.", "The light is {value}.", "{value}."],
        Slot::Name => &["My name is {value}.", "It is {value}.", "{value}."],
        Slot::Budget => {
            &["{value}.", "Up to {value}.", "My budget is {value}.", "{value} at most."]
        }
        Slot::Use => &["For {value}.", "I need it for {value}.", "Mostly for {value}."],
    }
}

/// The fact without its value, to go after "you do not know".
pub(super) fn thing(slot: Slot) -> &'static str {
    match slot {
        Slot::OrderNumber => "my order number",
        Slot::Item => "which item it is",
        Slot::Email => "my email",
        Slot::Postcode => "my zip code",
        Slot::Reason => "the reason",
        Slot::NewAddress => "my new address",
        Slot::Size => "the size I need",
        Slot::Color => "the color I want",
        Slot::Quantity => "how many I need",
        Slot::Device => "which device it is",
        Slot::SinceWhen => "when it started",
        Slot::Version => "the software version",
        Slot::ErrorCode => "the error code",
        Slot::Light => "the color of the light",
        Slot::Name => "my name",
        Slot::Budget => "my budget",
        Slot::Use => "what I need it for",
    }
}
