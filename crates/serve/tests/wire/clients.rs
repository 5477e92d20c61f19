//! The Python clients of OpenAI and Anthropic against a server of ours.

use crate::python_clients::{python, run_client};
use crate::running::start;

async fn run(script: &'static str) {
    let Some(python) = python("anthropic, openai, pydantic") else { return };
    let server = start().await;
    run_client(python, script, vec![server.address.clone()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openai_client_works() {
    run("openai_client.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_anthropic_client_works() {
    run("anthropic_client.py").await;
}
