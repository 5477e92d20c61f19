//! The stub: words stand for tokens, choices are different sentences, forms are refused.

use std::sync::Arc;

use stateset_core::FinishReason;
use stateset_serve::ServedModel;
use stateset_serve::answer::{AnswerRequest, Form};

use super::support::{chat, hear};

#[tokio::test]
async fn limits_stops_and_choices() {
    let replies = vec!["one two three four".to_owned(), "other words".to_owned()];
    let model = Arc::new(ServedModel::stub("stub", replies));
    let whole = hear(&model, chat(64)).await.unwrap().answer;
    assert_eq!(whole.message.content, "one two three four");
    assert_eq!((whole.n_prompt, whole.n_drawn, whole.finish), (5, 4, FinishReason::Stop));
    let other = hear(&model, AnswerRequest { choice: 1, ..chat(64) }).await.unwrap().answer;
    assert_eq!(other.message.content, "other words");
    let cut = hear(&model, chat(2)).await.unwrap().answer;
    assert_eq!((cut.message.content.trim(), cut.finish), ("one two", FinishReason::Length));
    let mut request = chat(64);
    request.sampling.stop = vec!["o three".to_owned()];
    let stopped = hear(&model, request).await.unwrap().answer;
    assert_eq!(stopped.message.content, "one tw");
    assert_eq!(stopped.stopped_by.as_deref(), Some("o three"));
    let error = hear(&model, AnswerRequest { form: Form::JsonObject, ..chat(64) }).await;
    assert_eq!(error.err().map(|error| error.code), Some("unsupported_form"));
}
