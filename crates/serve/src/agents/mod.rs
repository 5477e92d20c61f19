//! Agents: a model with instructions and a way to draw, under an id.
//!
//! | method and path | success | errors |
//! |---|---|---|
//! | `POST /agents` | 201, the agent | 404 unknown model, 422 a field |
//! | `GET /agents` | 200, a list | 422 a parameter |
//! | `GET /agents/{id}` | 200, the agent | 404 |
//! | `DELETE /agents/{id}` | 204 | 404 |

mod bodies;
mod routes;
mod sampling_wish;

pub(crate) use routes::{AgentPaths, agent_routes, find};
pub use sampling_wish::SamplingWish;
