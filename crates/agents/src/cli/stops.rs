//! Texts that end an answer, watched for while tokens arrive.

/// The text before the first stop.
pub(crate) fn before_stop<'a>(text: &'a str, stops: &[String]) -> &'a str {
    let found = stops.iter().filter_map(|stop| text.find(stop.as_str())).min();
    &text[..found.unwrap_or(text.len())]
}

/// Lets streamed text through, but for what is or may become a stop text.
pub(crate) struct StopFilter {
    stops: Vec<String>,
    held: String,
    is_over: bool,
}

impl StopFilter {
    /// A filter for these texts.
    pub(crate) fn new(stops: Vec<String>) -> StopFilter {
        StopFilter { stops, held: String::new(), is_over: false }
    }

    /// What is certain to belong to the answer once `piece` has arrived.
    pub(crate) fn push(&mut self, piece: &str) -> String {
        if self.is_over {
            return String::new();
        }
        self.held.push_str(piece);
        let kept = before_stop(&self.held, &self.stops).len();
        if kept < self.held.len() {
            self.is_over = true;
            self.held.truncate(kept);
            return std::mem::take(&mut self.held);
        }
        let doubtful = self.doubtful();
        let rest = self.held.split_off(self.held.len() - doubtful);
        std::mem::replace(&mut self.held, rest)
    }

    /// What was held back and turned out to be part of the answer.
    pub(crate) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Length of the longest end of the text that begins a stop.
    fn doubtful(&self) -> usize {
        let overlap = |stop: &String| {
            let ends = stop.char_indices().map(|(at, _)| at).rev();
            ends.filter(|&n| n <= self.held.len()).find(|&n| self.held.ends_with(&stop[..n]))
        };
        self.stops.iter().filter_map(overlap).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streamed(pieces: &[&str]) -> String {
        let mut filter = StopFilter::new(vec!["\nUser:".to_owned(), "END".to_owned()]);
        let mut text: String = pieces.iter().map(|piece| filter.push(piece)).collect();
        text += &filter.finish();
        text
    }

    #[test]
    fn stop_texts_are_never_shown() {
        assert_eq!(streamed(&["Hello", "\n", "Us", "er: more"]), "Hello");
        assert_eq!(streamed(&["Hello\nUs"]), "Hello\nUs");
        assert_eq!(streamed(&["a E", "N", "ough"]), "a ENough");
        assert_eq!(streamed(&["é\nU", "END", "x"]), "é\nU");
        assert_eq!(before_stop("a END b\nUser:", &["\nUser:".to_owned(), "END".to_owned()]), "a ");
    }
}
