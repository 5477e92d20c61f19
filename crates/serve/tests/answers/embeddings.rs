//! Vectors: of length 1, the same for the same text, shortened as asked; refusals name the input.

use stateset_serve::ServedModel;
use stateset_serve::embedding::{EmbedInput, embed};

use super::support::{policy, tiny};

fn text(text: &str) -> EmbedInput {
    EmbedInput::Text(text.to_owned())
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn vectors_have_length_one() {
    let model = tiny(0);
    let tokens = policy(&model).format().tokenizer().encode("my order is late", true).unwrap();
    let inputs =
        vec![text("my order is late"), EmbedInput::Tokens(tokens.clone()), text("12 + 30 = 42")];
    let all = embed(&model, inputs, None).await.unwrap();
    assert!(all.iter().all(|one| (dot(&one.vector, &one.vector) - 1.0).abs() < 1e-5));
    assert_eq!(all[0], all[1]);
    assert_eq!(all[0].n_tokens, tokens.len());
    assert!(dot(&all[0].vector, &all[2].vector) < 0.999);

    let short = embed(&model, vec![text("my order is late")], Some(16)).await.unwrap();
    let head = &all[0].vector[..16];
    let length = dot(head, head).sqrt();
    assert_eq!(short[0].vector.len(), 16);
    assert!(short[0].vector.iter().zip(head).all(|(a, b)| (a - b / length).abs() < 1e-5));
}

#[tokio::test]
async fn what_has_no_vector_is_refused() {
    let model = tiny(0);
    let long = text(&"word ".repeat(2000));
    for (inputs, dimensions, field) in [
        (vec![], None, "input"),
        (vec![text("a"), text("")], None, "input[1]"),
        (vec![text("a"), long], None, "input[1]"),
        (vec![EmbedInput::Tokens(vec![99_999])], None, "input[0]"),
        (vec![text("a")], Some(0), "dimensions"),
        (vec![text("a")], Some(10_000), "dimensions"),
    ] {
        let error = embed(&model, inputs, dimensions).await.unwrap_err();
        assert_eq!((error.status.as_u16(), error.field.as_deref()), (400, Some(field)));
    }
    let stub = ServedModel::stub("stub", Vec::new());
    let error = embed(&stub, vec![text("a")], None).await.unwrap_err();
    assert_eq!(error.code, "unsupported_model");
}
