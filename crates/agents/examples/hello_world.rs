//! An agent without a model: the parts around it can be tried before there is one.
//!
//! `cargo run --example hello_world`
#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use stateset_agents::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = ChatAgent::stub(["Hello! How can I help?", "I see. When did you order it?"]);
    let mut messages = vec![Message::user("Hi!")];
    for next in ["My parcel has not come.", ""] {
        let answer = agent.generate_response(&messages).await?;
        println!("agent: {answer}");
        messages.push(Message::assistant(answer));
        messages.push(Message::user(next));
    }
    Ok(())
}
