//! How a simulated customer treats an agent: the numbered rules at the head of `customer/react.rs`, one
//! conversation each. Words are drawn, meanings are pinned: faults, patience, facts told, endings.

use proptest::prelude::*;
use serde_json::{Value, json};
use stateset_core::{Purpose, RunSeed, Stream, StreamKey};
use stateset_env::customer::{
    Combination, CustomerReport, CustomerSpec, CustomerState, Domain, Ending, Fault, Reply, Slot,
    Split, open, react,
};
use stateset_env::sets::draw_customer;

fn stream(n: u32) -> Stream {
    RunSeed(5).stream(Purpose::Environment, StreamKey { step: n, ..StreamKey::default() })
}

/// A conversation that a test leads by hand.
struct Talk {
    spec: CustomerSpec,
    state: CustomerState,
    stream: Stream,
}

impl Talk {
    fn with(customer: Value) -> Talk {
        let spec = CustomerSpec::from_value(&customer).expect("well formed");
        let mut stream = stream(0);
        let (state, _) = open(&spec, &mut stream);
        Talk { spec, state, stream }
    }

    /// A customer whose parcel is late, who has told nothing and has five turns of patience.
    fn late(mood: &str) -> Talk {
        Talk::with(json!({
            "issue": "late_delivery", "mood": mood, "patience": 5,
            "facts": {"order_number": "4821", "postcode": "30211", "name": "Anna Hill"}
        }))
    }

    fn hears(&mut self, text: &str) -> Reply {
        react(&self.spec, &mut self.state, text, &mut self.stream)
    }

    /// The faults of one turn and the patience after it.
    fn faults(&mut self, text: &str) -> (Vec<Fault>, u32) {
        (self.hears(text).faults, self.state.patience_left)
    }
}

const NONE: Vec<Fault> = Vec::new();

#[test]
fn facts_are_told_when_asked_for_and_the_right_help_ends_it() {
    let mut talk = Talk::late("calm");
    let reply = talk.hears("I am sorry about that. What is your order number?");
    assert!(reply.text.contains("4821"), "{}", reply.text);
    let reply = talk.hears("And your zip code, please?");
    assert!(reply.text.contains("30211"), "{}", reply.text);
    assert_eq!(talk.state.missing(&talk.spec), []);
    let reply = talk.hears("Thank you. I have traced order 4821, and it will arrive on Friday.");
    assert_eq!((reply.ending, reply.faults), (Some(Ending::Solved), NONE));
    let report = CustomerReport::of(&talk.spec, &talk.state);
    assert!(report.goal_reached && report.acknowledged);
    assert_eq!((report.facts_collected, report.facts_required, report.satisfaction), (2, 2, 1.0));
    assert_eq!(talk.hears("Anything else?").text, "", "nothing is said after the end");
}

#[test]
fn two_facts_at_once_are_fine_and_three_are_not() {
    let mut talk = Talk::late("calm");
    assert_eq!(talk.faults("What is your order number and your zip code?"), (NONE, 5));
    let mut talk = Talk::late("calm");
    let many = "What is your order number, your zip code and your email?";
    assert_eq!(talk.faults(many), (vec![Fault::Confusing], 4));
    assert_eq!(talk.state.told, [], "a confused customer tells nothing");
}

#[test]
fn asking_again_costs_patience() {
    let mut talk = Talk::late("calm");
    talk.hears("What is your order number?");
    let reply = talk.hears("Could you give me the number of your order, please?");
    assert_eq!((reply.faults, talk.state.patience_left), (vec![Fault::RepeatedQuestion], 4));
    assert!(reply.text.contains("4821"));
    let both = talk.faults("I need your order number and the zip code.");
    assert_eq!(both, (vec![Fault::RepeatedQuestion], 3));
    assert!(talk.state.told.contains(&Slot::Postcode), "the new fact is told all the same");
}

#[test]
fn a_fact_that_does_not_matter_is_not_told() {
    let mut talk = Talk::late("calm");
    assert_eq!(talk.faults("What is your email address?"), (vec![Fault::Unhelpful], 4));
    assert_eq!(talk.faults("May I have your name?"), (NONE, 4), "known, and harmless");
}

#[test]
fn stating_a_told_fact_is_no_question_for_it() {
    let mut talk = Talk::late("calm");
    talk.hears("What is your order number?");
    assert_eq!(talk.faults("Is 4821 your order number?"), (NONE, 5));
    assert_eq!(talk.faults("So 4821 is right, is it not?"), (vec![Fault::Unhelpful], 4));
}

#[test]
fn the_right_help_without_all_facts_is_premature() {
    let mut talk = Talk::late("calm");
    assert_eq!(talk.faults("I have traced your parcel."), (vec![Fault::Premature], 4));
    let announced = "I will trace your parcel for you. What is your order number?";
    assert_eq!(talk.faults(announced), (NONE, 4), "announcing help is fine");
    let pretended = "I have traced it already. What is your zip code?";
    assert_eq!(talk.faults(pretended), (vec![Fault::Premature], 3));
    assert_eq!(talk.state.missing(&talk.spec), [], "the answer is given nevertheless");
    assert_eq!(talk.hears("Your parcel will arrive tomorrow.").ending, Some(Ending::Solved));
}

#[test]
fn other_help_and_several_kinds_are_refused() {
    let mut talk = Talk::late("calm");
    talk.hears("What is your order number and your zip code?");
    assert_eq!(talk.faults("I have started a refund."), (vec![Fault::WrongHelp], 4));
    assert_eq!(talk.faults("Shall I send a replacement?"), (vec![Fault::WrongHelp], 3));
    let both = "I have traced your parcel, and I have cancelled your order.";
    assert_eq!(talk.faults(both), (vec![Fault::Confusing], 2));
    let asks_too = "I have traced your parcel. What was your order number?";
    assert_eq!(talk.faults(asks_too), (vec![Fault::RepeatedQuestion], 1), "it was not read");
    let mut talk = Talk::late("calm");
    talk.hears("What is your order number and your zip code?");
    let with_value = "What is your order number? I have traced order 4821 for you.";
    assert_eq!(
        talk.faults(with_value),
        (vec![Fault::RepeatedQuestion], 4),
        "the value is elsewhere"
    );
}

#[test]
fn offering_the_right_help_is_forgiven_once() {
    let mut talk = Talk::late("calm");
    talk.hears("What is your order number and your zip code?");
    assert_eq!(talk.faults("Would you like me to trace your parcel?"), (NONE, 5));
    assert_eq!(talk.faults("Shall I trace the package now?"), (vec![Fault::Unhelpful], 4));
    assert_eq!(talk.hears("I will trace it now.").ending, Some(Ending::Solved));
}

#[test]
fn the_refund_that_follows_a_return_confuses_nobody() {
    let mut talk = Talk::with(json!({
        "issue": "return", "facts": {"order_number": "4821", "item": "lamp"}, "n_opening_facts": 2
    }));
    let text = "I have sent you a return label, and your refund will be started then.";
    assert_eq!(talk.hears(text).ending, Some(Ending::Solved));
}

#[test]
fn a_wrong_number_is_corrected_and_nothing_else_counts() {
    let mut talk = Talk::late("calm");
    talk.hears("What is your order number and your zip code?");
    let reply = talk.hears("I have traced order 4812, and it will arrive on Friday.");
    assert_eq!((reply.ending, reply.faults), (None, vec![Fault::WrongFact]));
    assert!(reply.text.contains("4821"), "{}", reply.text);
    let mut talk = Talk::late("calm");
    let guessed = talk.hears("Is your order number 4812?");
    assert!(
        !guessed.text.contains("4821"),
        "a guess does not bring the fact out: {}",
        guessed.text
    );
}

#[test]
fn a_price_above_the_budget_is_no_answer() {
    let laptop = || {
        Talk::with(json!({
            "issue": "find_laptop", "facts": {"budget": "500 dollars", "use": "games"},
            "n_opening_facts": 2
        }))
    };
    let mut talk = laptop();
    assert_eq!(talk.faults("I recommend the Falcon for 950 dollars."), (vec![Fault::WrongHelp], 3));
    assert_eq!(talk.hears("I suggest the Breeze laptop for $380.").ending, Some(Ending::Solved));
    let phone = laptop().faults("I recommend the Pixie, a great phone.");
    assert_eq!(phone, (vec![Fault::WrongHelp], 3));
}

#[test]
fn an_upset_customer_wants_a_kind_word() {
    let mut talk = Talk::late("angry");
    assert_eq!(talk.faults("What is your order number?"), (NONE, 5));
    assert_eq!(talk.faults("What is your zip code?"), (vec![Fault::Unkind], 4));
    assert_eq!(talk.faults("We sell lamps."), (vec![Fault::Unhelpful], 2), "twice as fast");
    assert_eq!(talk.faults("I am sorry. We sell kettles."), (NONE, 2), "the kind word counts");
    assert_eq!(talk.faults("And we have rugs."), (vec![Fault::Unhelpful], 1), "once as fast again");

    let mut talk = Talk::late("angry");
    talk.hears("I am sorry. What is your order number?");
    assert_eq!(talk.faults("What is your zip code?"), (NONE, 5));
    let mut talk = Talk::late("calm");
    talk.hears("What is your order number?");
    assert_eq!(talk.faults("What is your zip code?"), (NONE, 5), "a calm one does not mind");
}

#[test]
fn turns_that_lead_nowhere_cost_patience() {
    for text in [
        "",
        "...",
        "One moment, please.",
        "I am sorry, but I cannot help you.",
        "We sell lamps.",
        "Hello, how can I help you?",
        "Is there anything else I can do for you?",
    ] {
        assert_eq!(Talk::late("calm").faults(text), (vec![Fault::Unhelpful], 4), "{text}");
    }
    assert_eq!(Talk::late("calm").faults("You are an idiot."), (vec![Fault::Rude], 3));
    assert_eq!(
        Talk::late("calm").faults("label refund refund refund"),
        (vec![Fault::Confusing], 4)
    );
    let mut talk = Talk::late("calm");
    assert_eq!(talk.faults("I am so sorry to hear that."), (NONE, 5), "one kind word is free");
    assert_eq!(talk.faults("I do understand how annoying this is."), (vec![Fault::Unhelpful], 4));
}

#[test]
fn repeating_is_noticed() {
    let mut talk = Talk::late("calm");
    talk.hears("I am sorry. What is your order number?");
    let again = talk.faults("What is your order number? I am sorry.");
    assert_eq!(again, (vec![Fault::RepeatedTurn], 4));
    let last = talk.state.last_said.clone();
    assert_eq!(talk.faults(&last), (vec![Fault::RepeatedTurn], 3));
}

#[test]
fn an_open_question_brings_out_the_first_fact_only() {
    let mut talk = Talk::late("calm");
    let reply = talk.hears("Can you tell me more about it?");
    assert!(reply.text.contains("4821") && reply.faults.is_empty(), "{reply:?}");
    assert_eq!(talk.faults("Could you give me some more details?"), (vec![Fault::Unhelpful], 4));
    assert_eq!(talk.state.missing(&talk.spec), [Slot::Postcode]);
}

#[test]
fn patience_and_goodbye_end_it_unsolved() {
    let mut talk = Talk::late("calm");
    let reply = (0..5).map(|n| talk.hears(&format!("We sell {n} lamps."))).last().expect("five");
    assert_eq!(reply.ending, Some(Ending::GaveUp));
    let report = CustomerReport::of(&talk.spec, &talk.state);
    assert_eq!((report.goal_reached, report.satisfaction, report.patience_left), (false, 0.0, 0));
    let mut talk = Talk::late("calm");
    assert_eq!(talk.hears("Goodbye!").ending, Some(Ending::AgentLeft));
    let mut talk = Talk::late("calm");
    talk.hears("What is your order number and your zip code?");
    let reply = talk.hears("I have traced your parcel. Have a nice day, goodbye!");
    assert_eq!(reply.ending, Some(Ending::Solved), "a farewell with the help is fine");
}

proptest! {
    /// Whatever is said: no panic, patience only falls, facts are never taken back, an end is an end.
    #[test]
    fn any_conversation_is_well_behaved(
        which in 0..200usize,
        turns in prop::collection::vec(prop_oneof![
            "\\PC{0,60}",
            prop::sample::select(vec![
                "What is your order number?", "I am sorry.", "I have started your refund.",
                "May I have your budget and the use?", "Please restart your router.", "Goodbye!",
                "Can you tell me more?", "Which device is it?", "I recommend the Nimbus.",
            ]).prop_map(str::to_owned),
        ], 0..12)
    ) {
        let combinations: Vec<Combination> =
            Domain::ALL.iter().flat_map(|domain| Combination::of_domain(*domain)).collect();
        let combination = &combinations[which * combinations.len() / 200];
        let mut stream = stream(which as u32);
        let spec = draw_customer(combination, Split::of(combination), &mut stream);
        let (mut state, _) = open(&spec, &mut stream);
        for turn in turns {
            let before = state.clone();
            let reply = react(&spec, &mut state, &turn, &mut stream);
            prop_assert!(state.patience_left <= before.patience_left);
            prop_assert!(state.told.starts_with(&before.told));
            prop_assert_eq!(reply.text.is_empty(), before.ending.is_some());
            prop_assert!(before.ending.is_none() || state == before);
            let report = CustomerReport::of(&spec, &state);
            prop_assert!((0.0..=1.0).contains(&report.satisfaction));
        }
    }
}
