//! The model that plays the users.

use super::super::reader::Reader;

/// A model that plays the users, here or behind an OpenAI-compatible server.
#[derive(Clone, Debug, PartialEq)]
pub struct UserModelSettings {
    /// Its name.
    pub model: String,
    /// Where it is, if not on this machine.
    pub remote: Option<RemoteUserSettings>,
    /// Most tokens of a message; 1 or more.
    pub max_tokens: usize,
    /// How boldly they are drawn; 0 takes the likeliest.
    pub temperature: f64,
}

/// The server that has the users' model.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteUserSettings {
    /// Its address.
    pub url: String,
    /// Environment variable that holds the key.
    pub api_key_env: Option<String>,
    /// Limit of an answer, in seconds.
    pub timeout_secs: f64,
}

const MODEL: &str = "environment.user_model";
const URL: &str = "environment.user_url";
const TOKENS: &str = "environment.user_max_tokens";
const TEMPERATURE: &str = "environment.user_temperature";
/// Keys that count beside a server only.
const REMOTE: [&str; 2] = ["environment.user_api_key_env", "environment.user_timeout"];

impl UserModelSettings {
    /// The model; `None` where no one is named, or where `needs_none`: users say nothing there.
    pub(super) fn resolve(reader: &mut Reader, needs_none: bool) -> Option<UserModelSettings> {
        if needs_none {
            let keys = [MODEL, URL, TOKENS, TEMPERATURE].into_iter().chain(REMOTE);
            reader.drop_unread(keys, "no effect on prompts, which are answered once");
            return None;
        }
        let Some(model) = reader.optional_text(MODEL).map(str::to_owned) else {
            let keys = [URL, TOKENS, TEMPERATURE].into_iter().chain(REMOTE);
            reader.drop_unread(keys, "no effect without user_model");
            return None;
        };
        let remote = RemoteUserSettings::resolve(reader);
        if remote.is_none() {
            reader.drop_unread(REMOTE.into_iter(), "no effect without user_url");
        }
        Some(UserModelSettings {
            model,
            remote,
            max_tokens: reader.size(TOKENS),
            temperature: reader.number(TEMPERATURE),
        })
    }
}

impl RemoteUserSettings {
    fn resolve(reader: &Reader) -> Option<RemoteUserSettings> {
        let url = reader.optional_text(URL)?.to_owned();
        Some(RemoteUserSettings {
            url,
            api_key_env: reader.optional_text(REMOTE[0]).map(str::to_owned),
            timeout_secs: reader.number(REMOTE[1]),
        })
    }
}
