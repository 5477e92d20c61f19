//! Other words by which agents ask for the usual facts, and how people state them.
//!
//! A goal needs no words of its own where its slots have usual names. Whatever is not in the table is
//! asked for by its phrase and stated as "the PHRASE is VALUE".

/// Words for one kind of fact.
pub(super) struct Words {
    /// What questions call it, in plain form (lower case, no marks).
    pub(super) asked_by: &'static [&'static str],
    /// A clause that states it; `{value}` is the value.
    pub(super) say: Option<&'static str>,
}

const NONE: Words = Words { asked_by: &[], say: None };

/// The words for a slot called `name`, such as `area` or `departure_city`.
pub(super) fn words_for(name: &str) -> Words {
    let known = TABLE.iter().find(|(names, _, _)| names.contains(&name));
    known.map_or(NONE, |(_, asked_by, say)| Words { asked_by, say: *say })
}

type Row = (&'static [&'static str], &'static [&'static str], Option<&'static str>);

const TABLE: &[Row] = &[
    (
        &["area"],
        &["area", "part of town", "side of town", "where"],
        Some("[in|it should be in] the {value} part of town"),
    ),
    (
        &["pricerange", "price_range"],
        &["price range", "price", "budget", "how much"],
        Some("[in the|my budget is the] {value} price range"),
    ),
    (
        &["food", "cuisine"],
        &["food", "cuisine", "eat"],
        Some("[i would like|we want] {value} food"),
    ),
    (
        &["people", "number_of_passengers", "guests"],
        &["people", "persons", "passengers", "guests", "how many", "party"],
        Some("[it is for|there are] {value} people"),
    ),
    (&["day", "date", "start_date"], &["day", "date", "when"], Some("[it is for|on] {value}")),
    (&["time"], &["time", "what hour", "when"], Some("[at|the time is] {value}")),
    (
        &["stay", "nights"],
        &["nights", "how long", "stay", "length of stay"],
        Some("[for|we stay] {value} nights"),
    ),
    (&["stars"], &["stars", "star rating"], Some("[it should have|with] {value} stars")),
    (
        &["departure", "departure_city", "from"],
        &[
            "departure",
            "depart",
            "departing",
            "leaving from",
            "coming from",
            "where from",
            "from where",
        ],
        Some("[i leave from|from] {value}"),
    ),
    (
        &["destination", "arrival_city", "to"],
        &["destination", "going to", "heading", "travel to", "where to", "arrival"],
        Some("[i am going to|to] {value}"),
    ),
    (
        &["leaveAt", "departure_time"],
        &["leave", "depart at", "departure time", "leaving time"],
        Some("[i want to leave|leaving] at {value}"),
    ),
    (
        &["arriveBy", "arrival_time"],
        &["arrive", "arrival time", "be there"],
        Some("[i must arrive|arriving] by {value}"),
    ),
    (&["internet"], &["internet", "wifi"], None),
    (&["parking"], &["parking", "car"], None),
    (&["type"], &["type", "kind", "sort"], Some("[it should be|i am looking for] {value}")),
    (&["name"], &["name", "called"], Some("[the name is|it is called] {value}")),
    (&["phone", "phone_number"], &["phone number", "phone", "telephone"], None),
    (&["email", "email_address"], &["email address", "email", "mail"], None),
    (&["postcode"], &["postcode", "post code", "zip code", "postal code"], None),
    (&["address"], &["address", "street"], None),
    (&["price", "fare", "cost"], &["price", "cost", "fare", "fee", "how much", "costs"], None),
    (&["duration"], &["duration", "travel time", "how long"], None),
    (&["trainID"], &["train id", "train number", "train"], None),
    (&["department"], &["department"], None),
    (&["ref", "reference"], &["reference number", "reference", "confirmation number"], None),
    (
        &["booking_confirmation_number"],
        &["confirmation number", "booking number", "booking confirmation"],
        None,
    ),
    (&["ssn"], &["social security number", "ssn"], None),
    (&["quantity"], &["quantity", "how many", "number of"], Some("[i need|make it] {value}")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customer::plain;

    #[test]
    fn words_are_in_plain_form_and_names_are_told_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (names, asked_by, say) in TABLE {
            for name in *names {
                assert!(seen.insert(name), "{name} twice");
            }
            for words in *asked_by {
                assert_eq!(plain(words), *words);
            }
            assert!(say.is_none_or(|say| say.contains("{value}")), "{names:?}");
        }
        assert!(words_for("nothing").asked_by.is_empty());
    }
}
