//! Makes the embedded model: the text it is trained on, its tokenizer, and its weights.

#[allow(dead_code, unused_imports, reason = "the command that trains the model is its user")]
pub(crate) mod corpus;
