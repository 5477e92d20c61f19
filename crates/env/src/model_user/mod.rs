//! Users played by a policy: a model of one's own, or one behind an interface, with a persona.
//!
//! # Example
//! ```
//! use std::sync::Arc;
//! use stateset_core::{Completion, FinishReason, GenerateRequest, Message, Policy, PolicyError, Role};
//! use stateset_env::Persona;
//! use stateset_env::model_user::{ModelUser, ModelUserEnvironment};
//!
//! struct Echo;
//!
//! #[async_trait::async_trait]
//! impl Policy for Echo {
//!     async fn generate(&self, request: GenerateRequest) -> Result<Completion, PolicyError> {
//!         // The user's model sees itself as the assistant, and the agent as the user.
//!         assert_eq!(request.messages[0].role, Role::System);
//!         let message = Message::assistant("Where is my parcel?");
//!         Ok(Completion { message, sampled: None, finish: FinishReason::Stop })
//!     }
//! }
//!
//! let user = ModelUser::new(Arc::new(Echo), Persona::named("busy_professional")?);
//! let environment = ModelUserEnvironment::new(user, 10);
//! assert_eq!(environment.max_turns, 10);
//! # Ok::<(), stateset_env::EnvError>(())
//! ```

mod environment;
mod flip;
mod prompt;
mod task_user;
mod user;

pub use environment::ModelUserEnvironment;
pub use flip::flipped;
pub use prompt::persona_prompt;
pub use user::{ModelUser, Said};
