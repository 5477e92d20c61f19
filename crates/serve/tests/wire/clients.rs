//! The Python clients of OpenAI and Anthropic, and a fuzzer that knows our own description, against a server
//! of ours.

use crate::python_clients::{python, run_client};
use crate::running::{KEY, Running, start, start_whole};

async fn run(packages: &str, script: &'static str, server: impl Future<Output = Running>) {
    let Some(python) = python(packages) else { return };
    let server = server.await;
    run_client(python, script, vec![server.address.clone(), KEY.to_owned()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openai_client_works() {
    run("openai, pydantic", "openai_client.py", start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_anthropic_client_works() {
    run("anthropic", "anthropic_client.py", start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_document_is_valid_and_no_request_breaks_it() {
    let packages = "openapi_spec_validator, schemathesis";
    run(packages, "own_document.py", start_whole()).await;
}
