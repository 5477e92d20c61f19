//! Weights are exchanged while answers are drawn:
//!
//! 1. an answer is drawn by the weights it began with, from its first token to its last;
//! 2. no request fails, however often they are exchanged;
//! 3. every answer says whose weights drew it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stateset_nn::Stretch;
use stateset_serve::answer::{Answer, AnswerEvent, AnswerRequest, Answering};
use stateset_serve::{Models, ServedModel};
use stateset_train::EngineState;

use super::support::{chat, hear, policy, tiny};

fn request() -> AnswerRequest {
    let mut request = chat(24);
    request.sampling.greedy = true;
    request
}

/// The embedded model, for odd versions with other weights.
async fn weights(version: u64) -> ServedModel {
    let model = tokio::task::spawn_blocking(move || tiny(version)).await.unwrap();
    if version % 2 == 1 {
        let change = |state: &mut EngineState| {
            let (buf, len) = (state.policy.base, state.decoder.params.len());
            state.device.scale(Stretch { buf, offset: 0, len: len / 2 }, 0.8);
            state.device.weights_changed(buf);
        };
        policy(&model).engine().run(change).await.unwrap();
    }
    model
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_in_flight_keep_their_weights() {
    let mut expected = BTreeMap::new();
    for version in 0..2 {
        let heard = hear(&Arc::new(weights(version).await), request()).await.unwrap();
        expected.insert(version, heard.answer.message.content);
    }
    assert_ne!(expected[&0], expected[&1]);
    let expected = Arc::new(expected);
    let models = Arc::new(Models::new(vec![weights(0).await]));
    let is_over = Arc::new(AtomicBool::new(false));
    let client = || {
        let (models, is_over) = (Arc::clone(&models), Arc::clone(&is_over));
        let expected = Arc::clone(&expected);
        async move {
            let mut versions = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let model = models.find(Some("tiny")).unwrap();
                let answer = hear(&model, request()).await.unwrap().answer;
                assert_eq!(answer.message.content, expected[&(answer.version.0 % 2)]);
                versions.push(answer.version.0);
            }
            versions
        }
    };
    let clients: Vec<_> = (0..4).map(|_| tokio::spawn(client())).collect();
    for version in 1..5 {
        models.put(weights(version).await);
        let model = models.find(None).unwrap();
        assert_eq!(hear(&model, request()).await.unwrap().answer.version.0, version);
    }
    is_over.store(true, Ordering::Relaxed);
    for client in clients {
        let versions = client.await.unwrap();
        assert!(versions.is_sorted(), "{versions:?}");
    }
}

#[tokio::test]
async fn an_answer_outlives_its_model() {
    let models = Models::new(vec![weights(0).await]);
    let whole = hear(&models.find(None).unwrap(), request()).await.unwrap().answer;
    let mut answering = Answering::begin(models.find(None).unwrap(), request());
    assert!(matches!(answering.next().await, Some(Ok(AnswerEvent::Begun(_)))));
    models.put(weights(1).await);
    // The second time the prompt was read before.
    let again = answering.whole().await.unwrap();
    assert_eq!(Answer { n_cached: whole.n_cached, ..again }, whole);
    assert_eq!(models.all().len(), 1);
}
