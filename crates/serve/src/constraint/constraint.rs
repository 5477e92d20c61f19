//! The form of one answer, ready to be kept.

use std::sync::Arc;

use llguidance::Matcher;
use llguidance::api::TopLevelGrammar;
use stateset_nn::{ChatFormat, TokenFilter};

use super::filter::{Failure, GrammarFilter};
use super::grammar::{self, Grammar};
use super::vocabulary::Vocabulary;
use crate::answer::{AnswerRequest, Form};
use crate::api_error::ApiError;
use crate::models::ServedModel;

/// The form of one answer, ready to be kept.
pub(crate) struct Constraint {
    filter: GrammarFilter,
}

impl Constraint {
    /// Where it is told why the grammar could not be followed.
    pub(crate) fn failure(&self) -> Failure {
        self.filter.failure.clone()
    }

    pub(crate) fn into_filter(self) -> Box<dyn TokenFilter> {
        Box::new(self.filter)
    }
}

/// The form that this answer must have; none where any text will do. Grammars are made on a thread of
/// their own: a large schema takes milliseconds.
///
/// # Errors
/// [`ApiError`] 400 that names the place in the schema or grammar, or says what the model cannot do.
pub(crate) async fn of(
    model: &Arc<ServedModel>,
    format: &ChatFormat,
    request: &AnswerRequest,
) -> Result<Option<Constraint>, ApiError> {
    if request.form == Form::Free {
        return Ok(None);
    }
    let grammar = grammar::of(format, request)?;
    let (model, format) = (Arc::clone(model), format.clone());
    let making = tokio::task::spawn_blocking(move || make(&model, &format, grammar));
    making.await.map_err(ApiError::internal)?.map(Some)
}

fn make(
    model: &ServedModel,
    format: &ChatFormat,
    grammar: Grammar,
) -> Result<Constraint, ApiError> {
    let vocabulary = match model.vocabulary.get() {
        Some(vocabulary) => vocabulary,
        None => {
            let new = Vocabulary::of(format)?;
            model.vocabulary.get_or_init(|| new)
        }
    };
    let matcher = matcher(vocabulary, grammar.grammar);
    match matcher.get_error() {
        None => Ok(Constraint { filter: GrammarFilter { matcher, failure: Failure::default() } }),
        Some(why) => Err(ApiError::invalid(grammar.field, format!("it cannot be kept: {why}"))
            .coded(grammar.code)),
    }
}

fn matcher(vocabulary: &Vocabulary, grammar: TopLevelGrammar) -> Matcher {
    Matcher::new(vocabulary.factory().create_parser(grammar))
}

/// What a client is told where a grammar was too much for the parser.
pub(crate) fn failed(why: &str) -> ApiError {
    let message = format!("the form could not be kept to the end: {why}; make it simpler");
    ApiError::invalid("response_format", message).coded("form_too_complex")
}
