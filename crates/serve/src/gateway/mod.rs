//! Training an agent that already exists: a program that talks to an OpenAI or Anthropic endpoint.
//!
//! The program is started once for each sample, or runs elsewhere and takes samples that a training job of a
//! server offers. It is given an address and a key, calls the model there as it always does, and each of its calls becomes the next turn of an episode: the trainer's own
//! machinery answers it, keeps the exact tokens, and judges the whole. So an episode of a program is an
//! episode like any other: [`HarnessEnvironment`] is an environment whose user is the program.
//!
//! | file | what |
//! |---|---|
//! | `players` | who plays: a program that is started here, or one elsewhere |
//! | `harness` | what is started, and its limits |
//! | `environment` | the program as an environment |
//! | `session` | one program's calls, between its HTTP requests and its episode |
//! | `sessions` | all that are open, by address, and the runs that offer theirs |
//! | `offer` | a sample that waits for a program elsewhere |
//! | `said` | where a call goes on with what was said, and where it tells another history |
//! | `told` | what a program is told of its scenario |
//! | `world` | the run's own environment, which a program may ask what the user says |
//! | `program` | the process: started, limited, heard and ended with all its children |
//! | `reward` | what the program says of itself, or the run's reward |
//! | `address` | where a sample is found |
//! | `routes`, `server` | what is found there |
//! | `sample_header` | calls of plain routes that name their sample |
//! | `take_over` | programs in the place of a run's environments |

mod address;
mod environment;
mod harness;
#[cfg(test)]
mod interleavings;
mod offer;
mod players;
mod program;
mod reward;
mod routes;
mod said;
mod sample_header;
mod server;
mod session;
mod sessions;
mod take_over;
mod told;
mod world;

pub(crate) use address::Address;
pub use environment::HarnessEnvironment;
pub use harness::Harness;
pub(crate) use players::Elsewhere;
pub use reward::HarnessReward;
pub(crate) use routes::{GatewayPaths, SAMPLE_PATH, sample_routes};
pub(crate) use sample_header::{SAMPLE_HEADER, check_plain, with_sample_header};
pub use server::GatewayServer;
pub(crate) use session::Session;
pub(crate) use sessions::{OpenRun, Sessions};
pub use take_over::take_over;
pub(crate) use told::Told;
