//! What a world of commerce has to say; the environment around it is the same for all.

use serde::{Serialize, de::DeserializeOwned};
use stateset_core::Stream;

use super::effort::Effort;
use super::kpi::Readings;
use super::verb::{Args, Verb};

/// A world in words and limits.
pub(super) struct Profile {
    /// Its name.
    pub(super) name: &'static str,
    /// What is played, in one sentence for people.
    pub(super) summary: &'static str,
    /// What the agent is told.
    pub(super) instructions: &'static str,
    /// Most turns of the agent.
    pub(super) max_turns: usize,
    /// The reward that fits, in the words of `parse_reward`.
    pub(super) reward: &'static str,
}

/// What a simulator works on during a turn.
pub(super) struct Scene<'a, S: Simulator> {
    /// What is true.
    pub(super) spec: &'a S::Spec,
    /// What has happened.
    pub(super) state: &'a mut S::State,
    /// What it has cost.
    pub(super) effort: &'a Effort,
    /// The turn's luck.
    pub(super) stream: &'a mut Stream,
}

/// A world of commerce.
///
/// Everything is a function of the arguments. Calls never fail beyond a text for the agent: the
/// environment has checked that their arguments fit their verb.
pub(super) trait Simulator: Copy + Default + Send + Sync + 'static {
    /// What is true of one scenario, whatever the agent does.
    type Spec: Serialize + DeserializeOwned + Send;
    /// What has happened in one episode.
    type State: Serialize + DeserializeOwned + Send;

    /// The world in words.
    const PROFILE: Profile;
    /// Its tools.
    const VERBS: &'static [Verb];

    /// A scenario.
    fn draw(stream: &mut Stream) -> Self::Spec;

    /// The scenario's kind, for reports.
    fn topic(spec: &Self::Spec) -> &'static str;

    /// What is wrong with a scenario that somebody wrote, if anything.
    fn fault(spec: &Self::Spec) -> Option<String>;

    /// The state before the first turn.
    fn open(spec: &Self::Spec) -> Self::State;

    /// What the agent reads first.
    fn opening(spec: &Self::Spec, state: &Self::State) -> String;

    /// Something that happens at the beginning of each turn.
    fn begin_turn(_scene: &mut Scene<'_, Self>) {}

    /// Answers a call: a text, or what is wrong with the call.
    fn call(scene: &mut Scene<'_, Self>, verb: &Verb, args: Args<'_>) -> Result<String, String>;

    /// Answers a message.
    fn say(scene: &mut Scene<'_, Self>, text: &str) -> String;

    /// What the agent hears beside the answers to its calls, after all of them.
    fn news(_scene: &mut Scene<'_, Self>) -> Option<String> {
        None
    }

    /// True where nothing is left to decide.
    fn is_over(spec: &Self::Spec, state: &Self::State) -> bool;

    /// The figures, as if the episode ended here. Luck that is still to come counts by its expectation.
    fn readings(spec: &Self::Spec, state: &Self::State, effort: &Effort) -> Readings;
}
