//! `POST /v1/embeddings`.

use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::fields::n_tokens;
use super::limits::MAX_INPUTS;
use crate::App;
use crate::answer::Prompt;
use crate::api_error::ApiError;
use crate::body::JsonBody;
use crate::embedding::{EmbedInput, Embedded, embed};
use crate::wire::{PromptInput, prompts};

/// Texts to embed.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct EmbeddingsRequest {
    /// Name of the model; the first one where absent.
    pub model: Option<String>,
    /// A text, texts, the tokens of one text, or those of several.
    #[schema(required, schema_with = crate::wire::prompt_schema)]
    pub input: Option<PromptInput>,
    /// `float` or `base64`.
    pub encoding_format: Option<String>,
    /// How many numbers each vector has; all the model gives where absent.
    #[schema(minimum = 1)]
    pub dimensions: Option<i64>,
}

/// Vectors.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EmbeddingsResponse {
    /// Always `list`.
    object: &'static str,
    /// One for each text.
    data: Vec<Embedding>,
    /// Who made them.
    model: String,
    /// How many tokens it took.
    usage: EmbeddingsUsage,
}

/// The vector of one text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Embedding {
    /// Always `embedding`.
    object: &'static str,
    /// Number of the text.
    index: usize,
    /// The vector.
    #[schema(value_type = Vec<f32>)]
    embedding: Vector,
}

/// Tokens that were read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EmbeddingsUsage {
    /// Read.
    prompt_tokens: usize,
    /// The same.
    total_tokens: usize,
}

/// A vector as it is written.
#[derive(Debug)]
enum Vector {
    Numbers(Vec<f32>),
    /// Its little-endian bytes in base 64.
    Text(String),
}

impl Serialize for Vector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Vector::Numbers(numbers) => numbers.serialize(serializer),
            Vector::Text(text) => text.serialize(serializer),
        }
    }
}

/// Texts to vectors of length 1
#[utoipa::path(
    post,
    path = "/v1/embeddings",
    tag = "openai",
    request_body = EmbeddingsRequest,
    responses(
        (status = 200, description = "The vectors", body = EmbeddingsResponse),
    )
)]
pub(super) async fn create(
    State(app): State<App>,
    JsonBody(request): JsonBody<EmbeddingsRequest>,
) -> Result<Json<EmbeddingsResponse>, ApiError> {
    let model = app.models().find(request.model.as_deref())?;
    let is_text = match request.encoding_format.as_deref().unwrap_or("float") {
        "float" => false,
        "base64" => true,
        other => {
            let message = format!("{other:?} is no format; there are: float, base64");
            return Err(ApiError::invalid("encoding_format", message));
        }
    };
    let Some(input) = request.input else {
        return Err(ApiError::invalid("input", "it is missing"));
    };
    let inputs = prompts(input, "input", MAX_INPUTS)?.into_iter().filter_map(given).collect();
    let dimensions = n_tokens(request.dimensions, "dimensions")?;
    let embedded = embed(&model, inputs, dimensions).await?;
    let prompt_tokens = embedded.iter().map(|one| one.n_tokens).sum();
    let vector =
        |(index, one)| Embedding { object: "embedding", index, embedding: vector(one, is_text) };
    Ok(Json(EmbeddingsResponse {
        object: "list",
        data: embedded.into_iter().enumerate().map(vector).collect(),
        model: model.name.clone(),
        usage: EmbeddingsUsage { prompt_tokens, total_tokens: prompt_tokens },
    }))
}

fn given(prompt: Prompt) -> Option<EmbedInput> {
    match prompt {
        Prompt::Text(text) => Some(EmbedInput::Text(text)),
        Prompt::Tokens(tokens) => Some(EmbedInput::Tokens(tokens)),
        Prompt::Chat { .. } => None,
    }
}

fn vector(embedded: Embedded, is_text: bool) -> Vector {
    if !is_text {
        return Vector::Numbers(embedded.vector);
    }
    let bytes: Vec<u8> = embedded.vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    Vector::Text(STANDARD.encode(bytes))
}
