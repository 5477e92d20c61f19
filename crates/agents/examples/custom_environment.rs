//! A world of one's own: a guessing game in which the user thinks of a colour and the agent has three
//! turns to name it.
//!
//! `cargo run --release --example custom_environment`
#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use stateset_agents::prelude::*;

const COLOURS: [&str; 4] = ["red", "green", "blue", "black"];

/// The user thinks of a colour, drawn anew for each episode.
struct GuessTheColour;

#[async_trait]
impl Environment for GuessTheColour {
    async fn reset(
        &self,
        scenario: &Scenario,
        mut stream: Stream,
    ) -> Result<Opening, RolloutError> {
        let mut state = EnvironmentState::new(&scenario.id);
        // All memory of an episode is in its state.
        let colour = COLOURS[stream.index(COLOURS.len())];
        state.context.insert("colour".into(), colour.into());
        let words = "I want a lamp in a certain colour. Which one do I mean?";
        Ok(Opening { state, messages: vec![Message::user(words)], tools: Vec::new() })
    }

    async fn step(
        &self,
        _: &Scenario,
        state: &mut EnvironmentState,
        action: &ConversationTurn,
        _: Stream,
    ) -> Result<StepOutcome, RolloutError> {
        state.turn_count += 1;
        let said = action.message.content.to_lowercase();
        let colour = state.context["colour"].as_str().unwrap_or_default();
        let is_right = said.contains(colour);
        if is_right || state.turn_count == 3 {
            state.status = EpisodeStatus::Completed;
            // Reports and rewards read this.
            state.metadata.insert("goal_reached".into(), is_right.into());
            return Ok(StepOutcome::default());
        }
        Ok(StepOutcome {
            messages: vec![Message::user("No, another one.")],
            ..StepOutcome::default()
        })
    }
}

/// 1 for a hit; a little for naming any colour, so that there is something to climb.
struct Hit;

#[async_trait]
impl Reward for Hit {
    fn name(&self) -> &str {
        "hit"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        let Some(state) = &trajectory.final_state else {
            return RewardResult::single(Score::unscorable("the episode did not end"));
        };
        if state.metadata.get("goal_reached").is_some_and(|goal| goal == true) {
            return RewardResult::single(Score::of(1.0));
        }
        let names_one = |text: &str| COLOURS.iter().any(|colour| text.contains(colour));
        let tried = trajectory.assistant_texts().any(|text| names_one(&text.to_lowercase()));
        RewardResult::single(Score::of(if tried { 0.3 } else { 0.0 }))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = ChatAgent::load("builtin:tiny").await?;
    let scenarios: Vec<Scenario> = (0..8).map(|i| Scenario::new(format!("game-{i}"))).collect();
    let scenarios: Vec<Scenario> = scenarios
        .into_iter()
        .map(|game| Scenario { messages: vec![Message::user("Guess a colour.")], ..game })
        .collect();
    let folder = std::env::args().nth(1).unwrap_or_else(|| "outputs/custom_environment".to_owned());
    let trained = train(&agent, GuessTheColour, &scenarios, Hit).steps(2).output(&folder).await?;
    println!("{:?} -> {:?}", trained.summary.reward_before, trained.summary.reward_after);
    Ok(())
}
