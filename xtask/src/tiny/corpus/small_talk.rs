//! Small talk: a few simple questions with short answers, so that a chat with the model goes well from
//! the first word.

use stateset_core::{Message, Role, Stream};
use stateset_env::customer::{Domain, Issue, product_kind, products};

use super::grammar::{Values, draw};
use super::small_talk_topics::{ENDS, GREETINGS, TOPICS, Topic};

/// Share of conversations of this kind in which the user writes without capitals and full stops.
const SHARE_TYPED_PLAINLY: f64 = 0.25;
/// Most questions between hello and goodbye.
const MAX_TOPICS: usize = 3;

/// A desk that small talk may happen at.
pub(super) fn domain_of_talk(stream: &mut Stream) -> Domain {
    stream.choose(Domain::ALL).copied().unwrap_or(Domain::CustomerService)
}

/// One to four turns of user and agent.
pub(super) fn small_talk(stream: &mut Stream) -> Vec<Message> {
    let mut topics: Vec<&Topic> = Vec::new();
    if stream.chance(0.45) {
        topics.extend(stream.choose(GREETINGS));
    }
    let n_topics = usize::from(topics.is_empty()) + stream.index(MAX_TOPICS);
    let mut others: Vec<&Topic> = TOPICS.iter().collect();
    stream.shuffle(&mut others);
    topics.extend(others.into_iter().take(n_topics));
    if topics.len() > 1 && topics.len() <= MAX_TOPICS && stream.chance(0.5) {
        topics.extend(stream.choose(ENDS));
    }
    topics.into_iter().flat_map(|topic| exchange(topic, stream)).collect()
}

/// A hello and the question what it is about.
pub(super) fn greeting(stream: &mut Stream) -> Vec<Message> {
    let topic = stream.choose(GREETINGS);
    topic.into_iter().flat_map(|topic| exchange(topic, stream)).collect()
}

/// A question and its answer.
fn exchange(topic: &Topic, stream: &mut Stream) -> [Message; 2] {
    let values = product_values(stream);
    let user = draw(topic.user, &values, stream);
    let agent = draw(topic.agent, &values, stream);
    [Message::user(user), Message::assistant(agent)]
}

/// A product of the catalogue and its neighbours, for questions about them.
fn product_values(stream: &mut Stream) -> Values {
    let searches: Vec<Issue> =
        Issue::ALL.iter().copied().filter(|issue| issue.is_product_search()).collect();
    let issue = stream.choose(&searches).copied().unwrap_or(Issue::FindLaptop);
    let kind = product_kind(issue).unwrap_or_default();
    let mut values = Values::default();
    values.set("kinds", if kind.ends_with('s') { kind.to_owned() } else { format!("{kind}s") });
    let names = ["first", "second", "third"].into_iter().zip(products(issue));
    names.for_each(|(name, product)| values.set(name, product.name));
    if let Some(product) = stream.choose(products(issue)) {
        values.set("product", product.name);
        values.set("price", product.price_dollars.to_string());
    }
    if let Some(cheapest) = products(issue).first() {
        values.set("low_price", cheapest.price_dollars.to_string());
    }
    values
}

/// In some conversations, what the user says as people type it who are in a hurry.
pub(super) fn typed_plainly(messages: &mut [Message], stream: &mut Stream) {
    if !stream.chance(SHARE_TYPED_PLAINLY) {
        return;
    }
    for message in messages.iter_mut().filter(|message| message.role == Role::User) {
        let text = message.content.to_lowercase();
        message.content = text.trim_end_matches(['.', '!']).to_owned();
    }
}
