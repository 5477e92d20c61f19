//! The description of one simulated customer, as it stands in a scenario.
//!
//! In a scenario file it is the object under `customer`:
//!
//! ```json
//! {"issue": "late_delivery", "mood": "worried", "patience": 4, "opening_style": "greeting",
//!  "facts": {"order_number": "4821", "postcode": "30211", "name": "Anna Hill"},
//!  "fact_order": ["postcode", "order_number"], "n_opening_facts": 1}
//! ```
//!
//! `"kind": "customer"` may stand in it. `issue` and `facts` must be there; every fact the issue needs must have a value, and others may
//! (they are told when asked for). The rest has defaults: the issue's own order, no fact in the
//! opening, a calm mood, the mood's usual patience, a direct opening.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Combination, Domain, Issue, Mood, OpeningStyle, Slot};
use crate::error::{EnvError, Problem};
use crate::fields::{Fields, kind_of};

/// Longest value of a fact, in characters.
pub const MAX_FACT_CHARS: usize = 200;
/// Largest patience a customer can have.
pub const MAX_PATIENCE: usize = 20;

/// One simulated customer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CustomerSpec {
    /// Why they write.
    pub issue: Issue,
    /// What they know, by name.
    pub facts: BTreeMap<Slot, String>,
    /// The order in which the facts that the issue needs come out.
    pub fact_order: Vec<Slot>,
    /// How many of `fact_order` are told in the first message.
    pub n_opening_facts: usize,
    /// How they feel.
    pub mood: Mood,
    /// Unhelpful turns they tolerate; they leave when none is left.
    pub patience: u32,
    /// How they begin to write.
    pub opening_style: OpeningStyle,
}

const KEYS: &[&str] = &[
    "kind",
    "domain",
    "issue",
    "facts",
    "fact_order",
    "n_opening_facts",
    "mood",
    "patience",
    "opening_style",
];

impl CustomerSpec {
    /// Reads the object under a scenario's `customer` key.
    ///
    /// # Errors
    /// [`EnvError::Customer`] with everything that does not fit.
    pub fn from_value(value: &Value) -> Result<CustomerSpec, EnvError> {
        CustomerSpec::check(value, "", String::new())
            .map_err(|problems| EnvError::Customer { problems })
    }

    /// The object that [`CustomerSpec::from_value`] reads.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The desk they write to.
    pub fn domain(&self) -> Domain {
        self.issue.domain()
    }

    /// What makes this customer different from others for a held-out set.
    pub fn combination(&self) -> Combination {
        Combination {
            issue: self.issue,
            mood: self.mood,
            fact_order: self.fact_order.clone(),
            n_opening_facts: self.n_opening_facts,
        }
    }

    /// The value of a fact; `None` where the customer does not know it.
    pub fn fact(&self, slot: Slot) -> Option<&str> {
        self.facts.get(&slot).map(String::as_str)
    }

    /// Reads the object found at `place`; problems name their keys after `prefix`.
    pub(crate) fn check(
        value: &Value,
        place: &str,
        prefix: String,
    ) -> Result<CustomerSpec, Vec<Problem>> {
        let empty = Map::new();
        let object = value.as_object().unwrap_or(&empty);
        let mut fields = Fields::nested(place, prefix, object, KEYS);
        if !value.is_object() {
            fields.problem("", kind_of(value), "an object that describes a customer");
            return Err(fields.into_problems());
        }
        let spec = read(&mut fields);
        let problems = fields.into_problems();
        spec.filter(|_| problems.is_empty()).ok_or(problems)
    }
}

fn read(fields: &mut Fields<'_>) -> Option<CustomerSpec> {
    let domain = fields.choice("domain", Domain::ALL, Domain::name);
    let issue = fields.choice("issue", Issue::ALL, Issue::name);
    let mood = fields.choice("mood", Mood::ALL, Mood::name).unwrap_or(Mood::Calm);
    let patience = fields.count("patience", 1..=MAX_PATIENCE);
    let style = fields.choice("opening_style", OpeningStyle::ALL, OpeningStyle::name);
    let facts = read_facts(fields);
    if fields.value("issue").is_none() {
        fields.problem("issue", "nothing", "the name of an issue");
    }
    let issue = issue?;
    if let Some(domain) = domain.filter(|domain| *domain != issue.domain()) {
        let allowed = format!("{}, where {issue} belongs", issue.domain());
        fields.problem("domain", domain.name(), allowed);
    }
    check_facts(fields, issue, &facts);
    let fact_order = read_order(fields, issue);
    let n_opening_facts = fields.count("n_opening_facts", 0..=issue.required_slots().len());
    Some(CustomerSpec {
        issue,
        facts,
        fact_order,
        n_opening_facts: n_opening_facts.unwrap_or(0),
        mood,
        patience: patience.map_or(mood.usual_patience(), |patience| patience as u32),
        opening_style: style.unwrap_or(OpeningStyle::Direct),
    })
}

fn read_facts(fields: &mut Fields<'_>) -> BTreeMap<Slot, String> {
    let Some(object) = fields.object("facts") else { return BTreeMap::new() };
    let names: Vec<&str> = Slot::ALL.iter().map(|slot| slot.name()).collect();
    let mut inner = Fields::nested("", "facts.".to_owned(), object, &names);
    let mut facts = BTreeMap::new();
    for slot in Slot::ALL {
        facts.extend(inner.text(slot.name(), MAX_FACT_CHARS).map(|text| (*slot, text)));
    }
    for problem in inner.into_problems() {
        let Problem { key, found, allowed, hint, .. } = problem;
        fields.problem_with_hint(&key, found, allowed, hint);
    }
    facts
}

fn check_facts(fields: &mut Fields<'_>, issue: Issue, facts: &BTreeMap<Slot, String>) {
    let has_object = fields.value("facts").is_none_or(Value::is_object);
    for slot in issue.required_slots().iter().filter(|slot| !facts.contains_key(slot)) {
        let key = format!("facts.{slot}");
        if has_object && fields.value("facts").and_then(|facts| facts.get(slot.name())).is_none() {
            fields.problem(&key, "nothing", format!("a value, which {issue} needs"));
        }
    }
    for (slot, value) in facts {
        if let Some(allowed) = shape(*slot).filter(|_| !has_shape(*slot, value)) {
            fields.problem(&format!("facts.{slot}"), format!("{value:?}"), allowed);
        }
    }
}

/// What values of `slot` look like, where the customer must recognise them in what the agent says.
fn shape(slot: Slot) -> Option<&'static str> {
    match slot {
        Slot::OrderNumber => Some("3 to 8 digits"),
        Slot::Email => Some("an address such as anna@example.com"),
        _ => Some("a text with a letter or digit"),
    }
}

fn has_shape(slot: Slot, value: &str) -> bool {
    match slot {
        Slot::OrderNumber => {
            (3..=8).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit())
        }
        Slot::Email => value.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && host.contains('.') && !value.contains(char::is_whitespace)
        }),
        _ => value.chars().any(char::is_alphanumeric),
    }
}

fn read_order(fields: &mut Fields<'_>, issue: Issue) -> Vec<Slot> {
    let required = issue.required_slots();
    if fields.value("fact_order").is_none() {
        return required.to_vec();
    }
    let names = fields.texts("fact_order", Slot::ALL.len(), MAX_FACT_CHARS);
    let order: Vec<Slot> = names.iter().filter_map(|name| Slot::from_name(name)).collect();
    let mut sorted = (order.clone(), required.to_vec());
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    if order.len() != names.len() || sorted.0 != sorted.1 {
        let needed: Vec<&str> = required.iter().map(|slot| slot.name()).collect();
        let allowed = format!("each of {} once", needed.join(", "));
        fields.problem("fact_order", format!("[{}]", names.join(", ")), allowed);
        return required.to_vec();
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(value: Value) -> Vec<String> {
        match CustomerSpec::check(&value, "", String::new()) {
            Ok(spec) => panic!("it was accepted: {spec:?}"),
            Err(problems) => problems.iter().map(Problem::to_string).collect(),
        }
    }

    #[test]
    fn what_is_left_out_has_defaults() {
        let spec = CustomerSpec::from_value(&json!({
            "issue": "refund", "facts": {"order_number": 4821, "reason": "it broke"}
        }))
        .unwrap();
        assert_eq!(spec.fact(Slot::OrderNumber), Some("4821"));
        assert_eq!(spec.fact_order, [Slot::OrderNumber, Slot::Reason]);
        assert_eq!((spec.n_opening_facts, spec.mood, spec.patience), (0, Mood::Calm, 4));
        assert_eq!(CustomerSpec::from_value(&spec.to_value()).unwrap(), spec);
    }

    #[test]
    fn all_problems_come_together() {
        let found = problems(json!({
            "issue": "refund", "domain": "sales", "mod": "calm", "mood": "grumpy", "patience": 0,
            "facts": {"order_number": "A1", "resaon": "x"},
            "fact_order": ["reason"], "n_opening_facts": 5,
        }));
        assert_eq!(found.len(), 9, "{found:#?}");
        assert!(found.iter().any(|p| p.contains("did you mean `mood`?")), "{found:#?}");
        assert!(found.iter().any(|p| p.contains("`facts.resaon`")), "{found:#?}");
        assert!(found.iter().any(|p| p.contains("`facts.reason`: found nothing")), "{found:#?}");
        assert!(found.iter().any(|p| p.contains("3 to 8 digits")), "{found:#?}");
    }

    #[test]
    fn something_else_than_an_object_is_refused() {
        assert_eq!(
            problems(json!("angry")),
            ["found a text, allowed is an object that describes a customer"]
        );
        assert_eq!(
            problems(json!({"facts": {}})),
            ["`issue`: found nothing, allowed is the name of an issue"]
        );
    }
}
