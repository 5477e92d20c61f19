//! How a persona colours the lines of a script: words before and after them, never other words in them.

use stateset_core::Stream;

use crate::customer::Mood;
use crate::customer::grammar::expand;
use crate::persona::Persona;

/// `line` as `persona` says it.
pub(super) fn voiced(line: &str, persona: &Persona, stream: &mut Stream) -> String {
    let before = if stream.chance(persona.verbosity / 2.0) { remark(persona.mood) } else { "" };
    let is_polite = line.to_lowercase().contains("thank") || line.to_lowercase().contains("please");
    let after = if !is_polite && stream.chance(persona.formality / 3.0) {
        "[Thank you.|Please let me know.]"
    } else {
        ""
    };
    let parts = [expand(before, &[], stream), line.to_owned(), expand(after, &[], stream)];
    let parts: Vec<&str> =
        parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

fn remark(mood: Mood) -> &'static str {
    match mood {
        Mood::Calm => "[Well.|Let me see.|Okay.]",
        Mood::Cheerful => "[Great!|I see!|Interesting!]",
        Mood::Worried => "[I hope this works.|I am not sure about this.]",
        Mood::Annoyed => "[This takes too long.|I do not have all day.]",
        Mood::Angry => "[This is not good enough.|I am losing my patience.]",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateset_core::{Purpose, RunSeed, StreamKey};

    #[test]
    fn the_line_itself_is_kept() {
        let persona = Persona::named("curious_learner").unwrap_or_default();
        let mut changed = 0;
        for step in 0..100 {
            let key = StreamKey { step, ..StreamKey::default() };
            let mut stream = RunSeed(1).stream(Purpose::Environment, key);
            let said = voiced("My order is late.", &persona, &mut stream);
            assert!(said.contains("My order is late."));
            changed += usize::from(said != "My order is late.");
        }
        assert!((30..80).contains(&changed), "{changed}");
    }
}
