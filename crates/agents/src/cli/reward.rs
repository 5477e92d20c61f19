//! `reward`: what a reward says of recorded conversations, before anything is trained on it.
//!
//! Nothing is played and no model is asked, unless the reward is one. A reward is examined by what it
//! likes and dislikes, by parts that say the same or never change, and by what it cannot judge: all of
//! it is in the tables, and with `--json` in one line for each conversation.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};
use stateset_core::{Reward, RewardContext, RewardResult, Score};
use stateset_train::reward_in_words;

use super::conversations::{Conversation, read_conversations};
use super::engine::runtime;
use super::error::{CliError, Outcome};
use super::output::{Output, progress_bar};
use super::spread::{Judged, spread};

/// Judge recorded conversations by a reward
///
/// Reads JSON lines: {"id": .., "messages": [..], "context": {..}}, or conversations that a run
/// recorded. Shows what each part of the reward says, how far parts agree, how the values are spread,
/// and what could not be judged. In context stand expected, goal_reached and whatever else the reward
/// compares with.
#[derive(Args, Debug)]
pub(crate) struct RewardArgs {
    /// File of JSON lines; - for the standard input
    #[arg(value_name = "CONVERSATIONS")]
    input: PathBuf,
    /// The reward in words, such as helpfulness=0.6,safety=0.4, or a reward file (.toml, .yaml, .json)
    #[arg(long, value_name = "NAME|FILE")]
    reward: String,
    /// Conversations to quote with their scores: so many of the best and so many of the worst
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1000))]
    show: u32,
    /// Print one JSON line for each conversation: id, score, components, unscorable
    #[arg(long, conflicts_with = "show")]
    json: bool,
}

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a Value,
    score: Option<f64>,
    components: Map<String, Value>,
    unscorable: Option<&'a str>,
}

/// Judges what comes in.
pub(crate) fn run(args: RewardArgs) -> Outcome {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let reward = reward_in_words(&args.reward, threads).map_err(CliError::bad)?;
    let conversations = read_conversations(&args.input)?;
    let results = runtime()?.block_on(judge(reward, &conversations));
    let mut output = Output::new();
    if args.json {
        for (conversation, result) in conversations.iter().zip(&results) {
            output.json(&line(conversation, result))?;
        }
        return output.flush();
    }
    let judged = Judged { spec: &args.reward, conversations: &conversations, results: &results };
    output.text(&spread(&judged, args.show as usize))?;
    output.flush()
}

async fn judge(reward: Arc<dyn Reward>, conversations: &[Conversation]) -> Vec<RewardResult> {
    let bar = progress_bar(conversations.len(), "judging {bar:30} {pos}/{len} {eta}");
    let mut results = Vec::with_capacity(conversations.len());
    for conversation in conversations {
        let context = RewardContext { scenario: &conversation.scenario };
        results.push(reward.score(&conversation.trajectory, context).await);
        bar.inc(1);
    }
    bar.finish_and_clear();
    results
}

fn line<'a>(conversation: &'a Conversation, result: &'a RewardResult) -> Line<'a> {
    let part = |score: &Score| score.value().map_or(Value::Null, Value::from);
    let parts =
        result.components.iter().map(|part_of| (part_of.name.clone(), part(&part_of.score)));
    let unscorable = match &result.total {
        Score::Unscorable { why } => Some(why.as_str()),
        Score::Scored { .. } => None,
    };
    Line {
        id: &conversation.id,
        score: result.total.value(),
        components: parts.collect(),
        unscorable,
    }
}
