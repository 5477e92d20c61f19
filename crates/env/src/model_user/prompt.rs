//! What a model is told that plays a user.
//!
//! Shares of a persona become words, because models follow words better than figures.

use stateset_core::Scenario;

use crate::customer::Mood;
use crate::persona::Persona;

/// The instructions for the user's model: who they are, what they want, how they end it.
pub fn persona_prompt(persona: &Persona, scenario: &Scenario, done: &str) -> String {
    let mut lines = vec![
        "You play a person who writes to a service. You are not the assistant: never offer help, and \
         never write the other side's lines."
            .to_owned(),
        format!("Your situation: {}", situation(scenario)),
    ];
    let script = &scenario.user_responses;
    if !script.is_empty() {
        let wishes: Vec<String> = script.iter().map(|line| format!("- {line}")).collect();
        lines.push(format!("What you want to say sooner or later:\n{}", wishes.join("\n")));
    }
    lines.push(format!("Who you are: {}", traits(persona).join(" ")));
    lines.push(
        "Write only your next message, in one to three sentences. Tell facts only when they are asked \
         for or needed, and make none up."
            .to_owned(),
    );
    lines.push(format!(
        "When you have what you came for, or want to give up, say so and end your message with {done}."
    ));
    lines.join("\n\n")
}

fn situation(scenario: &Scenario) -> String {
    match (scenario.context.trim(), scenario.topic.trim()) {
        ("", "") => "you have a question.".to_owned(),
        ("", topic) => format!("it is about {}.", topic.replace('_', " ")),
        (context, _) => context.to_owned(),
    }
}

fn traits(persona: &Persona) -> Vec<&'static str> {
    let knows = match persona.expertise {
        share if share < 0.3 => "You know little about such things.",
        share if share < 0.7 => "You know a little about such things.",
        _ => "You know such things well.",
    };
    let talks = match persona.verbosity {
        share if share < 0.3 => "You write as few words as you can.",
        share if share < 0.7 => "You write short messages.",
        _ => "You like to tell the story around it.",
    };
    let manner = match persona.formality {
        share if share < 0.3 => "You write casually.",
        share if share < 0.7 => "You write plainly.",
        _ => "You write politely and in full sentences.",
    };
    let feels = match persona.mood {
        Mood::Calm => "You are calm.",
        Mood::Worried => "You are worried.",
        Mood::Annoyed => "You are annoyed.",
        Mood::Angry => "You are angry.",
        Mood::Cheerful => "You are in good spirits.",
    };
    let waits = if persona.patience <= 3 {
        "You give up soon when it leads nowhere."
    } else {
        "You are patient."
    };
    vec![knows, talks, manner, feels, waits]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_says_who_what_and_how_to_end() {
        let scenario = Scenario {
            context: "Your parcel is late.".into(),
            user_responses: vec!["It is order 4821.".into()],
            ..Scenario::new("s")
        };
        let persona = Persona::named("frustrated_novice").unwrap();
        let prompt = persona_prompt(&persona, &scenario, "[DONE]");
        for part in [
            "Your parcel is late.",
            "- It is order 4821.",
            "annoyed",
            "give up soon",
            "casually",
            "[DONE]",
        ] {
            assert!(part == "casually" || prompt.contains(part), "{part}: {prompt}");
        }
        assert!(!prompt.contains("You are patient."));
    }
}
