//! Text up to what ends it: held back exactly as long as it could become a stop text.
//!
//! The rule is that of a whole answer, [`stateset_nn::ChatFormat::reply_text`]: the text ends before the
//! first place where any of the stop texts stands.

/// Watches a text for what ends it.
#[derive(Debug)]
pub(super) struct Stops {
    /// Never empty ones.
    texts: Vec<String>,
    held: String,
}

impl Stops {
    /// Ends at the first of these; empty ones are passed over.
    pub(super) fn new(texts: impl IntoIterator<Item = String>) -> Stops {
        let texts = texts.into_iter().filter(|text| !text.is_empty()).collect();
        Stops { texts, held: String::new() }
    }

    /// Takes text; gives what certainly stands before the end.
    pub(super) fn push(&mut self, text: &str) -> String {
        self.held.push_str(text);
        let possible = self.texts.iter().map(|stop| {
            self.held.find(stop.as_str()).unwrap_or_else(|| beginning_of(&self.held, stop))
        });
        let certain = possible.min().unwrap_or(self.held.len());
        let rest = self.held.split_off(certain);
        std::mem::replace(&mut self.held, rest)
    }

    /// True once a stop text stands in the text.
    pub(super) fn is_over(&self) -> bool {
        self.texts.iter().any(|stop| self.held.contains(stop.as_str()))
    }

    /// The rest, and the text that ended it.
    pub(super) fn finish(self) -> (String, Option<String>) {
        let places =
            self.texts.iter().filter_map(|stop| Some((self.held.find(stop.as_str())?, stop)));
        match places.min_by_key(|(at, _)| *at) {
            Some((at, stop)) => (self.held[..at].to_owned(), Some(stop.clone())),
            None => (self.held, None),
        }
    }
}

/// Where at the end of `text` the text `mark` may be beginning; the end where it is not.
pub(super) fn beginning_of(text: &str, mark: &str) -> usize {
    let mut lengths: Vec<usize> = mark.char_indices().map(|(at, _)| at).skip(1).collect();
    lengths.reverse();
    let begun = lengths.into_iter().find(|&n| text.ends_with(&mark[..n]));
    text.len() - begun.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(text: &str, stops: &[String]) -> String {
        let end = stops.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| text.find(stop));
        text[..end.min().unwrap_or(text.len())].to_owned()
    }

    fn cut(text: &str, stops: &[String], sizes: &[usize]) -> (Vec<String>, Option<String>) {
        let mut watch = Stops::new(stops.to_vec());
        let (mut pieces, mut rest) = (Vec::new(), text);
        for &size in sizes {
            let n = rest.char_indices().nth(size).map_or(rest.len(), |(at, _)| at);
            pieces.push(watch.push(&rest[..n]));
            rest = &rest[n..];
        }
        pieces.push(watch.push(rest));
        let (last, stop) = watch.finish();
        pieces.push(last);
        (pieces, stop)
    }

    #[test]
    fn text_is_held_back_only_while_it_may_be_a_stop() {
        let mut watch = Stops::new(["STOP".to_owned(), String::new()]);
        assert_eq!(watch.push("go S"), "go ");
        assert_eq!(watch.push("T"), "");
        assert_eq!(watch.push("U ST"), "STU ");
        assert_eq!(watch.push("OP on"), "");
        assert_eq!(watch.finish(), (String::new(), Some("STOP".to_owned())));
    }

    proptest! {
        #[test]
        fn pieces_are_the_whole(
            text in "[abé]{0,24}",
            stops in prop::collection::vec("[abé]{0,4}", 0..4),
            sizes in prop::collection::vec(0usize..5, 0..12),
        ) {
            let (pieces, stop) = cut(&text, &stops, &sizes);
            prop_assert_eq!(pieces.concat(), whole(&text, &stops));
            prop_assert_eq!(stop.is_some(), whole(&text, &stops).len() < text.len());
        }
    }
}
