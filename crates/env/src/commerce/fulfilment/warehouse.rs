//! The days of a week: what can be called, what comes, what is sent.

use serde::{Deserialize, Serialize};
use stateset_core::Stream;

use super::orders::{DAYS, Order, Spec};
use super::stock::{Delivery, Parcels, parcel_cost, split, whole};
use crate::commerce::effort::Effort;
use crate::commerce::group::{Group, gap};
use crate::commerce::kpi::{Kpi, Readings};
use crate::commerce::simulator::{Profile, Scene, Simulator};
use crate::commerce::tally::{comes_back, mean_or, points, share_or};
use crate::commerce::verb::{Args, Kind, Param, Verb, short};
use crate::names::named_enum;

/// Orders, stock and deliveries.
#[derive(Clone, Copy, Default)]
pub(in crate::commerce) struct Fulfilment;

/// Days until goods come, and money of a delivery.
const LEAD_DAYS: u32 = 2;
const DELIVERY: f64 = 8.0;
/// Money of a unit-day in stock, and write-down of a unit that is left, as a share of its margin.
const HOLDING: f64 = 0.1;
const WRITE_DOWN: f64 = 0.15;

named_enum! {
    /// How an order stands.
    pub(in crate::commerce) enum Status {
        /// To be decided.
        Open => "open",
        /// To be sent as soon as there is stock.
        Backordered => "backordered",
        /// Sent.
        Sent => "sent",
        /// Cancelled by the shop.
        Cancelled => "cancelled",
    }
}

/// What happened to one order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::commerce) struct Entry {
    status: Status,
    /// Product that is sent.
    product: usize,
    was_told: bool,
    has_declined: bool,
    sent_day: u32,
    n_parcels: u32,
    /// Money of its parcels.
    cost: f64,
}

/// How the week stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::commerce) struct State {
    day: u32,
    on_hand: Vec<[u32; 2]>,
    coming: Vec<Delivery>,
    orders: Vec<Entry>,
    n_deliveries: u32,
    /// Sum over the days that are over of the units in stock.
    unit_days: f64,
}

impl Entry {
    fn csat(&self, order: &Order) -> f64 {
        let declined = if self.has_declined { 0.5 } else { 0.0 };
        let by_status = match self.status {
            Status::Open | Status::Backordered => 1.0,
            Status::Cancelled => 2.0,
            Status::Sent => {
                let late = f64::from(self.sent_day.saturating_sub(order.due()));
                let per_day = if self.was_told { 0.5 } else { 1.0 };
                let parcels = if self.n_parcels > 1 { 0.3 } else { 0.0 };
                let other = if self.product == order.product { 0.0 } else { 0.5 };
                5.0 - per_day * late - parcels - other
            }
        };
        points(by_status - declined)
    }

    fn is_in_time(&self, order: &Order) -> bool {
        self.status == Status::Sent && self.sent_day <= order.due()
    }
}

const ORDER: Param = Param::required("order_id", "number of the order, such as S3104", Kind::Text);
const WAREHOUSE: Param =
    Param::required("warehouse", "which warehouse", Kind::OneOf(&["north", "south"]));

impl Simulator for Fulfilment {
    type Spec = Spec;
    type State = State;

    const PROFILE: Profile = Profile {
        name: "fulfilment",
        summary: "a week of orders, two warehouses with too little stock, and deliveries that take two days",
        instructions: "You serve a shop's orders from a warehouse in the north and one in the south. Express orders are due \
            the same day, others two days later. Send orders from the nearer warehouse where it has the goods, \
            from the other or split where it has not, offer the similar product, backorder what can wait, and \
            cancel only what cannot be served. Buy again early: goods come after two days, each delivery costs \
            8.00, and what is left after day 7 is written down. Close the day when its orders are decided. \
            Several calls in one turn are fine.",
        max_turns: 24,
        reward: "kpi:net_value=0.5,kpi:sla=0.2,kpi:csat=0.15,kpi:inventory_age=0.05,kpi:fairness=0.1",
    };

    const VERBS: &'static [Verb] = &[
        Verb {
            name: "check_stock",
            what: "Shows stock and deliveries on their way.",
            minutes: 1.0,
            params: &[],
        },
        Verb {
            name: "ship",
            what: "Sends a whole order from one warehouse.",
            minutes: 1.0,
            params: &[ORDER, WAREHOUSE],
        },
        Verb {
            name: "split_shipment",
            what: "Sends an order in two parcels, one from each warehouse.",
            minutes: 2.0,
            params: &[ORDER],
        },
        Verb {
            name: "backorder",
            what: "Tells the customer to wait; the order is sent by itself as soon as there is stock.",
            minutes: 1.0,
            params: &[ORDER],
        },
        Verb {
            name: "substitute",
            what: "Offers the customer the similar product instead. They may decline.",
            minutes: 2.0,
            params: &[ORDER],
        },
        Verb { name: "cancel", what: "Cancels an order.", minutes: 1.0, params: &[ORDER] },
        Verb {
            name: "restock",
            what: "Buys goods for a warehouse; they come after two days.",
            minutes: 1.0,
            params: &[
                Param::required("product", "name of the product", Kind::Text),
                Param::required("quantity", "how many units", Kind::Whole(1, 100)),
                WAREHOUSE,
            ],
        },
        Verb { name: "close_day", what: "Ends the day.", minutes: 1.0, params: &[] },
    ];

    fn draw(stream: &mut Stream) -> Spec {
        Spec::draw(stream)
    }

    fn topic(spec: &Spec) -> &'static str {
        let wanted: u32 = spec.orders.iter().map(|order| order.quantity).sum();
        let stock: u32 = spec.stock.iter().flatten().sum();
        if 4 * stock < 3 * wanted { "short_stock" } else { "fair_stock" }
    }

    fn fault(spec: &Spec) -> Option<String> {
        spec.fault()
    }

    fn open(spec: &Spec) -> State {
        let entry = |order: &Order| Entry {
            status: Status::Open,
            product: order.product,
            was_told: false,
            has_declined: false,
            sent_day: 0,
            n_parcels: 0,
            cost: 0.0,
        };
        State {
            day: 0,
            on_hand: spec.stock.clone(),
            coming: Vec::new(),
            orders: spec.orders.iter().map(entry).collect(),
            n_deliveries: 0,
            unit_days: 0.0,
        }
    }

    fn opening(spec: &Spec, state: &State) -> String {
        let similar = match &spec.products[..] {
            [first, second, ..] => format!(" {first} and {second} are similar."),
            _ => String::new(),
        };
        format!("{}{similar}\n{}", shelves(spec, state), today(spec, state))
    }

    fn call(scene: &mut Scene<'_, Self>, verb: &Verb, args: Args<'_>) -> Result<String, String> {
        match verb.name {
            "check_stock" => return Ok(shelves(scene.spec, scene.state)),
            "close_day" => return Ok(close_day(scene.spec, scene.state)),
            "restock" => return restock(scene, args),
            _ => {}
        }
        let id = args.text("order_id");
        let here = |order: &Order| order.id == id && order.day <= scene.state.day;
        let found = scene.spec.orders.iter().position(here);
        let index = found.ok_or_else(|| format!("no order {:?} has come", short(id)))?;
        let status = scene.state.orders[index].status;
        if matches!(status, Status::Sent | Status::Cancelled) {
            return Err(format!("order {id} is {status} already"));
        }
        match verb.name {
            "ship" => ship(scene, index, warehouse(args)),
            "split_shipment" => split_shipment(scene, index),
            "substitute" => substitute(scene, index),
            name => {
                let entry = &mut scene.state.orders[index];
                entry.was_told = true;
                entry.status =
                    if name == "cancel" { Status::Cancelled } else { Status::Backordered };
                Ok(format!("{id} {}.", entry.status))
            }
        }
    }

    fn say(scene: &mut Scene<'_, Self>, _: &str) -> String {
        format!("Use the tools. {}", today(scene.spec, scene.state))
    }

    fn is_over(_: &Spec, state: &State) -> bool {
        state.day >= DAYS
    }

    fn readings(spec: &Spec, state: &State, effort: &Effort) -> Readings {
        let all = || spec.orders.iter().zip(&state.orders);
        let n = spec.orders.len() as f64;
        let sent = || all().filter(|(_, entry)| entry.status == Status::Sent);
        let margin_of = |(order, entry): (&Order, &Entry)| {
            spec.margin[entry.product] * f64::from(order.quantity)
        };
        let earned: f64 = sent().map(margin_of).sum();
        let parcels: f64 = sent().map(|(_, entry)| entry.cost).sum();
        let deliveries = f64::from(state.n_deliveries) * DELIVERY;
        let left = leftover(spec, state);
        let kept: f64 = all().map(|(o, entry)| comes_back(entry.csat(o)) * o.later).sum();
        let margin = earned - parcels - deliveries - HOLDING * state.unit_days - left;
        let (worst, best, most_kept) = bounds(spec);
        let in_time =
            |(order, entry): (&Order, &Entry)| f64::from(u8::from(entry.is_in_time(order)));
        let as_ordered = |(order, entry): (&Order, &Entry)| {
            if entry.product == order.product { f64::from(order.quantity) } else { 0.0 }
        };
        let wanted: f64 = spec.orders.iter().map(|order| f64::from(order.quantity)).sum();
        let n_units: f64 = sent().map(|(order, _)| f64::from(order.quantity)).sum();
        let delays = sent().map(|(order, e)| f64::from(e.sent_day.saturating_sub(order.day)));
        let decided = all().filter(|(_, entry)| entry.status != Status::Open).count();
        let week = f64::from(DAYS);
        let age = if n_units > 0.0 { (state.unit_days / n_units).min(week) } else { week };
        Readings::default()
            .scaled(Kpi::NetValue, margin + kept - effort.wages(), worst, best)
            .scaled(Kpi::Margin, margin, 0.0, best - most_kept)
            .scaled(Kpi::Ltv, kept, 0.0, most_kept)
            .plain(Kpi::Csat, mean_or(1.0, all().map(|(order, entry)| entry.csat(order))))
            .plain(Kpi::Sla, mean_or(0.0, all().map(in_time)))
            .plain(Kpi::FillRate, share_or(0.0, sent().map(as_ordered).sum(), wanted))
            .scaled(Kpi::Latency, mean_or(week, delays), week, 0.0)
            .scaled(Kpi::InventoryAge, age, week, 1.0)
            .scaled(Kpi::HandlingTime, effort.minutes_for_each(decided, 10.0), 10.0, 2.0)
            .scaled(Kpi::CostToServe, (parcels + deliveries + effort.wages()) / n, 20.0, 4.0)
            .plain(Kpi::Fairness, 1.0 - gap(all().map(|(o, e)| (o.group, in_time((o, e))))))
    }
}

/// Value of leaving every order alone, of serving every order well, and the later margin in the latter.
fn bounds(spec: &Spec) -> (f64, f64, f64) {
    let left: f64 = spec
        .stock
        .iter()
        .zip(&spec.margin)
        .map(|(units, margin)| write_down(*units, *margin))
        .sum();
    let stock: u32 = spec.stock.iter().flatten().sum();
    let holding = HOLDING * f64::from(stock * DAYS);
    let worst =
        spec.orders.iter().map(|order| comes_back(1.0) * order.later).sum::<f64>() - holding - left;
    let most_kept: f64 = spec.orders.iter().map(|order| comes_back(5.0) * order.later).sum();
    let margin = |order: &Order| {
        let mut parcels = [0; 2];
        parcels[order.group.index()] = order.quantity;
        spec.margin[order.product] * f64::from(order.quantity) - parcel_cost(parcels, order.group)
    };
    (worst, spec.orders.iter().map(margin).sum::<f64>() + most_kept, most_kept)
}

fn write_down(units: [u32; 2], margin: f64) -> f64 {
    WRITE_DOWN * margin * f64::from(units[0] + units[1])
}

/// Write-down of what is in stock or on its way, once the week is over or as if it were.
fn leftover(spec: &Spec, state: &State) -> f64 {
    let on_hand = state.on_hand.iter().zip(&spec.margin);
    let on_hand: f64 = on_hand.map(|(units, margin)| write_down(*units, *margin)).sum();
    let coming = state.coming.iter();
    on_hand + coming.map(|d| write_down([d.quantity, 0], spec.margin[d.product])).sum::<f64>()
}

fn warehouse(args: Args<'_>) -> usize {
    Group::from_name(args.text("warehouse")).map_or(0, Group::index)
}

fn name_of(warehouse: usize) -> &'static str {
    Group::ALL[warehouse.min(1)].name()
}

/// Takes the units from stock and marks the order as sent.
fn send(state: &mut State, order: &Order, index: usize, parcels: Parcels) {
    let entry = &mut state.orders[index];
    for (units, sent) in state.on_hand[entry.product].iter_mut().zip(parcels) {
        *units -= sent;
    }
    entry.status = Status::Sent;
    entry.sent_day = state.day;
    entry.n_parcels = parcels.iter().filter(|units| **units > 0).count() as u32;
    entry.cost = parcel_cost(parcels, order.group);
}

fn ship(
    scene: &mut Scene<'_, Fulfilment>,
    index: usize,
    warehouse: usize,
) -> Result<String, String> {
    let order = &scene.spec.orders[index];
    let product = scene.state.orders[index].product;
    let on_hand = scene.state.on_hand[product];
    let parcels = whole(on_hand, warehouse, order.quantity).ok_or_else(|| {
        let (name, goods) = (name_of(warehouse), &scene.spec.products[product]);
        format!(
            "the {name} has {} {goods}, {} needs {}",
            on_hand[warehouse], order.id, order.quantity
        )
    })?;
    send(scene.state, order, index, parcels);
    Ok(format!("{} sent from the {}.", order.id, name_of(warehouse)))
}

fn split_shipment(scene: &mut Scene<'_, Fulfilment>, index: usize) -> Result<String, String> {
    let order = &scene.spec.orders[index];
    let on_hand = scene.state.on_hand[scene.state.orders[index].product];
    let parcels = split(on_hand, order.group, order.quantity).ok_or_else(|| {
        let both = on_hand[0] + on_hand[1];
        format!("both warehouses have {both} together, {} needs {}", order.id, order.quantity)
    })?;
    send(scene.state, order, index, parcels);
    Ok(format!("{} sent: {} from the north, {} from the south.", order.id, parcels[0], parcels[1]))
}

fn substitute(scene: &mut Scene<'_, Fulfilment>, index: usize) -> Result<String, String> {
    let order = &scene.spec.orders[index];
    let entry = &mut scene.state.orders[index];
    if entry.product != order.product || entry.has_declined {
        return Err(format!("{} was asked about a substitute already", order.id));
    }
    let Some(other) = scene.spec.substitute(order.product) else {
        return Err(format!("nothing is similar to {}", scene.spec.products[order.product]));
    };
    let goods = &scene.spec.products[other];
    if scene.stream.chance(order.flexible) {
        entry.product = other;
        return Ok(format!(
            "{} takes {goods} instead; {} is still to be sent.",
            order.customer, order.id
        ));
    }
    entry.has_declined = true;
    Ok(format!("{} does not want {goods}.", order.customer))
}

fn restock(scene: &mut Scene<'_, Fulfilment>, args: Args<'_>) -> Result<String, String> {
    let name = args.text("product");
    let found = scene.spec.products.iter().position(|product| product == name);
    let product = found.ok_or_else(|| {
        format!(
            "no product is called {:?}; there are {}",
            short(name),
            scene.spec.products.join(", ")
        )
    })?;
    let quantity = args.whole("quantity").unwrap_or(1);
    let warehouse = warehouse(args);
    let day = scene.state.day + LEAD_DAYS;
    scene.state.coming.push(Delivery { product, warehouse, quantity, day });
    scene.state.n_deliveries += 1;
    Ok(format!("{quantity} {name} for the {} come on day {}.", name_of(warehouse), day + 1))
}

/// The night: goods come, backorders are sent, new orders come.
fn close_day(spec: &Spec, state: &mut State) -> String {
    state.unit_days += f64::from(state.on_hand.iter().flatten().sum::<u32>());
    state.day += 1;
    let today_is = state.day;
    let (here, coming): (Vec<Delivery>, Vec<Delivery>) =
        state.coming.drain(..).partition(|delivery| delivery.day <= today_is);
    state.coming = coming;
    for delivery in here {
        state.on_hand[delivery.product][delivery.warehouse] += delivery.quantity;
    }
    if state.day >= DAYS {
        return "The week is over.".to_owned();
    }
    let mut sent = Vec::new();
    for (index, order) in spec.orders.iter().enumerate() {
        if state.orders[index].status == Status::Backordered
            && let Some(parcels) = any_parcels(state, order, index)
        {
            send(state, order, index, parcels);
            sent.push(order.id.as_str());
        }
    }
    let sent = if sent.is_empty() {
        String::new()
    } else {
        format!("Backorders sent: {}. ", sent.join(", "))
    };
    format!("{sent}{}\n{}", shelves(spec, state), today(spec, state))
}

/// From the nearer warehouse, the other, or both.
fn any_parcels(state: &State, order: &Order, index: usize) -> Option<Parcels> {
    let on_hand = state.on_hand[state.orders[index].product];
    let near = order.group.index();
    whole(on_hand, near, order.quantity)
        .or_else(|| whole(on_hand, 1 - near, order.quantity))
        .or_else(|| split(on_hand, order.group, order.quantity))
}

fn shelves(spec: &Spec, state: &State) -> String {
    let shelf = |(name, units): (&String, &[u32; 2])| format!("{name} {}/{}", units[0], units[1]);
    let stock: Vec<String> = spec.products.iter().zip(&state.on_hand).map(shelf).collect();
    let coming = state.coming.iter().take(20).map(|delivery| {
        let Delivery { product, warehouse, quantity, day } = delivery;
        format!(
            "; {quantity} {} for the {} on day {}",
            spec.products[*product],
            name_of(*warehouse),
            day + 1
        )
    });
    format!("Stock north/south: {}{}.", stock.join(", "), coming.collect::<String>())
}

fn today(spec: &Spec, state: &State) -> String {
    let here = spec.orders.iter().zip(&state.orders);
    let here = here.filter(|(order, entry)| order.day <= state.day && entry.status == Status::Open);
    let lines = here.map(|(order, entry)| {
        let Order { id, customer, group, quantity, .. } = order;
        let speed = if order.is_express { "express" } else { "standard" };
        let goods = &spec.products[entry.product];
        format!(
            "\n{id}: {customer}, {group}, {quantity} {goods}, {speed}, due day {}",
            order.due() + 1
        )
    });
    format!("Day {} of {DAYS}. Open orders:{}", state.day + 1, lines.collect::<String>())
}
