//! The configuration of a run: one table of keys, layers of values, and the settings they become.
//!
//! [`resolve()`] is the door: it lays the layers of [`ConfigSources`] over each other and gives a
//! [`Resolved`] configuration or every problem there is. The keys are a table ([`all_keys`]); files
//! that are made from it ([`default_toml`], [`reference_markdown`]) are compared with it by a test.
//! Merging by key and not by type of settings keeps an origin for every single value.
//!
//! # Example
//!
//! ```
//! use stateset_train::config::{ConfigFile, ConfigSources, Flag, Format, resolve};
//!
//! let sources = ConfigSources {
//!     file: Some(ConfigFile {
//!         name: "run.yaml".to_owned(),
//!         format: Format::Yaml,
//!         bytes: b"profile: conservative\ntraining: {max_steps: 50}\n".to_vec(),
//!     }),
//!     flags: vec![Flag {
//!         flag: "--seed".to_owned(),
//!         path: "training.seed".to_owned(),
//!         value: "7".to_owned(),
//!     }],
//!     ..ConfigSources::default()
//! };
//! let resolved = resolve(&sources).expect("it has no problems");
//! assert_eq!(resolved.config.steps.n_steps, 50);
//! assert_eq!(resolved.config.seed.0, 7);
//! assert!(resolved.to_toml().contains("seed = 7  # flag --seed"));
//! ```

mod check;
mod fingerprint;
mod key;
mod keys;
mod layer;
mod lookup;
mod origin;
mod presets;
mod problem;
mod read;
mod reader;
mod render;
mod resolve;
mod settings;
mod sources;
mod text_value;
mod values;

pub use fingerprint::{Difference, differences};
pub use key::{Effect, Key, Kind, Range};
pub use keys::all_keys;
pub use layer::{Flag, variable_of_key};
pub use lookup::{SECTIONS, key_of};
pub use origin::Origin;
pub use problem::{ConfigProblem, ConfigWarning, report};
pub use read::{ConfigFile, Format};
pub use render::{default_toml, generated_files, reference_markdown, starter_config};
pub use resolve::{Resolved, resolve};
pub use settings::{
    AdapterSettings, AgentSettings, AlgorithmSettings, CheckpointSettings, ComputeSettings,
    CriticKind, CriticSettings, EarlyStopping, EndSettings, EnvironmentSettings,
    EvaluationScenarios, EvaluationSettings, JudgeKind, JudgeSettings, LoggingSettings, Method,
    OptimiserSettings, PairEvaluation, PairLength, PairSettings, PreferenceLoss,
    PreferenceMethodSettings, PresetNames, PromptStyle, ReferenceModel, ReferenceSync,
    RemoteJudgeSettings, RemoteUserSettings, ResponseOrder, RewardMethod, RewardModelSettings,
    RewardSettings, RewardSource, RolloutRules, RolloutSettings, Rubric, RunConfig, ScenarioSource,
    Split, StepSettings, SurroundingsSettings, UserModelSettings,
};
pub use sources::{ConfigSources, ModelOverlay, model_name};
pub use values::{Setting, Values};
