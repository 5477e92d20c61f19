//! The language-model engine: kernels, decoder, LoRA, optimiser, sampler, tokenizer, chat template
//! and checkpoint files.

mod backend;
mod checkpoint;
mod decoder;
mod error;
mod families;
mod kernels;
mod learner;
mod plain;
mod sampler;
mod template;
mod text_error;
mod token_mask;
mod tokenizer;

pub use backend::*;
pub use checkpoint::{
    AdapterFiles, Disk, ModelFiles, RealDisk, StoreType, SyncWrite, Tensors, VALUE_HEAD_FILE,
    VALUE_HEAD_OPTIMISER_FILE, load_optimiser, load_snapshot, load_value_head, restore_critic,
    restore_value_head, save_adapter, save_critic, save_model, save_optimiser, save_snapshot,
    save_value_head, save_value_head_of, sync_folder, write_file,
};
pub use decoder::{
    Adapter, AdapterLayout, Decoder, DecoderConfig, LayerSlot, LayerSpec, LoraSpec, Param,
    ParamLayout, PassKind, Piece, PositionSpec, RotarySpec, Slot, WeightSet, Workspace,
};
pub use error::NnError;
pub use families::{Family, known};
pub use kernels::{
    Activation, AdamwStep, AttentionSpec, Cpu, NormKind, Path, RowGradient, RowStats,
};
pub use learner::{
    Critic, Learner, Moment, OptimiserState, OptimiserStep, RowGradients, RowScores, Scorer,
    StepReport, TokenRow, ValueHead, ValueHeadSpec, Wants,
};
pub use plain::Plain;
pub use sampler::{
    SampleEvent, SampleRequest, SampleStart, Sampler, SamplerSize, Steering, StopCheck, TokenFilter,
};
pub use template::{
    ChatFormat, ChatTemplate, Date, MAX_TEMPLATE_BYTES, RenderOptions, Rendered, UserText,
};
pub use text_error::TextError;
pub use token_mask::TokenMask;
pub use tokenizer::{
    DecodeStream, MAX_CONFIG_BYTES, MAX_TEXT_BYTES, MAX_TOKENIZER_BYTES, SpecialTokens, TextFiles,
    Tokenizer,
};
