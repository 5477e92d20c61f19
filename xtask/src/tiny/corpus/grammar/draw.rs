//! Draws a sentence from a list of templates, and knows which facts it may quote.

use stateset_core::Stream;
use stateset_env::customer::grammar::expand;

/// Values by name, for the `{names}` of templates.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Values(Vec<(&'static str, String)>);

impl Values {
    /// Adds or replaces a value.
    pub(in super::super) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value.into()));
    }

    /// The value of `name`; `None` where it is not known.
    pub(in super::super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// True where every `{name}` of `template` has a value.
    pub(in super::super) fn fill(&self, template: &str) -> bool {
        names(template).all(|name| self.get(name).is_some())
    }
}

/// The `{names}` in `template`.
pub(super) fn names(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

/// One of `templates` whose values are all known, expanded; empty where there is none.
pub(in super::super) fn draw(templates: &[&str], values: &Values, stream: &mut Stream) -> String {
    let usable: Vec<&str> =
        templates.iter().copied().filter(|template| values.fill(template)).collect();
    let pairs: Vec<(&str, &str)> =
        values.0.iter().map(|(name, value)| (*name, value.as_str())).collect();
    match stream.choose(&usable) {
        Some(template) => expand(template, &pairs, stream),
        None => String::new(),
    }
}

/// One of `items` with a chance in proportion to its weight; `None` where no weight is positive.
pub(in super::super) fn weighted<T: Copy>(items: &[(T, u32)], stream: &mut Stream) -> Option<T> {
    let total: u32 = items.iter().map(|(_, weight)| weight).sum();
    if total == 0 {
        return None;
    }
    let mut place = stream.index(total as usize) as u32;
    items.iter().find_map(|(item, weight)| {
        let is_here = place < *weight;
        place = place.saturating_sub(*weight);
        is_here.then_some(*item)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateset_core::{Purpose, RunSeed, StreamKey};

    fn stream() -> Stream {
        RunSeed(3).stream(Purpose::Data, StreamKey::default())
    }

    #[test]
    fn only_known_facts_are_quoted() {
        let mut values = Values::default();
        let templates = ["Order {order}.", "{order} in {color}.", "Fine."];
        let all = |values: &Values| {
            let mut stream = stream();
            let mut texts: Vec<String> =
                (0..100).map(|_| draw(&templates, values, &mut stream)).collect();
            texts.sort();
            texts.dedup();
            texts
        };
        assert_eq!(all(&values), ["Fine."]);
        values.set("order", "1");
        values.set("order", "2");
        assert_eq!(all(&values), ["Fine.", "Order 2."]);
        assert_eq!(draw(&["{color}"], &values, &mut stream()), "");
    }

    #[test]
    fn weights_are_shares() {
        let mut stream = stream();
        let n = 4000;
        let drawn: Vec<char> =
            (0..n).filter_map(|_| weighted(&[('a', 1), ('b', 0), ('c', 3)], &mut stream)).collect();
        let n_c = drawn.iter().filter(|letter| **letter == 'c').count();
        assert_eq!(drawn.len(), n);
        assert!(!drawn.contains(&'b'));
        assert!((n_c as f64 / n as f64 - 0.75).abs() < 0.03, "{n_c}");
        assert_eq!(weighted(&[('a', 0)], &mut stream), None);
    }
}
