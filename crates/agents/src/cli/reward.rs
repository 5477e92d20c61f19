//! `reward`: what a reward says of recorded conversations, before anything is trained on it.
//!
//! Nothing is played and no model is asked, unless the reward is one or asks a judge. A judge that fails leaves
//! its conversation unscored, which is counted. A reward is examined by what it
//! likes and dislikes, by parts that say the same or never change, and by what it cannot judge: all of
//! it is in the tables, and with `--json` in one line for each conversation.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use clap::Args;
use futures::{StreamExt, stream};
use serde::Serialize;
use serde_json::{Map, Value};
use stateset_core::{Reward, RewardContext, RewardResult, Score};
use stateset_env::judging::Asker;
use stateset_train::config::JudgeSettings;
use stateset_train::{reward_with_judge, start_asker};

use super::conversations::{Conversation, read_conversations};
use super::engine::runtime;
use super::error::{CliError, Outcome};
use super::model::open_judge;
use super::output::{Output, progress_bar};
use super::sources::{ConfigArgs, Flags};
use super::spread::{Judged, spread};

/// Conversations that a judge on this machine reads at once.
const LOCAL_AT_ONCE: usize = 16;

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
    /// The model that rewards judge:RUBRIC and ruler:RUBRIC ask, here or, with --set reward.judge_url=URL,
    /// at a server
    #[arg(long, value_name = "MODEL")]
    judge: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
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
    let (asker, n_at_once) = asker(&args, threads)?;
    let reward = reward_with_judge(&args.reward, threads, asker.as_ref()).map_err(CliError::bad)?;
    let conversations = read_conversations(&args.input)?;
    let results = runtime()?.block_on(judge(reward, &conversations, n_at_once));
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

/// Whom the reward may ask, where the flags or the configuration name a judge, and how many conversations
/// are judged at once.
fn asker(args: &RewardArgs, threads: usize) -> Outcome<(Option<Asker>, usize)> {
    if args.judge.is_none() && args.config.is_empty() {
        return Ok((None, 1));
    }
    let mut flags = Flags::default();
    flags.add("--reward", "reward.spec", Some(&args.reward));
    flags.add("--judge", "reward.judge_model", args.judge.as_ref());
    let config = args.config.settings(flags)?.config;
    let Some(settings) = &config.reward.judge else { return Ok((None, 1)) };
    let asker = start_asker(settings, open_judge(settings)?, threads, config.seed);
    Ok((Some(asker.map_err(CliError::loading)?), n_at_once(settings)))
}

fn n_at_once(settings: &JudgeSettings) -> usize {
    settings.remote.as_ref().map_or(LOCAL_AT_ONCE, |remote| remote.max_running)
}

/// What the reward says of each conversation, in their order.
async fn judge(
    reward: Arc<dyn Reward>,
    conversations: &[Conversation],
    n_at_once: usize,
) -> Vec<RewardResult> {
    let bar = progress_bar(conversations.len(), "judging {bar:30} {pos}/{len} {eta}");
    let (reward, progress) = (&reward, &bar);
    let judged = conversations.iter().map(|conversation| async move {
        let context = RewardContext { scenario: &conversation.scenario };
        let result = reward.score(&conversation.trajectory, context).await;
        progress.inc(1);
        result
    });
    let results = stream::iter(judged).buffered(n_at_once.max(1)).collect().await;
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
