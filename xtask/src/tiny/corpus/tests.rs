//! The corpus. Pinned here:
//!
//! 1. A conversation is a function of seed and number.
//! 2. What an agent means is what the customer understands, for every template and every issue; kind
//!    and idle words mean nothing else.
//! 3. There are many phrasings for everything, of few different words.
//! 4. Conversations are well formed: roles take turns, texts are short, safe and new.
//! 5. Customers are those of the training split.
//! 6. The expert settles nearly everything; the mixture reaches its goal in about a third.

use std::collections::{BTreeMap, BTreeSet};

use stateset_core::{
    ConversationTurn, Message, Purpose, Role, RunSeed, Stream, StreamKey, Trajectory,
};
use stateset_env::customer::grammar::n_variants;
use stateset_env::customer::{
    Acts, Combination, CustomerSpec, CustomerState, Domain, Ending, Fault, Issue, Mood, Resolution,
    Slot, Split, open, products, react, understand,
};
use stateset_env::rewards::SafetyReward;
use stateset_env::sets::draw_customer;

use super::agent_kind::AgentKind;
use super::conversation::draw as draw_conversation;
use super::conversation::{Conversation, Kind, conversation, conversations};
use super::desk::{MAX_TURNS, play, training_combinations};
use super::grammar::{
    ASIDES, CURT_FAREWELLS, FAREWELLS, GOING_AHEAD, LEAVINGS, MORE_HELP, OPEN_QUESTIONS,
    PLEASANTRIES, PURPOSES, REFUSALS, SORRY_FAREWELLS, STALLS, THANKS, Values, acknowledgements,
    apologies, ask_one, ask_three, ask_two, details, draw, helps, offers, receipts, troubles,
};
use super::statistics::Statistics;
use super::statistics::{Judge, statistics};
use super::turn::{MAX_TURN_WORDS, n_words, values};

fn stream(sample: u16) -> Stream {
    RunSeed(77).stream(Purpose::Data, StreamKey { sample, ..StreamKey::default() })
}

/// A calm customer with `issue` who has told the first `n_told` facts.
fn customer(issue: Issue, n_told: usize, stream: &mut Stream) -> (CustomerSpec, CustomerState) {
    let fact_order = issue.required_slots().to_vec();
    let combination = Combination { issue, mood: Mood::Calm, fact_order, n_opening_facts: n_told };
    let spec = draw_customer(&combination, Split::Train, stream);
    let (state, _) = open(&spec, stream);
    (spec, state)
}

/// One that has told everything, and what an agent may quote.
fn known_customer(issue: Issue, stream: &mut Stream) -> (CustomerSpec, CustomerState, Values) {
    let (spec, state) = customer(issue, issue.required_slots().len(), stream);
    let mut values = values(&spec, &state, stream);
    if let Some(cheapest) = products(issue).first() {
        values.set("product", cheapest.name);
        values.set("price", cheapest.price_dollars.to_string());
    }
    if let Some(name) = spec.fact(Slot::Name).and_then(|name| name.split(' ').next()) {
        values.set("name", name);
    }
    (spec, state, values)
}

/// True where a text neither asks, helps, refuses, delays nor leaves.
fn is_quiet(acts: &Acts) -> bool {
    let is_idle = acts.asks.is_empty() && acts.resolutions.is_empty() && acts.offers.is_empty();
    is_idle && is_sound(acts)
}

fn is_sound(acts: &Acts) -> bool {
    let is_readable = acts.muddle.is_none() && !acts.is_empty && !acts.is_rude;
    is_readable && !acts.refuses && !acts.stalls && !acts.says_goodbye
}

/// Texts that were misunderstood.
#[derive(Default)]
struct Wrong(BTreeSet<String>);

impl Wrong {
    fn unless(&mut self, is_right: bool, text: impl FnOnce() -> String) {
        if !is_right {
            self.0.insert(text());
        }
    }
}

impl Drop for Wrong {
    fn drop(&mut self) {
        let shown: Vec<&str> = self.0.iter().take(40).map(String::as_str).collect();
        let failed = !shown.is_empty() && !std::thread::panicking();
        assert!(!failed, "{} texts are misunderstood:\n{}", self.0.len(), shown.join("\n"));
    }
}

#[test]
fn a_conversation_is_a_function_of_seed_and_number() {
    let some: Vec<_> = conversations(RunSeed(5), 60).collect();
    assert_eq!(some.len(), 60);
    for (index, expected) in some.iter().enumerate().rev() {
        assert_eq!(conversation(RunSeed(5), index), *expected);
    }
    let others: Vec<_> = conversations(RunSeed(6), 60).collect();
    assert!(some.iter().zip(&others).all(|(a, b)| a.messages != b.messages));
}

#[test]
fn a_question_asks_for_its_fact_and_does_nothing_else() {
    const N_DRAWS: usize = 40;
    let mut wrong = Wrong::default();
    let stream = &mut stream(1);
    for (issue, slot) in Issue::ALL.iter().flat_map(|i| Slot::ALL.iter().map(|s| (*i, *s))) {
        for draw in 0..N_DRAWS {
            let text = ask_one(slot, issue, draw % 4 == 0, stream);
            let acts = understand(&text);
            let is_pure = is_quiet(&Acts { asks: Vec::new(), ..acts.clone() });
            wrong.unless(acts.asks == [slot] && is_pure, || {
                format!("{issue} {slot}: {text} {acts:?}")
            });
        }
    }
}

#[test]
fn two_questions_get_two_answers_and_three_none() {
    const N_DRAWS: usize = 150;
    let mut wrong = Wrong::default();
    let stream = &mut stream(2);
    for issue in Issue::ALL {
        for draw in 0..N_DRAWS {
            let mut slots = issue.required_slots().to_vec();
            slots.rotate_left(draw % issue.required_slots().len());
            let (spec, mut state) = loop {
                let drawn = customer(*issue, 0, stream);
                if drawn.1.told.is_empty() {
                    break drawn;
                }
            };
            let text = ask_two([slots[0], slots[1]], *issue, stream);
            let reply = react(&spec, &mut state, &text, stream);
            state.told.sort_unstable();
            slots.truncate(2);
            slots.sort_unstable();
            wrong.unless(state.told == slots && reply.faults.is_empty(), || {
                format!("{issue} {slots:?}: {text} {:?} {:?}", state.told, reply.faults)
            });
            let third = if slots.contains(&Slot::Version) { Slot::Light } else { Slot::Version };
            let text = ask_three([slots[0], slots[1], third], *issue, stream);
            wrong.unless(understand(&text).asks.len() == 3, || format!("{issue}: {text}"));
        }
    }
}

#[test]
fn the_right_help_solves_the_problem() {
    const N_DRAWS: usize = 30;
    let mut wrong = Wrong::default();
    let stream = &mut stream(3);
    for (issue, template) in
        Issue::ALL.iter().flat_map(|issue| helps(issue.resolution()).iter().map(|t| (*issue, *t)))
    {
        let kind = issue.resolution();
        let mut n_drawn = 0;
        for _ in 0..N_DRAWS {
            let (spec, state, values) = known_customer(issue, stream);
            let text = draw(&[template], &values, stream);
            if text.is_empty() {
                continue;
            }
            n_drawn += 1;
            let acts = understand(&text);
            let fits = |other: &Resolution| *other == kind || issue.companion() == Some(*other);
            let is_pure = is_quiet(&Acts { resolutions: Vec::new(), ..acts.clone() });
            let is_it = acts.resolutions.contains(&kind) && acts.resolutions.iter().all(fits);
            let more = draw(MORE_HELP, &values, stream);
            let tail = format!("{text} {} {more}", draw(details(kind), &values, stream));
            let ends: Vec<_> = [&text, &tail]
                .into_iter()
                .map(|text| react(&spec, &mut state.clone(), text, stream).ending)
                .collect();
            wrong.unless(is_pure && is_it && ends == [Some(Ending::Solved); 2], || {
                format!("{issue}: {tail} {acts:?} {ends:?}")
            });
        }
        assert!(n_drawn > 0, "{template} could not be filled");
    }
}

#[test]
fn help_without_facts_is_the_same_help() {
    let mut wrong = Wrong::default();
    let stream = &mut stream(4);
    for issue in Issue::ALL {
        let kind = issue.resolution();
        for _ in 0..60 {
            let (spec, state) = customer(*issue, 0, stream);
            let mut values = values(&spec, &state, stream);
            if let Some(product) = products(*issue).first() {
                values.set("product", product.name);
                values.set("price", product.price_dollars.to_string());
            }
            let text = draw(helps(kind), &values, stream);
            let found = understand(&text).resolutions;
            wrong.unless(found.contains(&kind), || format!("{issue}: {text} {found:?}"));
            for offer in offers(kind) {
                let text = draw(&[offer], &values, stream);
                let acts = understand(&text);
                let is_offer = acts.offers == [kind] && acts.resolutions.is_empty();
                wrong.unless(text.is_empty() || is_offer && acts.asks.is_empty(), || {
                    format!("{issue}: {text} {acts:?}")
                });
            }
        }
    }
}

#[test]
fn upset_customers_hear_that_they_are_understood() {
    let mut wrong = Wrong::default();
    let stream = &mut stream(5);
    for (mood, domain) in Mood::ALL.iter().flat_map(|m| Domain::ALL.iter().map(|d| (*m, *d))) {
        for _ in 0..100 {
            let text = draw(acknowledgements(mood, domain), &Values::default(), stream);
            let acts = understand(&text);
            let is_kind = acts.acknowledges || !mood.wants_acknowledgement();
            wrong
                .unless(is_kind && is_quiet(&acts), || format!("{mood} {domain}: {text} {acts:?}"));
        }
    }
    for issue in Issue::ALL {
        for _ in 0..60 {
            let (spec, state) = customer(*issue, 0, stream);
            let text = draw(troubles(*issue), &values(&spec, &state, stream), stream);
            let acts = understand(&text);
            let is_kind = acts.acknowledges && is_quiet(&acts);
            wrong.unless(is_kind, || format!("{issue}: {text} {acts:?}"));
        }
    }
}

#[test]
fn words_around_the_matter_do_nothing_else() {
    let mut wrong = Wrong::default();
    let stream = &mut stream(6);
    for issue in Issue::ALL {
        for _ in 0..20 {
            let (spec, mut state, values) = known_customer(*issue, stream);
            let mut lists = vec![
                THANKS,
                GOING_AHEAD,
                PURPOSES,
                PLEASANTRIES,
                ASIDES,
                details(issue.resolution()),
            ];
            lists.extend(Fault::ALL.iter().map(|fault| apologies(*fault)));
            lists.extend(issue.required_slots().iter().map(|slot| receipts(*slot)));
            for list in lists {
                let text = draw(list, &values, stream);
                let acts = understand(&text);
                let is_fine = is_quiet(&acts) && !acts.offers_more_help && !acts.asks_openly;
                wrong.unless(is_fine, || format!("{text} {acts:?}"));
                let faults = react(&spec, &mut state, &text, stream).faults;
                wrong.unless(!faults.contains(&Fault::WrongFact), || format!("{issue} {text}"));
            }
        }
    }
}

#[test]
fn idle_turns_are_idle_in_their_own_way() {
    type Is = fn(&Acts) -> bool;
    let lists: [(&[&str], Is); 8] = [
        (STALLS, |acts| acts.stalls && !acts.refuses && !acts.says_goodbye),
        (REFUSALS, |acts| acts.refuses && !acts.stalls && !acts.says_goodbye),
        (LEAVINGS, |acts| acts.says_goodbye && !acts.stalls && !acts.refuses),
        (OPEN_QUESTIONS, |acts| acts.asks_openly && is_sound(acts)),
        (MORE_HELP, |acts| acts.offers_more_help && is_sound(acts)),
        (FAREWELLS, |acts| !acts.stalls && !acts.refuses),
        (CURT_FAREWELLS, |acts| !acts.stalls && !acts.refuses),
        (SORRY_FAREWELLS, |acts| acts.acknowledges && !acts.stalls && !acts.refuses),
    ];
    let mut wrong = Wrong::default();
    let stream = &mut stream(7);
    let mut values = Values::default();
    values.set("name", "Anna");
    for (list, is_right) in lists {
        for text in (0..200).map(|_| draw(list, &values, stream)) {
            let acts = understand(&text);
            let does =
                !acts.asks.is_empty() || !acts.resolutions.is_empty() || !acts.offers.is_empty();
            wrong.unless(!does && is_right(&acts), || format!("{text} {acts:?}"));
        }
    }
}

#[test]
fn there_are_many_phrasings_for_everything() {
    let count = |list: &[&str]| list.iter().map(|template| n_variants(template)).sum::<usize>();
    let mut lists: Vec<(String, usize)> = [
        ("thanks", THANKS),
        ("more help", MORE_HELP),
        ("farewells", FAREWELLS),
        ("stalls", STALLS),
        ("pleasantries", PLEASANTRIES),
        ("asides", ASIDES),
        ("open questions", OPEN_QUESTIONS),
        ("refusals", REFUSALS),
    ]
    .map(|(name, list)| (name.to_owned(), count(list)))
    .to_vec();
    for (mood, domain) in Mood::ALL.iter().flat_map(|m| Domain::ALL.iter().map(|d| (*m, *d))) {
        lists.push((format!("{mood} {domain}"), count(acknowledgements(mood, domain))));
    }
    for kind in Resolution::ALL {
        lists.push((kind.to_string(), count(helps(*kind))));
    }
    let stream = &mut stream(8);
    for (issue, slot) in
        Issue::ALL.iter().flat_map(|issue| issue.required_slots().iter().map(|s| (*issue, *s)))
    {
        let texts: BTreeSet<String> =
            (0..300).map(|_| ask_one(slot, issue, false, stream)).collect();
        lists.push((format!("{issue} {slot}"), texts.len() / 2));
    }
    let few: Vec<&(String, usize)> = lists.iter().filter(|(_, n)| *n < 12).collect();
    assert!(few.is_empty(), "{few:?}");
}

/// A part of the corpus that several tests look at.
const N: usize = 3000;

fn transcript(conversation: &Conversation) -> String {
    let Conversation { kind, agent, messages } = conversation;
    let lines = messages
        .iter()
        .map(|message| format!("\n  {:<9} {}", message.role.as_str(), message.content));
    format!("{} {}{}", kind.name(), agent.name(), lines.collect::<String>())
}

/// Also an example: `cargo test -p xtask well_formed -- --nocapture` prints some to be read.
#[test]
fn conversations_are_well_formed() {
    let mut n_echoing = 0;
    for (index, conversation) in conversations(RunSeed(11), N).enumerate() {
        if index < 30 {
            println!("{}\n", transcript(&conversation));
        }
        let shown = transcript(&conversation);
        let is_system = |message: &&Message| message.role == Role::System;
        let n_system = conversation.messages.iter().take_while(is_system).count();
        let talk = &conversation.messages[n_system..];
        assert!(n_system <= 1 && talk.len() >= 2, "{shown}");
        let mut n_said: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, message) in talk.iter().enumerate() {
            let role = if index % 2 == 0 { Role::User } else { Role::Assistant };
            let text = message.content.as_str();
            assert_eq!(message.role, role, "{shown}");
            assert!(!text.is_empty() && text.trim() == text && !text.contains("  "), "{shown}");
            assert!(!text.contains(['{', '}', '[', ']', '|', '\n']), "{shown}");
            if role == Role::Assistant {
                assert!(n_words(text) <= MAX_TURN_WORDS, "{text}");
                assert!(text.ends_with(['.', '!', '?']), "{text}");
                assert!(!text.contains("..") && !text.contains(" ."), "{text}");
                *n_said.entry(text).or_default() += 1;
            }
        }
        let may_repeat = conversation.agent == AgentKind::Confused;
        assert!(may_repeat || n_said.values().all(|n| *n == 1), "{shown}");
        assert!(n_said.len() <= MAX_TURNS + 1, "{shown}");
        let turns: Vec<ConversationTurn> =
            talk.iter().cloned().map(ConversationTurn::new).collect();
        for turn in turns.iter().filter(|turn| turn.message.role == Role::Assistant) {
            assert_eq!(safety_of(vec![turn.clone()]), Some(1.0), "{}", turn.message.content);
        }
        // Said after other turns, a safe one may say nothing new: "Which item is it?" echoes "I have not
        // told you which item it is yet". That takes its share off, and never everything.
        let safety = safety_of(turns);
        assert!(safety.is_some_and(|value| value > 0.0), "{shown}");
        n_echoing += usize::from(!may_repeat && safety < Some(1.0));
    }
    assert!(n_echoing < N / 100, "{n_echoing} of {N} conversations repeat or echo something");
}

fn safety_of(turns: Vec<ConversationTurn>) -> Option<f64> {
    SafetyReward.judge(&Trajectory { turns, ..Trajectory::default() }).value()
}

#[test]
fn last_words_are_said() {
    let (mut n_solved, mut n_answered) = (0, 0);
    for index in 0..N {
        let drawn = draw_conversation(RunSeed(12), index);
        let Some(played) = drawn.played else { continue };
        let last = drawn.conversation.messages.last().expect("it has messages");
        if played.state.ending == Some(Ending::Solved) {
            n_solved += 1;
            n_answered += usize::from(last.role == Role::Assistant);
            assert_eq!(played.closing[0].role, Role::User);
        }
        let is_over = played.state.ending.is_some();
        assert!(is_over || played.state.n_agent_turns == MAX_TURNS);
        assert_eq!(played.closing.is_empty(), !is_over);
    }
    let share = n_answered as f64 / n_solved as f64;
    assert!((0.6..0.95).contains(&share), "{n_answered} of {n_solved}");
}

#[test]
fn customers_are_those_of_the_training_split() {
    let mut met: BTreeSet<Combination> = BTreeSet::new();
    for index in 0..N {
        if let Some(played) = draw_conversation(RunSeed(13), index).played {
            let combination = played.spec.combination();
            assert_eq!(Split::of(&combination), Split::Train, "{combination:?}");
            if let Some(number) = played.spec.fact(Slot::OrderNumber) {
                assert_eq!(Split::of_order_number(number), Split::Train);
            }
            met.insert(combination);
        }
    }
    let known = training_combinations();
    assert!(known.iter().all(|combination| Split::of(combination) == Split::Train));
    let n_known = known.iter().filter(|combination| met.contains(combination)).count();
    assert!(10 * n_known > 9 * known.len(), "{n_known} of {} are met", known.len());
}

#[test]
fn every_issue_is_settled_in_every_mood() {
    let played = (0..3 * N).filter_map(|index| draw_conversation(RunSeed(15), index).played);
    let solved = played.filter(|played| played.state.ending == Some(Ending::Solved));
    let met: BTreeSet<(Issue, Mood)> =
        solved.map(|played| (played.spec.issue, played.spec.mood)).collect();
    assert_eq!(met.len(), Issue::ALL.len() * Mood::ALL.len());
}

#[test]
fn the_expert_settles_nearly_everything() {
    let judge = Judge::new().unwrap();
    let (mut n, mut n_goals, mut n_clean, mut total) = (0, 0, 0, 0.0);
    for (index, combination) in training_combinations().iter().enumerate() {
        for sample in 0..3 {
            let key = StreamKey { step: index as u32, sample, ..StreamKey::default() };
            let stream = &mut RunSeed(14).stream(Purpose::Data, key);
            let spec = draw_customer(combination, Split::Train, stream);
            let played = play(AgentKind::Expert, spec, stream);
            let (is_goal, reward) = judge.judge(&played).unwrap();
            n += 1;
            n_goals += usize::from(is_goal);
            n_clean += usize::from(played.state.faults.is_empty());
            total += reward;
        }
    }
    let [goals, clean, reward] = [n_goals as f64, n_clean as f64, total].map(|sum| sum / n as f64);
    println!("expert: {goals:.3} goals, {clean:.3} without a fault, reward {reward:.3} of {n}");
    assert!(goals >= 0.97, "{goals}");
    assert!(clean >= 0.97, "{clean}");
    assert!(reward >= 0.88, "{reward}");
}

/// Also an example: `cargo test -p xtask mixture -- --nocapture` prints the table.
#[test]
fn the_mixture_is_good_and_bad() {
    let found: Statistics = statistics(RunSeed(1), 2 * N).unwrap();
    println!("{found}");
    let within = |value: f64, low: f64, high: f64| (low..high).contains(&value);
    for domain in Domain::ALL {
        let row = found.total(|kind, _| kind == Kind::Desk(*domain));
        assert!(within(row.goal_share(), 0.25, 0.37), "{domain}: {row:?}");
        assert!(within(row.mean_reward(), 0.40, 0.53), "{domain}: {row:?}");
    }
    let goals = |agent| found.total(|_, other| other == agent).goal_share();
    for (agent, low, high) in [
        (AgentKind::Expert, 0.97, 1.01),
        (AgentKind::Rambler, 0.85, 1.01),
        (AgentKind::Cold, 0.3, 0.65),
        (AgentKind::Careless, 0.15, 0.4),
        (AgentKind::Hasty, 0.05, 0.3),
        (AgentKind::Confused, 0.03, 0.25),
        (AgentKind::Vague, 0.0, 0.15),
    ] {
        assert!(within(goals(agent), low, high), "{}: {}", agent.name(), goals(agent));
    }
    let share = |belongs: fn(Kind) -> bool| {
        found.total(|kind, _| belongs(kind)).n as f64 / found.total(|_, _| true).n as f64
    };
    assert!(within(share(|kind| matches!(kind, Kind::Desk(_))), 0.77, 0.83));
    assert!(within(share(|kind| kind == Kind::Desk(Domain::CustomerService)), 0.44, 0.52));
    assert!(within(found.vocabulary.len() as f64, 600.0, 1800.0), "{}", found.vocabulary.len());
}
