//! What an engine is set up for, what that takes in memory, and starting it.

use stateset_core::RunSeed;
use stateset_nn::{
    AdapterLayout, Backend, ChatFormat, Cpu, Critic, Date, Decoder, DecoderConfig, Learner,
    LoraSpec, NnError, ParamLayout, PassKind, Path, Sampler, SamplerSize, Scorer, Stretch,
    ValueHeadSpec, WeightSet,
};

use super::memory::{MemoryPart, MemoryPlan};
use super::source::ModelSource;
use crate::TrainError;
use crate::config::{CriticKind, CriticSettings, ReferenceModel};
use crate::engine::{Engine, EngineState};

/// Sizes of the training side.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingSpec {
    /// Tokens of the largest micro-batch.
    pub max_tokens_per_microbatch: usize,
    /// Keep less of the forward pass and run it again on the way back.
    pub recomputes: bool,
    /// New adapters to train; the whole model where absent.
    pub adapters: Option<LoraSpec>,
    /// The policy at the start, where it is compared with.
    pub reference: Option<ReferenceModel>,
    /// The reference follows the policy.
    pub moves_reference: bool,
    /// The value function, where there is one.
    pub critic: Option<CriticSettings>,
    /// Starting values of new adapters.
    pub seed: RunSeed,
    /// Steps by which the weights that sample may be older than those that are trained; 0 for none.
    pub staleness: usize,
}

/// What an engine is set up for.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineSpec {
    /// Threads that compute.
    pub threads: usize,
    /// Instructions to use.
    pub path: Path,
    /// Tokens a conversation may have; the model's own limit where that is smaller.
    pub context: usize,
    /// Sizes of the sampler.
    pub sampler: SamplerSize,
    /// The training side, where the engine trains.
    pub training: Option<TrainingSpec>,
    /// Tokens that a scorer reads in one pass, where one is wanted beside the learner.
    pub scorer_tokens: Option<usize>,
}

impl EngineSpec {
    /// Tokens a conversation of `model` may have.
    pub fn context_of(&self, config: &DecoderConfig) -> usize {
        self.context.min(config.max_positions)
    }

    /// The adapters that `model` runs with: new ones, or those it brings.
    fn adapter_layout(&self, model: &ModelSource) -> Result<Option<AdapterLayout>, NnError> {
        let params = ParamLayout::new(&model.files.decoder, model.files.family)?;
        let new = self.training.as_ref().and_then(|training| training.adapters.clone());
        match (&model.adapter, new) {
            (Some(files), _) => Ok(Some(AdapterLayout::new(&params, files.spec.clone())?)),
            (None, Some(spec)) => Ok(Some(AdapterLayout::new(&params, spec)?)),
            (None, None) => Ok(None),
        }
    }

    /// What the engine will hold, before it holds it.
    ///
    /// # Errors
    /// [`NnError`] where the model cannot be set up this way.
    pub fn memory_plan(&self, model: &ModelSource) -> Result<MemoryPlan, NnError> {
        // A decoder on a device without storage: only its sizes are asked for.
        let mut nowhere = stateset_nn::Plain::default();
        let config = model.files.decoder.clone();
        let adapters = self.adapter_layout(model)?;
        let family = model.files.family;
        let decoder = Decoder::new(&mut nowhere, family, config, adapters, 1)?;
        let matrices: usize =
            decoder.params.params().iter().filter(|p| p.is_matrix).map(|p| p.len()).sum();
        let (pass, cache) = Sampler::numbers(&decoder, self.sampler);
        let mut parts = vec![
            MemoryPart::of("weights", decoder.params.len()),
            MemoryPart::of("weights laid out for the processor", matrices),
            MemoryPart::of("sampling passes", pass),
            MemoryPart::of("sampling cache", cache),
        ];
        if let Some(layout) = &decoder.adapters {
            parts.push(MemoryPart::of("adapters", layout.len()));
        }
        if let Some(training) = &self.training {
            let has_adapters = decoder.adapters.is_some();
            let (rows, again) = (training.max_tokens_per_microbatch, training.recomputes);
            let (passes, optimiser) = Learner::numbers(&decoder, has_adapters, rows, again);
            parts.push(MemoryPart::of("training passes", passes));
            parts.push(MemoryPart::of("gradients and moments", optimiser));
            if let Some(critic) = training.critic {
                let (copied, passes, optimiser) = match critic.kind {
                    CriticKind::SharedTrunk => (0, 0, Learner::value_head_numbers(&decoder, rows)),
                    CriticKind::Separate => {
                        Critic::numbers(&decoder, has_adapters, rows, again, head_spec(&critic))
                    }
                };
                parts.push(MemoryPart::of("critic", copied + passes + optimiser));
            }
            if training.moves_reference && has_adapters {
                let adapters = decoder.adapters.as_ref().map_or(0, AdapterLayout::len);
                parts.push(MemoryPart::of("reference adapters", adapters));
            }
            if training.reference == Some(ReferenceModel::FrozenCopy) {
                let copy = decoder.params.len() + matrices;
                parts.push(MemoryPart::of("reference weights", copy));
            }
            if training.staleness > 0 {
                let (len, laid_out) = match &decoder.adapters {
                    Some(layout) => (layout.len(), 0),
                    None => (decoder.params.len(), matrices),
                };
                let n_copies = training.staleness + 2;
                parts.push(MemoryPart::of("weights of earlier steps", n_copies * len + laid_out));
            }
        }
        if let Some(rows) = self.scorer_tokens {
            let scorer = Scorer::numbers(&decoder, PassKind::Forward, rows);
            parts.push(MemoryPart::of("scoring passes", scorer));
        }
        Ok(MemoryPlan { parts })
    }

    /// Loads the model and starts its engine.
    ///
    /// # Errors
    /// [`TrainError`] naming the file, tensor or setting at fault.
    pub fn start(self, model: ModelSource) -> Result<Engine, TrainError> {
        Engine::start(self.threads, move || self.build(&model))
    }

    fn build(&self, model: &ModelSource) -> Result<EngineState, TrainError> {
        let mut device: Box<dyn Backend> = Box::new(Cpu::new(self.path));
        let config = model.files.decoder.clone();
        let context = self.context_of(&config);
        let layout = self.adapter_layout(model)?;
        let decoder = Decoder::new(device.as_mut(), model.files.family, config, layout, context)?;
        let base = device.alloc(decoder.params.len());
        let put = |offset, numbers: &[f32]| {
            device.write(Stretch { buf: base, offset, len: numbers.len() }, numbers);
        };
        let ignored = model.files.read_params(&decoder.params, put)?;
        if !ignored.is_empty() {
            let names = ignored.join(", ");
            tracing::warn!(model = model.name, "tensors that the model does not use: {names}");
        }
        let adapters = self.load_adapters(model, device.as_mut(), &decoder)?;
        let policy = WeightSet { base, adapters };
        let mut state = EngineState::new(device, decoder, policy, self.sampler);
        if let Some(training) = &self.training {
            let (rows, again) = (training.max_tokens_per_microbatch, training.recomputes);
            let device = state.device.as_mut();
            let mut learner = Learner::new(device, &state.decoder, policy, rows, again);
            let head = training.critic.as_ref().map(head_spec);
            match training.critic.map(|critic| critic.kind).zip(head) {
                Some((CriticKind::SharedTrunk, head)) => {
                    learner.add_value_head(device, &state.decoder, head);
                }
                Some((CriticKind::Separate, head)) => {
                    let critic =
                        Critic::from_policy(device, &state.decoder, policy, rows, again, head);
                    state.critic = Some(critic);
                }
                None => {}
            }
            state.learner = Some(learner);
            if training.reference.is_some() {
                state.freeze_reference(training.moves_reference);
            }
            if training.staleness > 0 {
                state.keep_stale(training.staleness);
            }
        }
        if let Some(rows) = self.scorer_tokens {
            let device = state.device.as_mut();
            state.scorer = Some(Scorer::new(device, &state.decoder, PassKind::Forward, rows));
        }
        Ok(state)
    }

    fn load_adapters(
        &self,
        model: &ModelSource,
        device: &mut dyn Backend,
        decoder: &Decoder,
    ) -> Result<Option<stateset_nn::Buf>, TrainError> {
        let Some(layout) = &decoder.adapters else { return Ok(None) };
        let values = match (&model.adapter, &self.training) {
            (Some(files), _) => files.read(&decoder.params)?.1,
            (None, Some(training)) => layout.initial(training.seed),
            (None, None) => return Ok(None),
        };
        let buf = device.alloc(values.len());
        device.write(Stretch::of(buf, values.len()), &values);
        Ok(Some(buf))
    }
}

fn head_spec(critic: &CriticSettings) -> ValueHeadSpec {
    ValueHeadSpec { stops_gradient: critic.stops_gradient, ..ValueHeadSpec::default() }
}

/// Tokenizer and template of a model, checked against its vocabulary. `date` answers templates that
/// ask for today.
///
/// # Errors
/// [`NnError`] naming file and field.
pub fn chat_format(model: &ModelSource, date: Option<Date>) -> Result<ChatFormat, NnError> {
    let format = ChatFormat::load(&model.text, date, serde_json::Map::new())?;
    format.tokenizer().check_vocab(model.files.decoder.vocab_size)?;
    Ok(format)
}
