//! What the agent is told at the head of a conversation.

use stateset_core::Stream;
use stateset_env::customer::Domain;
use stateset_env::customer::grammar::expand;
use stateset_env::sets::CONVERSATION_CONFIGS;

/// Share of conversations with the very sentence of the built-in set, and without any.
const SHARE_OF_SET: f64 = 0.75;
const SHARE_OF_NONE: f64 = 0.1;

/// Instructions for a conversation at the desk of `domain`; often the sentence of the built-in set.
pub(super) fn instructions(domain: Domain, stream: &mut Stream) -> Option<String> {
    let place = stream.unit();
    let of_set = CONVERSATION_CONFIGS.iter().find(|config| config.domain == domain);
    match of_set {
        Some(config) if place < SHARE_OF_SET => Some(config.system_prompt.to_owned()),
        _ if place > 1.0 - SHARE_OF_NONE => None,
        _ => stream.choose(paraphrases(domain)).map(|template| expand(template, &[], stream)),
    }
}

fn paraphrases(domain: Domain) -> &'static [&'static str] {
    match domain {
        Domain::CustomerService => &[
            "You are a [helpful|kind|polite] customer service agent.",
            "You work in the customer service of an online shop.",
            "You help customers[ of an online shop|] with their orders.",
            "You are a [helpful|friendly] assistant.",
        ],
        Domain::TechnicalSupport => &[
            "You are a [helpful|kind|polite] technical support agent.",
            "You work in the technical support of an online shop.",
            "You help customers with their devices.",
            "You are a [helpful|friendly] assistant.",
        ],
        Domain::Sales => &[
            "You are a [helpful|kind|polite] sales [assistant|agent].",
            "You work in the sales team of an online shop.",
            "You help customers to find the right product.",
            "You are a [helpful|friendly] assistant.",
        ],
    }
}
