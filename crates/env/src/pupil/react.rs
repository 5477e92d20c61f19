//! The pupil at work: a small state machine without a model.
//!
//! Help is counted in points. A question how the pupil got there is worth one, once; an example or a
//! simpler case one, once; a hint one where it is stated and two where it is part of a question, each of
//! the misconception's words once and at most two points a turn. With two points (three for a weak
//! pupil) the pupil sees it, says the right answer and is happy. The rules, strongest first:
//!
//! 1. An empty turn, an insult, a muddle or a lecture (more than 60 words) gets a complaint.
//! 2. The right answer told gives no point whatever else the turn holds. The first time the pupil asks
//!    why; the second time they write it down and go, without having understood.
//! 3. Help is taken up. Repeating oneself or the pupil is noticed.
//! 4. Goodbye ends the conversation. A wrong belief praised as right ("that is correct") ends it as well:
//!    the pupil believes it.
//! 5. Everything else costs patience; only the first kind word does not.

use std::sync::LazyLock;

use stateset_core::Stream;

use super::misconception::Problem;
use super::spec::PupilSpec;
use super::state::PupilState;
use crate::agenda::holds;
use crate::customer::grammar::expand;
use crate::customer::{
    Acts, Ending, Fault, Patterns, Sentence, is_asking, plain, plain_sentences, understand_manners,
};
use crate::text::{is_parrot, is_repeat, words};

/// More words than a pupil will read.
const MAX_WORDS: usize = 60;
/// Most points of help in one turn.
const MAX_POINTS: u32 = 2;
/// Earlier turns of the tutor that the pupil remembers, and words of each.
const MEMORY: (usize, usize) = (16, 60);

/// What the pupil answers.
#[derive(Clone, Debug, PartialEq)]
pub struct PupilReply {
    /// The words; last words where the conversation is over.
    pub text: String,
    /// How it ended, if it did.
    pub ending: Option<Ending>,
    /// What was wrong with the tutor's turn; empty for a good one.
    pub faults: Vec<Fault>,
}

/// The pupil's first message and their memory after it.
pub fn open(spec: &PupilSpec, stream: &mut Stream) -> (PupilState, String) {
    let template = "[Hi.|Hello!|] [I am stuck.|I have a problem in maths.|] \
        [I was asked for {question}|The question is {question}|I need {question}] . \
        [I got {wrong}.|I think it is {wrong}.|My answer is {wrong}.] \
        [Is that right?|Can you help me?|But the book says no.]";
    let text = spec.problem().map_or_else(String::new, |problem| say(template, &problem, stream));
    (PupilState::new(spec, &text), text)
}

/// The pupil's answer to one turn of the tutor. After the end nothing more is said.
pub fn react(
    spec: &PupilSpec,
    state: &mut PupilState,
    tutor_text: &str,
    stream: &mut Stream,
) -> PupilReply {
    let (None, Some(problem)) = (state.ending, spec.problem()) else {
        return PupilReply { text: String::new(), ending: state.ending, faults: Vec::new() };
    };
    let tutor_words = words(tutor_text);
    let heard = hear(spec, &problem, tutor_text, &tutor_words);
    let judgement = judge(spec, state, &heard, &tutor_words);
    settle(spec, state, &judgement, heard.encourages);
    if state.earlier_turns.len() < MEMORY.0 {
        state
            .earlier_turns
            .push(tutor_words.iter().take(MEMORY.1).cloned().collect::<Vec<_>>().join(" "));
    }
    let template = if state.ending == Some(Ending::GaveUp) && judgement.ending.is_none() {
        "[I give up|This makes no sense to me|I will ask somebody else]. [Bye.|]"
    } else {
        judgement.template
    };
    let mut text = say(template, &problem, stream);
    if text == state.last_said {
        text = say(template, &problem, stream);
    }
    state.last_said.clone_from(&text);
    PupilReply { text, ending: state.ending, faults: judgement.fault.into_iter().collect() }
}

fn say(template: &str, problem: &Problem, stream: &mut Stream) -> String {
    let values = [
        ("question", problem.question.as_str()),
        ("wrong", problem.wrong.as_str()),
        ("right", problem.right.as_str()),
        ("because", problem.because.as_str()),
    ];
    expand(template, &values, stream)
}

/// One turn of a tutor as the pupil hears it.
struct Heard {
    manners: Acts,
    n_words: usize,
    tells: bool,
    agrees: bool,
    probes: bool,
    exemplifies: bool,
    encourages: bool,
    /// Hints by number, and whether a question holds them.
    hints: Vec<(usize, bool)>,
}

fn hear(spec: &PupilSpec, problem: &Problem, text: &str, words: &[String]) -> Heard {
    let sentences = plain_sentences(text);
    let does: Vec<Does> =
        sentences.iter().flat_map(|sentence| DOES.all_in(&sentence.text)).collect();
    let right = plain(&problem.right);
    let wrong = plain(&problem.wrong);
    let question = plain(&problem.question);
    // What the problem itself or the pupil's answer holds is not told by repeating it.
    let tells = |sentence: &Sentence| {
        let rest = sentence.text.replace(&question, " ").replace(&wrong, " ");
        let rest = rest.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let compares = holds(&question, &right) && holds(&sentence.text, &wrong);
        holds(&rest, &right) && !compares
    };
    let mut hints: Vec<(usize, bool)> = Vec::new();
    for sentence in &sentences {
        let asks = is_asking(sentence);
        let found = spec.misconception.hints().iter().enumerate();
        hints.extend(found.filter(|(_, hint)| holds(&sentence.text, hint)).map(|(i, _)| (i, asks)));
    }
    Heard {
        manners: understand_manners(text, &sentences, words),
        n_words: words.len(),
        tells: sentences.iter().any(tells),
        agrees: does.contains(&Does::Agrees) && !does.contains(&Does::Doubts),
        probes: does.contains(&Does::Probes),
        exemplifies: does.contains(&Does::Exemplifies),
        encourages: does.contains(&Does::Encourages),
        hints,
    }
}

struct Judgement {
    fault: Option<Fault>,
    template: &'static str,
    ending: Option<Ending>,
}

fn fault(fault: Fault, template: &'static str) -> Judgement {
    Judgement { fault: Some(fault), template, ending: None }
}

fn judge(
    spec: &PupilSpec,
    state: &mut PupilState,
    heard: &Heard,
    words_now: &[String],
) -> Judgement {
    if let Some(judgement) = unreadable(heard) {
        return judgement;
    }
    if heard.tells {
        return told(state);
    }
    let before = state.earlier_turns.iter().map(|turn| words(turn));
    if before.into_iter().any(|turn| is_repeat(words_now, &turn))
        || is_parrot(words_now, &words(&state.last_said))
    {
        return fault(
            Fault::RepeatedTurn,
            "[You said that already.|We had that before.|That is what we just said.]",
        );
    }
    if heard.agrees {
        let template = "[Oh good|Great], then it is {wrong}. [Thanks!|Bye!]";
        return Judgement {
            fault: Some(Fault::WrongFact),
            template,
            ending: Some(Ending::AgentLeft),
        };
    }
    let points = take_up(state, heard);
    if state.understanding >= spec.need() {
        let template = "[Oh!|Ah, wait.|Now I see.] [Then it is|So it is|It must be] {right}! \
            [Thank you!|That makes sense.|I understand it now.]";
        return Judgement { fault: None, template, ending: Some(Ending::Solved) };
    }
    if points > 0 {
        let template = if heard.probes {
            "[Well|Hm|I think], {because}. [So it is {wrong}.|Is that wrong?|]"
        } else {
            "[Hm, I did not think of that.|Oh. Then maybe {wrong} is not right.|Wait, let me think.] \
             [What do I do next?|And then?|]"
        };
        return Judgement { fault: None, template, ending: None };
    }
    if heard.manners.says_goodbye {
        let template = "[But I still do not get it.|Okay. I still think it is {wrong}.] [Bye.|]";
        return Judgement { fault: None, template, ending: Some(Ending::AgentLeft) };
    }
    if heard.encourages && !state.was_encouraged {
        let template = "[Thanks.|Okay.] [But where is my mistake?|But is {wrong} right?]";
        return Judgement { fault: None, template, ending: None };
    }
    fault(
        Fault::Unhelpful,
        "[I do not know.|I still get {wrong}.|How does that help me?|I do not see it.]",
    )
}

fn unreadable(heard: &Heard) -> Option<Judgement> {
    let manners = &heard.manners;
    if manners.is_empty {
        Some(fault(Fault::Unhelpful, "[Hello?|Are you there?|You did not say anything.]"))
    } else if manners.is_rude {
        Some(fault(Fault::Rude, "[That was not nice.|Please do not say that.]"))
    } else if manners.muddle.is_some() {
        Some(fault(Fault::Confusing, "[I do not understand.|What do you mean?]"))
    } else if heard.n_words > MAX_WORDS {
        Some(fault(
            Fault::Confusing,
            "[That is too much at once.|Can you say that in a short way?]",
        ))
    } else {
        None
    }
}

fn told(state: &mut PupilState) -> Judgement {
    state.n_told += 1;
    if state.n_told > 1 {
        let template = "[Okay|Fine], I will write down {right}. [Bye.|Thanks.]";
        return Judgement { fault: Some(Fault::Premature), template, ending: Some(Ending::GaveUp) };
    }
    fault(
        Fault::Premature,
        "[Okay, {right}. But why?|If you say so. Why is it not {wrong}?|{right}? I do not see why.]",
    )
}

/// Adds the points of a turn to the pupil's understanding.
fn take_up(state: &mut PupilState, heard: &Heard) -> u32 {
    let mut points = 0;
    if heard.probes && !state.was_probed {
        state.was_probed = true;
        points += 1;
    }
    if heard.exemplifies && !state.had_example {
        state.had_example = true;
        points += 1;
    }
    for (hint, is_asked) in &heard.hints {
        if points < MAX_POINTS && !state.hints.contains(hint) {
            state.hints.push(*hint);
            points += if *is_asked { 2 } else { 1 };
        }
    }
    let points = points.min(MAX_POINTS);
    state.understanding += points;
    points
}

fn settle(spec: &PupilSpec, state: &mut PupilState, judgement: &Judgement, encourages: bool) {
    if let Some(fault) = judgement.fault {
        *state.faults.entry(fault).or_default() += 1;
        let cost = if fault == Fault::Rude { 2 } else { 1 };
        state.patience_left = state.patience_left.saturating_sub(cost);
        state.satisfaction -= 0.15 * f64::from(cost);
    } else {
        state.satisfaction += (1.0 - state.satisfaction) / 10.0;
        if encourages && !state.was_encouraged {
            state.was_encouraged = true;
            state.satisfaction += 0.1;
        }
    }
    state.ending = match judgement.ending {
        None if state.patience_left == 0 => Some(Ending::GaveUp),
        ending => ending,
    };
    state.satisfaction += match state.ending {
        Some(Ending::Solved) => 0.3,
        Some(Ending::GaveUp | Ending::AgentLeft) => -0.3,
        None => 0.0,
    };
    state.satisfaction = state.satisfaction.clamp(0.0, 1.0);
    state.understanding = state.understanding.min(spec.need());
}

#[derive(Clone, Copy, PartialEq)]
enum Does {
    Agrees,
    Doubts,
    Probes,
    Exemplifies,
    Encourages,
}

static DOES: LazyLock<Patterns<Does>> = LazyLock::new(|| {
    use Does::{Agrees, Doubts, Encourages, Exemplifies, Probes};
    Patterns::new(&[
        (
            Agrees,
            r"(that|it|your answer|this) is ~1 (right|correct|true)|(you are|yes) ~1 (right|correct)|(well done|perfect|exactly)$",
        ),
        (Doubts, r"not|almost|nearly|close|but|wrong|mistake|part|if"),
        (
            Probes,
            r"(how|why) (did|do|would) you|how come|(can|could|will) you ~1 (explain|show|tell|describe|say)|(explain|show|tell|walk) me ~1 (how|why|what|through|your|the)|what (did|do) you (do|think|mean)|why do you think|where did you (start|begin)",
        ),
        (
            Exemplifies,
            r"for example|(simpler|smaller|easier|other|another) (numbers|example|one|case|problem)|imagine|suppose|what (would happen )?if|think of|draw (a|it|the)|picture",
        ),
        (
            Encourages,
            r"(good|great|nice|well) (try|start|thinking|idea|question|job|work|done)|you are (close|almost|nearly|doing|on the right)|(almost|nearly) (there|right)|do not worry|you can do|i like (how|your|that)|(good|great|nice)$",
        ),
    ])
});

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use stateset_core::{Purpose, RunSeed, StreamKey};

    fn lesson(turns: &[&str]) -> (PupilState, Vec<PupilReply>) {
        let spec = PupilSpec::from_value(&json!({
            "misconception": "left_to_right", "numbers": [2, 3, 4], "persona": {"expertise": 0.2},
        }))
        .unwrap();
        let mut stream = RunSeed(3).stream(Purpose::Environment, StreamKey::default());
        let (mut state, _) = open(&spec, &mut stream);
        let replies =
            turns.iter().map(|turn| react(&spec, &mut state, turn, &mut stream)).collect();
        (state, replies)
    }

    #[test]
    fn questions_and_hints_teach() {
        let (state, replies) =
            lesson(&["Good try! How did you get that?", "Which part do we work out first?"]);
        assert!(replies[0].text.to_lowercase().contains("left to right"), "{}", replies[0].text);
        assert!(replies[1].text.contains("14"), "{}", replies[1].text);
        assert_eq!(state.ending, Some(Ending::Solved));
        assert!(state.satisfaction > 0.8 && state.was_encouraged);
        let (state, _) = lesson(&[
            "Multiplication binds stronger than plus.",
            "It comes before plus.",
            "Think of the brackets, please.",
        ]);
        assert_eq!(state.ending, Some(Ending::Solved));
    }

    #[test]
    fn being_told_does_not() {
        let (state, replies) =
            lesson(&["The answer is 14.", "It is 14 because times comes first."]);
        assert_eq!((state.understanding, state.n_told), (0, 2));
        assert_eq!(replies[1].ending, Some(Ending::GaveUp));
        let (state, _) = lesson(&["That is right, well done."]);
        assert_eq!(state.ending, Some(Ending::AgentLeft));
        let (state, _) =
            lesson(&["You got 20 for 2 + 3 x 4. That is not right. Why did you do that?"]);
        assert_eq!((state.n_told, state.was_probed, state.ending), (0, true, None));
    }

    #[test]
    fn the_same_help_twice_and_empty_words_cost_patience() {
        let (state, _) = lesson(&["How did you get that?", "How did you get that?", "", "Okay."]);
        assert_eq!((state.understanding, state.patience_left), (1, 1));
        let everything = spec_hints();
        let (state, _) = lesson(&[&everything]);
        assert_eq!(state.understanding, 0, "a list of hints is a muddle");
    }

    fn spec_hints() -> String {
        crate::pupil::Misconception::LeftToRight.hints().join(" ")
    }
}
