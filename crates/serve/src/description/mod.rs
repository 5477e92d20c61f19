//! The server's own OpenAPI document.
//!
//! | file | what |
//! |---|---|
//! | `document` | the whole: what each group of routes says of itself, put together |
//! | `samples` | the APIs of models below the path of a sample |
//! | `aliases` | paths that lead to the handlers of others |
//! | `operation` | what is true of every operation: its name, who may use it, headers |
//! | `refusals` | the errors of each kind of operation, in the words of its API |
//! | `links` | what may be asked for with the id that an answer holds |
//! | `routes` | `GET /openapi.json` |
//!
//! Handlers say what they take and what they answer when all goes well; errors that come from what stands
//! around handlers are added here once. Tests compare the document with the router, and let a fuzzer compare
//! it with a server that runs.

mod aliases;
mod document;
mod links;
mod operation;
mod refusals;
mod routes;
mod samples;

pub(crate) use document::{document, endpoints};
pub(crate) use routes::{DocumentPaths, routes};
