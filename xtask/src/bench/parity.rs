//! Before anything is compared: both sides compute the same loss on the same tokens, and decode the
//! same text. Otherwise one of them does other work, and its speed says nothing.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::process::measured;
use super::settings::{Settings, peer, text};
use super::works::{engine_speed, split};

/// Largest difference of losses, as a share.
const TOLERANCE: f64 = 1e-4;
/// Greedy tokens that have to be equal. Later ones may part where two logits are nearly tied.
const N_EQUAL: usize = 16;

/// What the check found.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(super) struct Parity {
    pub(super) our_loss: f64,
    pub(super) their_loss: f64,
    /// Leading greedy tokens of the first row that are equal, of 64.
    pub(super) n_equal_tokens: usize,
}

/// Compares loss and greedy text of both sides on `model`.
pub(super) fn parity(python: &Path, model: &Path, settings: &Settings) -> Result<Parity> {
    let model = text(model);
    let ours = engine_speed(&format!("train {model} 4 64"), settings, 1)?;
    let theirs =
        peer_line(python, "torch_train.py", &format!("{model} --batch 4 --tokens 64"), settings)?;
    let our_loss = ours["loss"].as_f64().context("our line has no loss")?;
    let their_loss = theirs["loss"].as_f64().context("the peer's line has no loss")?;
    let difference = ((our_loss - their_loss) / their_loss).abs();
    ensure!(
        difference <= TOLERANCE,
        "the losses differ: ours is {our_loss}, theirs {their_loss}; nothing is compared"
    );
    let ours = engine_speed(&format!("decode {model} 2 16 64"), settings, 1)?;
    let sizes = format!("{model} --batch 2 --prompt 16 --new 64");
    let theirs = peer_line(python, "transformers_decode.py", &sizes, settings)?;
    let n_equal_tokens = n_equal(&ours["first_row_ids"], &theirs["first_row_ids"]);
    ensure!(
        n_equal_tokens >= N_EQUAL,
        "greedy texts part after {n_equal_tokens} tokens; nothing is compared"
    );
    Ok(Parity { our_loss, their_loss, n_equal_tokens })
}

fn peer_line(python: &Path, script: &str, words: &str, settings: &Settings) -> Result<Value> {
    let script = text(&peer(script));
    let threads = settings.n_threads;
    let words = format!("{script} {words} --repeats 1 --warmups 0 --threads {threads}");
    measured(python, &split(&words), settings)
}

fn n_equal(ours: &Value, theirs: &Value) -> usize {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    list(ours).iter().zip(&list(theirs)).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn equal_tokens_are_counted_from_the_start() {
        assert_eq!(n_equal(&json!([1, 2, 3, 4]), &json!([1, 2, 9, 4])), 2);
        assert_eq!(n_equal(&Value::Null, &json!([1])), 0);
    }
}
