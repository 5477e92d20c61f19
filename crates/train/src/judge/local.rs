//! A judge made of a model on an engine of its own.
//!
//! Where a question has options, their log-probs are computed exactly: the model reads the question
//! followed by each option, and nothing is sampled. Otherwise it writes an answer. The judge's engine
//! is not the policy's, so training the policy does not change its judge.
//!
//! Two options of which one begins like the other ("1" and "10" in some tokenizers) would both count
//! the longer answer; only then the end of the turn belongs to every option.

use std::sync::Arc;

use async_trait::async_trait;
use stateset_core::{
    GenerateRequest, Judge, JudgeRequest, Policy, PolicyError, RunSeed, Sampling, TokenTrace,
    Verdict,
};
use stateset_nn::{ChatFormat, PAGE_TOKENS, Path, SamplerSize, TokenRow, Wants};

use super::policy_judge::{greedy, messages};
use super::text_key::stream_of;
use crate::TrainError;
use crate::engine::{Engine, EngineState};
use crate::model::{EngineSpec, ModelSource, chat_format};
use crate::policy::{LocalPolicy, engine_error, template_error};

/// Sizes of a judge's engine, and how it answers in words.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalJudgeSettings {
    /// Threads that compute.
    pub threads: usize,
    /// Most tokens of a question with its answer; the model's own limit where that is smaller.
    pub context: usize,
    /// Answers in words that are written at the same time.
    pub max_running: usize,
    /// How answers in words are drawn.
    pub sampling: Sampling,
    /// What the randomness of sampled answers starts from.
    pub seed: RunSeed,
}

impl Default for LocalJudgeSettings {
    fn default() -> Self {
        LocalJudgeSettings {
            threads: 1,
            context: 4096,
            max_running: 4,
            sampling: greedy(),
            seed: RunSeed(0),
        }
    }
}

impl LocalJudgeSettings {
    /// The engine that a judge with `model` needs.
    pub fn engine_spec(&self, model: &ModelSource) -> EngineSpec {
        let context = self.context.clamp(2, model.files.decoder.max_positions.max(2));
        let max_running = self.max_running.max(1);
        EngineSpec {
            threads: self.threads.max(1),
            path: Path::best(),
            context,
            sampler: SamplerSize {
                max_running,
                max_rows: context.max(max_running),
                cache_tokens: max_running * context.next_multiple_of(PAGE_TOKENS),
            },
            training: None,
            scorer_tokens: Some(context),
        }
    }
}

/// A judge on an engine in this process.
#[derive(Clone)]
pub struct LocalJudge {
    engine: Engine,
    format: Arc<ChatFormat>,
    policy: LocalPolicy,
    sampling: Sampling,
    seed: RunSeed,
}

impl LocalJudge {
    /// Starts an engine for `model` and a judge on it.
    ///
    /// # Errors
    /// [`TrainError`] where the model cannot be loaded.
    pub fn start(
        model: ModelSource,
        settings: &LocalJudgeSettings,
    ) -> Result<LocalJudge, TrainError> {
        let format = chat_format(&model, None)?;
        let engine = settings.engine_spec(&model).start(model)?;
        Ok(LocalJudge::on(engine, format, settings.sampling.clone(), settings.seed))
    }

    /// A judge on an engine that runs already. For log-probs of options it must have a scorer or a
    /// learner.
    pub fn on(engine: Engine, format: ChatFormat, sampling: Sampling, seed: RunSeed) -> LocalJudge {
        let policy = LocalPolicy::new(engine.clone(), format.clone());
        LocalJudge { engine, format: Arc::new(format), policy, sampling, seed }
    }

    async fn logprobs(&self, request: &JudgeRequest) -> Result<Vec<f64>, PolicyError> {
        let prompt = self.format.prompt(&messages(request), &[]);
        let prompt = prompt.map_err(|error| template_error(0, &error))?;
        let rows = self.rows(&prompt, &request.options)?;
        let scored = self.engine.run(move |state| score(state, &rows)).await;
        scored.and_then(|scored| scored).map_err(engine_error)
    }

    /// The question with each option, and which tokens are the option's.
    fn rows(&self, prompt: &[u32], options: &[String]) -> Result<Vec<Row>, PolicyError> {
        let last = prompt.last().copied();
        let encode = |option: &String| self.format.tokenizer().encode_after(last, option);
        let encoded: Result<Vec<Vec<u32>>, _> = options.iter().map(encode).collect();
        let mut encoded = encoded.map_err(|error| template_error(0, &error))?;
        if let (true, Some(end)) = (has_prefix(&encoded), self.end_of_turn()) {
            encoded.iter_mut().for_each(|option| option.push(end));
        }
        let row = |option: Vec<u32>| {
            let mut mask = vec![false; prompt.len()];
            mask.extend(option.iter().map(|_| true));
            Row { tokens: [prompt, &option].concat(), mask }
        };
        Ok(encoded.into_iter().map(row).collect())
    }

    /// What ends an answer: the token that the template writes behind one, or else the first end token.
    fn end_of_turn(&self) -> Option<u32> {
        let ends = self.format.end_ids();
        let said = [stateset_core::Message::user("?"), stateset_core::Message::assistant("!")];
        let trace = self.format.supervised(&said, &[]).ok()?;
        let written = trace.current()?.tokens().iter().rev().find(|token| ends.contains(token));
        written.or(ends.first()).copied()
    }
}

struct Row {
    tokens: Vec<u32>,
    mask: Vec<bool>,
}

fn has_prefix(options: &[Vec<u32>]) -> bool {
    let begins = |(i, one): (usize, &Vec<u32>)| {
        options.iter().enumerate().any(|(j, other)| i != j && other.starts_with(one))
    };
    options.iter().enumerate().any(begins)
}

/// Log-prob of each row's marked tokens together.
fn score(state: &mut EngineState, rows: &[Row]) -> Result<Vec<f64>, TrainError> {
    let EngineState { device, decoder, policy, scorer, learner, .. } = state;
    let rows: Vec<TokenRow<'_>> =
        rows.iter().map(|row| TokenRow::new(&row.tokens, &row.mask)).collect();
    let (device, wants) = (device.as_mut(), Wants::default());
    let scores = match (scorer, learner) {
        (Some(scorer), _) => scorer.score(device, decoder, *policy, &rows, 1.0, wants)?,
        (None, Some(learner)) => learner.score(device, decoder, *policy, &rows, 1.0, wants)?,
        (None, None) => {
            let message = "the engine has neither scorer nor learner".to_owned();
            return Err(TrainError::Invalid { what: "score options", message });
        }
    };
    Ok(scores.iter().map(|row| row.logprobs.iter().map(|lp| f64::from(*lp)).sum()).collect())
}

#[async_trait]
impl Judge for LocalJudge {
    async fn judge(&self, request: JudgeRequest) -> Result<Verdict, PolicyError> {
        if !request.options.is_empty() {
            let logprobs = self.logprobs(&request).await?;
            let best = (0..logprobs.len()).max_by(|i, j| logprobs[*i].total_cmp(&logprobs[*j]));
            let text = best.map(|best| request.options[best].clone()).unwrap_or_default();
            return Ok(Verdict { text, option_logprobs: Some(logprobs) });
        }
        let asked = GenerateRequest {
            messages: messages(&request),
            tools: Vec::new(),
            trace: TokenTrace::new(),
            sampling: self.sampling.clone(),
            stream: stream_of(self.seed, &request),
        };
        let completion = self.policy.generate(asked).await?;
        Ok(Verdict { text: completion.message.content, option_logprobs: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge() -> LocalJudge {
        let fetch = |name: &str| panic!("nothing is to be downloaded, and {name} was asked for");
        let model = ModelSource::open("builtin:tiny", &fetch).unwrap();
        let settings = LocalJudgeSettings { context: 256, ..LocalJudgeSettings::default() };
        LocalJudge::start(model, &settings).unwrap()
    }

    fn request(options: &[&str]) -> JudgeRequest {
        JudgeRequest {
            instructions: "You are a friendly agent.".into(),
            question: "My order is late.".into(),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
        }
    }

    /// What the model itself would write is its likeliest answer, with the log-prob it was drawn at.
    #[tokio::test]
    async fn options_have_the_probabilities_of_the_model() {
        let judge = judge();
        let written = judge.judge(request(&[])).await.unwrap();
        assert!(!written.text.is_empty() && written.option_logprobs.is_none());
        let other = "Bananas are blue on every second Tuesday.";
        let verdict = judge.judge(request(&[other, &written.text])).await.unwrap();
        assert_eq!(verdict.text, written.text);
        let scored = verdict.option_logprobs.unwrap();
        assert!(scored[1] > scored[0] + 10.0, "{scored:?}");

        let asked = GenerateRequest {
            messages: messages(&request(&[])),
            tools: Vec::new(),
            trace: TokenTrace::new(),
            sampling: greedy(),
            stream: stream_of(RunSeed(0), &request(&[])),
        };
        let drawn = judge.policy.generate(asked).await.unwrap().sampled.unwrap();
        // The last one drawn ends the turn and is no part of the option.
        let n = drawn.logprobs.len() - 1;
        let sum: f64 = drawn.logprobs[..n].iter().map(|lp| f64::from(*lp)).sum();
        assert!((scored[1] - sum).abs() < 1e-3, "{} {sum}", scored[1]);
    }

    #[tokio::test]
    async fn an_option_that_begins_another_one_ends() {
        let judge = judge();
        let alone = judge.judge(request(&["I", "You"])).await.unwrap();
        let beside = judge.judge(request(&["I", "I am"])).await.unwrap();
        let (alone, beside) = (alone.option_logprobs.unwrap(), beside.option_logprobs.unwrap());
        assert!(beside[0] < alone[0] - 1.0, "{alone:?} {beside:?}");
    }

    #[tokio::test]
    async fn what_does_not_fit_is_said() {
        let judge = judge();
        let long = JudgeRequest { question: "late ".repeat(600), ..request(&["1", "2"]) };
        let error = judge.judge(long).await.unwrap_err();
        assert!(matches!(error, PolicyError::ContextFull { limit: 256, .. }), "{error}");
    }
}
