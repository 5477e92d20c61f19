//! Who talks, and which conversations are theirs.
//!
//! A user sees and continues what was begun with their own key or token. Trainers and admins see everything,
//! for they learn from it and answer for it. Callers without a key have nothing of their own: what one of
//! them begins, all of them see. A conversation of somebody else is answered as one that is not there.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::App;
use crate::api_error::ApiError;
use crate::security::{Identity, Role, Who};
use crate::store::{ConversationRow, Store};

/// Who talks. The default is a user without a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Whose conversations theirs are; empty for nobody in particular.
    pub(super) owner: String,
    sees_all: bool,
}

impl Caller {
    /// The conversation of this id.
    ///
    /// # Errors
    /// [`ApiError`] 404 where there is none, or none that is theirs to see.
    pub(super) async fn find(&self, store: &Store, id: &str) -> Result<ConversationRow, ApiError> {
        let found = store.conversation(id).await?;
        let theirs = found.filter(|row| self.sees_all || row.owner == self.owner);
        theirs.ok_or_else(|| ApiError::not_found("conversation", id))
    }

    /// Whose conversations a list is to have; everybody's where `None`.
    pub(super) fn of_owner(&self) -> Option<&str> {
        (!self.sees_all).then_some(self.owner.as_str())
    }
}

impl From<&Identity> for Caller {
    fn from(identity: &Identity) -> Caller {
        let owner = match &identity.who {
            Who::Address(_) => String::new(),
            Who::Key(name) => format!("key {name}"),
            Who::Subject(name) => format!("subject {name}"),
        };
        Caller { owner, sees_all: identity.role >= Role::Trainer }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Caller, Infallible> {
        Ok(parts.extensions.get::<Identity>().map(Caller::from).unwrap_or_default())
    }
}
