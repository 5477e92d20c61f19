//! What a server remembers: agents, conversations and training jobs, in a database.
//!
//! | file | holds |
//! |---|---|
//! | `store` | the database, opened and migrated |
//! | `agent_rows`, `conversation_rows`, `job_rows`, `deployment_rows`, `key_rows` | what is written and read, by table |
//! | `once` | requests that must count once, by their idempotency key |
//! | `page` | lists in pieces |
//! | `clock` | what time it is, for tests as well |
//!
//! SQLite is the default, a file of the data folder that one process uses; PostgreSQL may be shared by
//! several. Both are reached through one driver-neutral connection and the same SQL: whole numbers are
//! `BIGINT`, everything else is `TEXT`, and times are milliseconds since 1970. A write is acknowledged
//! after its commit, which is on the disk by then.

mod agent_rows;
mod clock;
mod conversation_rows;
mod deployment_rows;
mod job_rows;
mod key_rows;
mod migrations;
mod once;
mod page;
#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod store;
mod store_error;

pub use agent_rows::AgentRow;
pub use clock::Clock;
pub(crate) use clock::millis;
pub use conversation_rows::{Claimed, ConversationRow, NewMessages, StoredMessage};
pub use job_rows::{EventRow, JobRow, JobState, Progress};
pub use once::{Once, asked_sha256};
pub use page::{Page, PageAsked};
pub use store::{Place, Store};
pub use store_error::StoreError;
