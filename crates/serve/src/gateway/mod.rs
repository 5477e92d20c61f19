//! Training an agent that already exists: a program that talks to an OpenAI or Anthropic endpoint.
//!
//! The program is started once for each sample. It is given an address and a key, calls the model there
//! as it always does, and each of its calls becomes the next turn of an episode: the trainer's own
//! machinery answers it, keeps the exact tokens, and judges the whole. So an episode of a program is an
//! episode like any other: [`HarnessEnvironment`] is an environment whose user is the program.
//!
//! | file | what |
//! |---|---|
//! | `harness` | what is started, and its limits |
//! | `environment` | the program as an environment |
//! | `session` | one program's calls, between its HTTP requests and its episode |
//! | `sessions` | all that are open, by address |
//! | `said` | where a call goes on with what was said, and where it tells another history |
//! | `world` | the run's own environment, which a program may ask what the user says |
//! | `program` | the process: started, limited, heard and ended with all its children |
//! | `reward` | what the program says of itself, or the run's reward |
//! | `routes`, `server` | the addresses |

mod environment;
mod harness;
mod program;
mod reward;
mod routes;
mod said;
mod server;
mod session;
mod sessions;
mod world;

pub use environment::HarnessEnvironment;
pub use harness::Harness;
pub use reward::HarnessReward;
pub use server::GatewayServer;
