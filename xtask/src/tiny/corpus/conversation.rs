//! The corpus: conversations by number.
//!
//! Conversation number `index` of a seed is always the same, whatever was drawn before it, so that
//! several threads can make parts of one corpus and a longer corpus begins with the shorter one.

use stateset_core::{Message, Purpose, RunSeed, Stream, StreamKey};
use stateset_env::customer::Domain;

use super::agent_kind::AgentKind;
use super::desk::{Played, agent, customer, play, play_turns};
use super::grammar::weighted;
use super::instructions::instructions;
use super::small_talk::{domain_of_talk, greeting, small_talk, typed_plainly};

/// Kinds of conversations by weight.
const KINDS: [(Plan, u32); 3] = [(Plan::Desk, 80), (Plan::SmallTalk, 14), (Plan::FirstTurn, 6)];
/// Share of first turns that follow a hello of both sides.
const SHARE_GREETED: f64 = 0.35;

/// What a conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A customer of this domain with an agent, to the end.
    Desk(Domain),
    /// Simple questions and kind words.
    SmallTalk,
    /// A customer's first message, perhaps after a hello, and a good answer to it.
    FirstTurn,
}

impl Kind {
    /// Name for tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Desk(domain) => domain.name(),
            Kind::SmallTalk => "small_talk",
            Kind::FirstTurn => "first_turn",
        }
    }
}

/// One conversation of the corpus.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Conversation {
    /// What it is.
    pub(crate) kind: Kind,
    /// Instructions if any, then user and agent in turns.
    pub(crate) messages: Vec<Message>,
    /// The scripted agent, for statistics only.
    pub(crate) agent: AgentKind,
}

/// The first `n` conversations of `seed`.
pub(crate) fn conversations(seed: RunSeed, n: usize) -> impl Iterator<Item = Conversation> {
    (0..n).map(move |index| conversation(seed, index))
}

/// Conversation number `index` of `seed`.
pub(crate) fn conversation(seed: RunSeed, index: usize) -> Conversation {
    draw(seed, index).conversation
}

/// A conversation, with the episode behind it where it was played at a desk.
pub(super) struct Drawn {
    pub(super) conversation: Conversation,
    pub(super) played: Option<Played>,
}

#[derive(Clone, Copy)]
enum Plan {
    Desk,
    SmallTalk,
    FirstTurn,
}

/// Conversation number `index` of `seed` and how it came about.
pub(super) fn draw(seed: RunSeed, index: usize) -> Drawn {
    let stream = &mut stream(seed, index);
    match weighted(&KINDS, stream) {
        Some(Plan::SmallTalk) => draw_small_talk(stream),
        Some(Plan::FirstTurn) => draw_first_turn(stream),
        Some(Plan::Desk) | None => draw_desk(stream),
    }
}

fn stream(seed: RunSeed, index: usize) -> Stream {
    let index = index as u64;
    let key =
        StreamKey { step: (index >> 32) as u32, scenario: index as u32, ..StreamKey::default() };
    seed.stream(Purpose::Data, key)
}

fn draw_desk(stream: &mut Stream) -> Drawn {
    let spec = customer(stream);
    let domain = spec.domain();
    let agent = agent(stream);
    let told = instructions(domain, stream);
    let played = play(agent, spec, stream);
    let messages = told.map(Message::system).into_iter();
    let messages = messages.chain(played.turns.iter().chain(&played.closing).cloned()).collect();
    let conversation = Conversation { kind: Kind::Desk(domain), messages, agent };
    Drawn { conversation, played: Some(played) }
}

fn draw_first_turn(stream: &mut Stream) -> Drawn {
    let spec = customer(stream);
    let told = instructions(spec.domain(), stream);
    let hello = if stream.chance(SHARE_GREETED) { greeting(stream) } else { Vec::new() };
    let played = play_turns(AgentKind::Expert, spec, 1, stream);
    let messages = told.map(Message::system).into_iter().chain(hello).chain(played.turns).collect();
    without_episode(Kind::FirstTurn, messages, stream)
}

fn draw_small_talk(stream: &mut Stream) -> Drawn {
    let told = instructions(domain_of_talk(stream), stream);
    let messages = told.map(Message::system).into_iter().chain(small_talk(stream)).collect();
    without_episode(Kind::SmallTalk, messages, stream)
}

fn without_episode(kind: Kind, mut messages: Vec<Message>, stream: &mut Stream) -> Drawn {
    typed_plainly(&mut messages, stream);
    let conversation = Conversation { kind, messages, agent: AgentKind::Expert };
    Drawn { conversation, played: None }
}
