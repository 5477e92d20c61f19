//! The desk: who is in the chat, what can be called, what follows.

use serde::{Deserialize, Serialize};
use stateset_core::Stream;

use super::case::{Case, Reason, Spec, WINDOW, Wish};
use super::worth::{Decision, bounds, is_right, later, money_of, points_of};
use crate::commerce::effort::Effort;
use crate::commerce::group::gap;
use crate::commerce::kpi::{Kpi, Readings};
use crate::commerce::simulator::{Profile, Scene, Simulator};
use crate::commerce::tally::{mean_or, money, points, share_or};
use crate::commerce::verb::{Args, Kind, Param, Verb, short};

/// Returned goods, customer by customer.
#[derive(Clone, Copy, Default)]
pub(in crate::commerce) struct ReturnsDesk;

/// Turns of a case that a customer takes as they come, and after which they leave.
const EASY_TURNS: u32 = 3;
const MOST_TURNS: u32 = 6;
/// What a corrected decision costs beside the decision itself.
const CORRECTION: f64 = 3.0;
/// How likely somebody comes again who got less than they were due.
const COMES_AGAIN: f64 = 0.6;

/// One contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::commerce) struct Ticket {
    case: usize,
    visit: Visit,
    n_turns: u32,
    has_photos: bool,
    decision: Option<Decision>,
    has_left: bool,
}

/// Why somebody is in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Visit {
    First,
    /// About the same goods again.
    Again,
    /// With other goods, after worn ones went through.
    Repeat,
}

/// Everybody who came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::commerce) struct State {
    tickets: Vec<Ticket>,
    /// How many of them have been announced to the agent.
    n_announced: usize,
}

impl State {
    fn current(&self) -> usize {
        let is_open = |ticket: &Ticket| ticket.decision.is_none() && !ticket.has_left;
        self.tickets.iter().position(is_open).unwrap_or(self.tickets.len())
    }

    fn of_case(&self, case: usize) -> impl Iterator<Item = &Ticket> {
        self.tickets
            .iter()
            .filter(move |ticket| ticket.case == case && ticket.visit != Visit::Repeat)
    }

    /// Satisfaction with all contacts about a case.
    fn csat(&self, cases: &[Case], index: usize) -> f64 {
        let contacts: Vec<&Ticket> = self.of_case(index).collect();
        let decision = contacts.iter().rev().find_map(|ticket| ticket.decision);
        let slow: u32 = contacts.iter().map(|t| t.n_turns.saturating_sub(EASY_TURNS)).sum();
        let photos = contacts.iter().any(|ticket| ticket.has_photos);
        let again = contacts.len().saturating_sub(1) as f64;
        points(
            points_of(&cases[index], decision)
                - 0.25 * f64::from(slow)
                - if photos { 0.4 } else { 0.0 }
                - 0.5 * again,
        )
    }

    /// Money of a case: the last decision counts, corrections cost, and so does what repeaters got.
    fn money(&self, cases: &[Case], index: usize) -> f64 {
        let case = &cases[index];
        let decided: Vec<Decision> = self.of_case(index).filter_map(|t| t.decision).collect();
        let last = decided.last().map_or(0.0, |decision| money_of(case, *decision));
        let corrections = decided.len().saturating_sub(1) as f64 * CORRECTION;
        let is_repeat = |ticket: &&Ticket| ticket.case == index && ticket.visit == Visit::Repeat;
        let repeats = self.tickets.iter().filter(is_repeat).filter_map(|ticket| ticket.decision);
        last - corrections + repeats.map(|decision| money_of(case, decision)).sum::<f64>()
    }
}

const ORDER: Param =
    Param::required("order_id", "number of the order in the chat, such as R1204", Kind::Text);

impl Simulator for ReturnsDesk {
    type Spec = Spec;
    type State = State;

    const PROFILE: Profile = Profile {
        name: "returns_desk",
        summary: "customers who want to send goods back, some of them worn",
        instructions: "You settle returns in a shop's chat, one customer after the other. Look an order up before \
            you decide; ask for photos where a fault or the history makes you doubt. Rules: faulty goods are \
            always put right; other goods may come back unused within 30 days, unless they were bought in a \
            final sale; worn goods are refused. Give customers what they wish where it is due to them. \
            Beyond the rules you may give store credit to customers who are worth it. Text goes to the \
            customer, decisions are made with tools.",
        max_turns: 28,
        reward: "kpi:net_value=0.5,kpi:csat=0.15,kpi:first_contact_resolution=0.15,kpi:handling_time=0.1,kpi:fairness=0.1",
    };

    const VERBS: &'static [Verb] = &[
        Verb {
            name: "look_up_order",
            what: "Shows an order, its customer's history and what returned goods would still bring.",
            minutes: 1.0,
            params: &[ORDER],
        },
        Verb {
            name: "request_photos",
            what: "Asks the customer for photos, which show the true state of the goods. Customers do not like it.",
            minutes: 3.0,
            params: &[ORDER],
        },
        Verb {
            name: "resolve",
            what: "Decides about the return and ends the contact.",
            minutes: 2.0,
            params: &[
                ORDER,
                Param::required(
                    "decision",
                    "what the customer gets",
                    Kind::OneOf(&[
                        "refund",
                        "exchange",
                        "store_credit",
                        "refund_without_return",
                        "refuse",
                    ]),
                ),
            ],
        },
    ];

    fn draw(stream: &mut Stream) -> Spec {
        Spec::draw(stream)
    }

    fn topic(spec: &Spec) -> &'static str {
        spec.cases.first().map_or("returns", |case| case.claim.name())
    }

    fn fault(spec: &Spec) -> Option<String> {
        spec.fault()
    }

    fn open(spec: &Spec) -> State {
        let tickets = (0..spec.cases.len()).map(|case| Ticket::new(case, Visit::First));
        State { tickets: tickets.collect(), n_announced: 1 }
    }

    fn opening(spec: &Spec, state: &State) -> String {
        format!("{} customers wait. {}", spec.cases.len(), announced(spec, &state.tickets[0]))
    }

    fn begin_turn(scene: &mut Scene<'_, Self>) {
        let current = scene.state.current();
        if let Some(ticket) = scene.state.tickets.get_mut(current) {
            ticket.n_turns += 1;
        }
    }

    fn call(scene: &mut Scene<'_, Self>, verb: &Verb, args: Args<'_>) -> Result<String, String> {
        let current = scene.state.current();
        let ticket = &mut scene.state.tickets[current];
        let case = &scene.spec.cases[ticket.case];
        let order = args.text("order_id");
        if order != case.order {
            return Err(format!("order {:?} is not in the chat; {} is", short(order), case.order));
        }
        match verb.name {
            "look_up_order" => Ok(record(case)),
            "request_photos" => {
                ticket.has_photos = true;
                Ok(photos(case))
            }
            _ => {
                let decision = Decision::from_name(args.text("decision"));
                let decision = decision.ok_or("the decision is unknown")?;
                ticket.decision = Some(decision);
                let ticket = ticket.clone();
                follow(scene.state, scene.spec, &ticket, decision, scene.stream);
                Ok(settled(case, decision))
            }
        }
    }

    fn say(scene: &mut Scene<'_, Self>, text: &str) -> String {
        let current = scene.state.current();
        let ticket = &mut scene.state.tickets[current];
        let case = &scene.spec.cases[ticket.case];
        if ticket.n_turns >= MOST_TURNS {
            ticket.has_left = true;
            return format!("{} left the chat.", case.customer);
        }
        let answer = match (text.contains('?'), case.claim, case.wish) {
            (false, ..) => "All right. And what happens with my return now?",
            (true, Reason::Faulty, Wish::Money) => "It is faulty, and I want my money back.",
            (true, Reason::Faulty, Wish::Replacement) => {
                "It is faulty. I would like another one of the same."
            }
            (true, _, Wish::Money) => "I only want to return it and have my money back.",
            (true, _, Wish::Replacement) => "I would like another size.",
        };
        format!("{}: {answer}", case.customer)
    }

    fn news(scene: &mut Scene<'_, Self>) -> Option<String> {
        let current = scene.state.current();
        if current < scene.state.n_announced {
            return None;
        }
        scene.state.n_announced = current + 1;
        let ticket = scene.state.tickets.get(current)?;
        Some(announced(scene.spec, ticket))
    }

    fn is_over(_: &Spec, state: &State) -> bool {
        state.current() >= state.tickets.len()
    }

    fn readings(spec: &Spec, state: &State, effort: &Effort) -> Readings {
        let cases = &spec.cases;
        let csat: Vec<f64> = (0..cases.len()).map(|index| state.csat(cases, index)).collect();
        let money: f64 = (0..cases.len()).map(|index| state.money(cases, index)).sum();
        let kept: f64 = cases.iter().zip(&csat).map(|(case, csat)| later(case, *csat)).sum();
        let most_kept: f64 = cases.iter().map(|case| later(case, 5.0)).sum();
        let (worst, best) = bounds(cases);
        let n = cases.len() as f64;
        let honest = || cases.iter().zip(&csat).filter(|(case, _)| case.is_honest());
        let n_done = state.tickets.iter().filter(|ticket| ticket.decision.is_some()).count();
        let at_first = (0..cases.len()).filter(|index| {
            let contacts: Vec<&Ticket> = state.of_case(*index).collect();
            let decision = contacts.first().and_then(|ticket| ticket.decision);
            contacts.len() == 1
                && decision.is_some_and(|decision| is_right(&cases[*index], decision))
        });
        let mean_price = mean_or(1.0, cases.iter().map(|case| case.price));
        Readings::default()
            .scaled(Kpi::NetValue, money + kept - effort.wages(), worst, best)
            .scaled(Kpi::Margin, money, -n * mean_price, 0.0)
            .scaled(Kpi::Ltv, kept, 0.0, most_kept)
            .plain(Kpi::Csat, mean_or(1.0, honest().map(|(_, csat)| *csat)))
            .plain(Kpi::FirstContactResolution, share_or(0.0, at_first.count() as f64, n))
            .scaled(Kpi::HandlingTime, effort.minutes_for_each(n_done, 20.0), 20.0, 3.0)
            .scaled(Kpi::CostToServe, (effort.wages() - money).max(0.0) / n, mean_price, 0.0)
            .plain(Kpi::Fairness, 1.0 - gap(honest().map(|(case, csat)| (case.group, *csat))) / 4.0)
    }
}

impl Ticket {
    fn new(case: usize, visit: Visit) -> Ticket {
        Ticket { case, visit, n_turns: 0, has_photos: false, decision: None, has_left: false }
    }
}

/// Puts those into the queue who come again.
fn follow(
    state: &mut State,
    spec: &Spec,
    ticket: &Ticket,
    decision: Decision,
    stream: &mut Stream,
) {
    if ticket.visit != Visit::First {
        return;
    }
    let case = &spec.cases[ticket.case];
    if !case.is_honest() {
        if decision != Decision::Refuse {
            state.tickets.push(Ticket::new(ticket.case, Visit::Repeat));
        }
        return;
    }
    let too_little = case.is_due() && points_of(case, Some(decision)) <= 3.0;
    if too_little && stream.chance(COMES_AGAIN) {
        state.tickets.push(Ticket::new(ticket.case, Visit::Again));
    }
}

fn announced(spec: &Spec, ticket: &Ticket) -> String {
    let case = &spec.cases[ticket.case];
    let Case { order, customer, item, says, .. } = case;
    match ticket.visit {
        Visit::First => format!("Next in the chat, order {order}:\n{says}"),
        Visit::Again => format!(
            "Next in the chat, order {order}:\nThis is {customer} again, about the {item}. That did not help me. {says}"
        ),
        Visit::Repeat => format!(
            "Next in the chat, order {order}:\nThis is {customer}. I have another {item} to return, same as last time. Please refund me."
        ),
    }
}

fn record(case: &Case) -> String {
    let Case { order, customer, group, item, days, n_orders, n_returns, .. } = case;
    let sale = if case.final_sale { "final sale" } else { "no final sale" };
    let window = if *days <= WINDOW { "within" } else { "beyond" };
    format!(
        "{order}: {customer} ({group}), {item}, {}, delivered {days} days ago ({window} {WINDOW} days), {sale}. \
         History: {n_orders} orders, {n_returns} returned. Margin of a year about {}. A parcel costs {}; \
         unused goods still bring {} %.",
        money(case.price),
        money(case.yearly),
        money(case.parcel),
        (case.resale * 100.0).round()
    )
}

fn photos(case: &Case) -> String {
    let seen = match case.truth {
        Reason::Faulty => "unused, and faulty",
        Reason::Worn => "clear signs of wear",
        Reason::WrongSize | Reason::ChangedMind => "unused, labels still on",
    };
    format!("Photos of {}: {seen}.", case.order)
}

fn settled(case: &Case, decision: Decision) -> String {
    let mood = match points_of(case, Some(decision)) {
        5.0.. => "Thank you, that is perfect!",
        4.0.. => "Thank you.",
        3.0.. => "Well. That is not quite what I wanted.",
        _ => "That is disappointing.",
    };
    format!("{} settled: {decision}. {}: {mood}", case.order, case.customer)
}
