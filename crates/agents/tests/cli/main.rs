//! The programs as a user meets them: started as processes, judged by what they print and leave behind.

#[path = "../../../../tests/support/data.rs"]
mod data;

mod auto;
mod bad_input;
mod calls;
mod evaluate;
mod generate;
mod grpo_serve;
mod help;
mod interrupted;
mod job_server;
mod judged;
mod judged_elsewhere;
mod model_server;
mod model_users;
mod pairs;
mod program;
mod remote_tools;
mod reward;
mod score;
mod serve_full;
mod serve_guard;
mod serve_state;
mod serving;
mod sft;
mod train;
