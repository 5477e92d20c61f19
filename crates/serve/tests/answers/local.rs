//! 1. A stream says what the whole says (checked with every answer that is heard here), and the whole is
//!    that of the policy in a rollout.
//! 2. Equal seeds give equal answers, other choices and absent seeds others.
//! 3. Limits, stop texts, bias, penalties and likeliest tokens do what they say.
//! 4. What cannot be answered is refused by name, before anything else is heard.
//! 5. Whoever stops listening frees the slot.

use std::sync::Arc;
use std::time::Duration;

use stateset_core::{
    FinishReason, GenerateRequest, Message, Policy, Purpose, RunSeed, Sampling, StreamKey,
    TokenTrace,
};
use stateset_serve::answer::{Answer, AnswerEvent, AnswerRequest, Answering, Prompt};
use stateset_train::EngineState;

use super::support::{chat, hear, policy, tiny};

#[tokio::test]
async fn answers_are_those_of_rollouts() {
    let model = Arc::new(tiny(3));
    for (seed, choice) in [(1, 0), (2, 3), (9, 1)] {
        let request = AnswerRequest { seed: Some(seed), choice, ..chat(60) };
        let heard = hear(&model, request.clone()).await.unwrap();
        let Prompt::Chat { messages, tools } = request.prompt else { panic!("a conversation") };
        let key = StreamKey { sample: choice, ..StreamKey::default() };
        let rollout = GenerateRequest {
            messages,
            tools,
            trace: TokenTrace::new(),
            sampling: request.sampling,
            stream: RunSeed(seed).stream(Purpose::Sampling, key),
        };
        let completion = policy(&model).generate(rollout).await.unwrap();
        let sampled = completion.sampled.unwrap();
        let ids: Vec<u32> = heard.answer.tokens.iter().map(|token| token.id).collect();
        let logprobs: Vec<f32> = heard.answer.tokens.iter().map(|token| token.logprob).collect();
        assert_eq!((ids, logprobs), (sampled.tokens, sampled.logprobs));
        assert_eq!(heard.answer.message, completion.message);
        assert_eq!(heard.answer.version.0, 3);
        assert!(!heard.answer.is_steered);
        let bytes: Vec<u8> = heard.answer.tokens.iter().flat_map(|t| t.bytes.clone()).collect();
        assert_eq!(String::from_utf8_lossy(&bytes), heard.answer.message.content);
    }
}

#[tokio::test]
async fn seeds_and_choices() {
    let model = Arc::new(tiny(0));
    let hot = |seed, choice| {
        let mut request = AnswerRequest { seed, choice, ..chat(30) };
        request.sampling.temperature = 1.5;
        request
    };
    let ids = async |request| {
        let heard = hear(&model, request).await.unwrap();
        heard.answer.tokens.iter().map(|token| token.id).collect::<Vec<u32>>()
    };
    let first = ids(hot(Some(1), 0)).await;
    assert_eq!(ids(hot(Some(1), 0)).await, first);
    assert_ne!(ids(hot(Some(1), 1)).await, first);
    assert_ne!(ids(hot(Some(2), 0)).await, first);
    assert_ne!(ids(hot(None, 0)).await, ids(hot(None, 0)).await);
}

#[tokio::test]
async fn texts_and_tokens_are_continued() {
    let model = Arc::new(tiny(0));
    let sampling = Sampling { max_new_tokens: 12, ..Sampling::default() };
    let ask =
        |prompt| AnswerRequest { seed: Some(4), ..AnswerRequest::new(prompt, sampling.clone()) };
    let text = hear(&model, ask(Prompt::Text("Thank you for".to_owned()))).await.unwrap();
    assert_eq!(text.answer.n_prompt, text.answer.prompt_tokens.len());
    let tokens = ask(Prompt::Tokens(text.answer.prompt_tokens.clone()));
    let again = hear(&model, tokens).await.unwrap().answer;
    // The second time the prompt was read before.
    assert_eq!(again.n_cached, Some(text.answer.n_prompt - 1));
    assert_eq!(Answer { n_cached: text.answer.n_cached, ..again }, text.answer);
}

#[tokio::test]
async fn limits_and_stops() {
    let model = Arc::new(tiny(0));
    let plain = hear(&model, chat(40)).await.unwrap().answer;
    let cut = hear(&model, chat(5)).await.unwrap().answer;
    assert_eq!((cut.n_drawn, cut.finish), (5, FinishReason::Length));
    assert_eq!(cut.tokens[..], plain.tokens[..5]);

    let content = plain.message.content;
    let middle = content.char_indices().nth(content.chars().count() / 2).unwrap().0;
    let stop: String = content[middle..].chars().take(3).collect();
    let mut request = chat(40);
    request.sampling.stop = vec!["never said".to_owned(), stop.clone()];
    let stopped = hear(&model, request).await.unwrap().answer;
    assert_eq!(stopped.message.content, content[..content.find(&stop).unwrap()]);
    assert_eq!((stopped.finish, stopped.stopped_by), (FinishReason::Stop, Some(stop)));
    assert!(stopped.n_drawn <= plain.n_drawn);
}

#[tokio::test]
async fn what_steers_and_what_is_told() {
    let model = Arc::new(tiny(0));
    let mut greedy = AnswerRequest { top_logprobs: 5, ..chat(8) };
    greedy.sampling.temperature = 0.0;
    let plain = hear(&model, greedy.clone()).await.unwrap().answer;
    for token in &plain.tokens {
        assert_eq!(token.top.len(), 5);
        assert_eq!((token.top[0].id, token.top[0].logprob), (token.id, token.logprob));
        assert!(token.top.is_sorted_by(|a, b| a.logprob >= b.logprob));
    }
    let second = plain.tokens[0].top[1].id;
    let biased = AnswerRequest { logit_bias: vec![(second, 100.0)], ..greedy.clone() };
    let biased = hear(&model, biased).await.unwrap().answer;
    assert!(biased.is_steered && biased.tokens.iter().all(|token| token.id == second));
    assert_eq!(biased.tokens[0].logprob, plain.tokens[0].top[1].logprob);
    assert_eq!(biased.tokens[0].top, plain.tokens[0].top);

    let penalised = AnswerRequest {
        presence_penalty: 2.0,
        frequency_penalty: 2.0,
        logit_bias: vec![(second, 5.0)],
        ..greedy
    };
    let penalised = hear(&model, penalised).await.unwrap().answer;
    assert!(penalised.tokens.iter().any(|token| token.id != second));
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused() {
    let model = Arc::new(tiny(0));
    let sampling = Sampling::default();
    let long = AnswerRequest {
        prompt: Prompt::Chat {
            messages: vec![Message::user("Where is it? ".repeat(400))],
            tools: Vec::new(),
        },
        ..chat(5)
    };
    let bad_token = AnswerRequest::new(Prompt::Tokens(vec![1, 99_999]), sampling.clone());
    let no_tokens = AnswerRequest::new(Prompt::Tokens(Vec::new()), sampling);
    let bias = AnswerRequest { logit_bias: vec![(99_999, 1.0)], ..chat(5) };
    for (request, field, code) in [
        (long, "messages", "context_length_exceeded"),
        (bad_token, "prompt", "invalid_value"),
        (no_tokens, "prompt", "invalid_value"),
        (bias, "logit_bias.99999", "invalid_value"),
        (chat(0), "max_tokens", "invalid_value"),
    ] {
        let mut answering = Answering::begin(Arc::clone(&model), request);
        let error = answering.next().await.unwrap().unwrap_err();
        assert_eq!((error.status.as_u16(), error.code), (400, code), "{error:?}");
        assert_eq!(error.field.as_deref(), Some(field), "{error:?}");
        assert!(answering.next().await.is_none());
    }
}

#[tokio::test]
async fn whoever_stops_listening_frees_the_slot() {
    let model = Arc::new(tiny(0));
    let mut request = chat(400);
    // Nothing ends it but its length.
    let ends = policy(&model).format().end_ids().to_vec();
    request.logit_bias = ends.into_iter().map(|id| (id, -100.0)).collect();
    let mut answering = Answering::begin(Arc::clone(&model), request);
    assert!(matches!(answering.next().await, Some(Ok(AnswerEvent::Begun(_)))));
    assert!(matches!(answering.next().await, Some(Ok(AnswerEvent::Piece(_)))));
    drop(answering);
    let engine = policy(&model).engine().clone();
    let is_free = async {
        while engine.run(|state: &mut EngineState| state.sampler_load()).await.unwrap()
            != (0, 0, 0.0)
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), is_free).await.unwrap();
}
