//! JSON Web Tokens that someone else issues.
//!
//! Each algorithm has its own key and a token is only ever checked with the key of the algorithm that its
//! head names, so a public key can never serve as the secret of HS256. A token that is genuine but out of its
//! time is told apart from a wrong one: its holder guesses nothing, and a clock that jumps must not lock
//! anyone out.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::{Identity, Role, Who};
use crate::ServeError;
use crate::store::Clock;

/// Longest token that is looked at, in bytes.
const MAX_TOKEN_BYTES: usize = 8 << 10;

/// Fewest bytes of a secret: as many as the hash has (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// How far clocks may be apart, in seconds.
const LEEWAY_SECS: f64 = 30.0;

/// Which tokens are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenSettings {
    /// File with the secret of HS256; white space at its end is left out.
    pub secret_file: Option<PathBuf>,
    /// File with the public key of RS256, as PEM.
    pub public_key: Option<PathBuf>,
    /// The `aud` a token must have; `stateset-agents` where absent.
    pub audience: Option<String>,
    /// The `iss` a token must have; any where absent.
    pub issuer: Option<String>,
}

/// Checks tokens.
#[derive(Default)]
pub struct Tokens {
    checks: Vec<(Algorithm, DecodingKey, Validation)>,
    clock: Clock,
}

/// What a token comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// It opens.
    Known(Identity),
    /// It is genuine and has run out.
    Expired,
    /// It is genuine and counts later.
    TooEarly,
    /// It is none, or of somebody else.
    Unknown,
}

#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    roles: Option<Vec<String>>,
    exp: f64,
    nbf: Option<f64>,
}

impl Tokens {
    /// Reads the keys. The clock says which tokens have run out.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where a key cannot be read or is too weak.
    pub fn open(settings: &TokenSettings, clock: Clock) -> Result<Tokens, ServeError> {
        let mut checks = Vec::new();
        if let Some(path) = &settings.secret_file {
            let what = "--jwt-secret-file";
            let secret = read(what, path)?;
            let secret = secret.trim_ascii_end();
            if secret.len() < MIN_SECRET_BYTES {
                let message = format!(
                    "{} holds {} bytes; a secret has at least {MIN_SECRET_BYTES}",
                    path.display(),
                    secret.len()
                );
                return Err(ServeError::Setting { what, message });
            }
            let key = DecodingKey::from_secret(secret);
            checks.push((Algorithm::HS256, key, validation(Algorithm::HS256, settings)));
        }
        if let Some(path) = &settings.public_key {
            let what = "--jwt-public-key";
            let key = DecodingKey::from_rsa_pem(&read(what, path)?).map_err(|error| {
                let message =
                    format!("{} is not the public key of RSA as PEM: {error}", path.display());
                ServeError::Setting { what, message }
            })?;
            checks.push((Algorithm::RS256, key, validation(Algorithm::RS256, settings)));
        }
        Ok(Tokens { checks, clock })
    }

    /// True where no token is taken.
    pub fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// Whose token this is; [`Presented::Unknown`] where it is none, is not for us or not of our issuer. A
    /// token without the claim `roles` is of a user; one with unknown roles only opens nothing.
    pub fn find(&self, presented: &str) -> Presented {
        let Some(claims) = self.claims(presented) else { return Presented::Unknown };
        let Some(role) = claims.role() else { return Presented::Unknown };
        let now = self.clock.millis() as f64 / 1000.0;
        if claims.exp + LEEWAY_SECS < now {
            return Presented::Expired;
        }
        if claims.nbf.is_some_and(|begins| begins > now + LEEWAY_SECS) {
            return Presented::TooEarly;
        }
        let subject = claims.sub.unwrap_or_default();
        Presented::Known(Identity { who: Who::Subject(subject.into()), role })
    }

    /// What a genuine token says.
    fn claims(&self, presented: &str) -> Option<Claims> {
        if self.is_empty() || presented.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let algorithm = decode_header(presented).ok()?.alg;
        let (_, key, validation) = self.checks.iter().find(|(known, ..)| *known == algorithm)?;
        Some(decode::<Claims>(presented, key, validation).ok()?.claims)
    }
}

impl Claims {
    fn role(&self) -> Option<Role> {
        match &self.roles {
            None => Some(Role::User),
            Some(roles) => roles.iter().filter_map(|role| role.parse().ok()).max(),
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.checks.iter().map(|(algorithm, ..)| algorithm)).finish()
    }
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, ServeError> {
    fs::read(path).map_err(|error| ServeError::Setting {
        what,
        message: format!("{}: {error}", path.display()),
    })
}

fn validation(algorithm: Algorithm, settings: &TokenSettings) -> Validation {
    let mut validation = Validation::new(algorithm);
    // Times are compared with the server's own clock.
    validation.validate_exp = false;
    validation.set_audience(&[settings.audience.as_deref().unwrap_or("stateset-agents")]);
    let mut required = vec!["exp", "aud"];
    if let Some(issuer) = &settings.issuer {
        validation.set_issuer(&[issuer]);
        required.push("iss");
    }
    validation.set_required_spec_claims(&required);
    validation
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
    use serde_json::{Value, json};

    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn tokens() -> (tempfile::TempDir, Tokens) {
        let folder = tempfile::tempdir().unwrap();
        let secret_file = folder.path().join("secret");
        fs::write(&secret_file, [SECRET, b"\n"].concat()).unwrap();
        let settings = TokenSettings { secret_file: Some(secret_file), ..TokenSettings::default() };
        (folder, Tokens::open(&settings, Clock::system()).unwrap())
    }

    fn hs256(claims: &Value, secret: &[u8]) -> String {
        encode(&Header::default(), claims, &EncodingKey::from_secret(secret)).unwrap()
    }

    fn claims(change: impl FnOnce(&mut Value)) -> Value {
        let now = get_current_timestamp();
        let mut claims = json!({
            "sub": "ann", "aud": "stateset-agents", "exp": now + 600, "nbf": now - 5, "roles": ["trainer"],
        });
        change(&mut claims);
        claims
    }

    #[test]
    fn a_good_token_gives_its_subject_and_role() {
        let (_folder, tokens) = tokens();
        let ann = |role| Presented::Known(Identity { who: Who::Subject("ann".into()), role });
        assert_eq!(tokens.find(&hs256(&claims(|_| ()), SECRET)), ann(Role::Trainer));
        let no_roles = claims(|claims| drop(claims.as_object_mut().unwrap().remove("roles")));
        assert_eq!(tokens.find(&hs256(&no_roles, SECRET)), ann(Role::User));
    }

    #[test]
    fn every_fault_of_a_token_closes() {
        let (_folder, tokens) = tokens();
        let now = get_current_timestamp();
        type Fault = fn(&mut Value, u64);
        let out_of_time: [(Presented, Fault); 2] = [
            (Presented::Expired, |claims, now| claims["exp"] = json!(now - 120)),
            (Presented::TooEarly, |claims, now| claims["nbf"] = json!(now + 120)),
        ];
        for (expected, change) in out_of_time {
            let token = hs256(&claims(|claims| change(claims, now)), SECRET);
            assert_eq!(tokens.find(&token), expected);
            let forged =
                hs256(&claims(|claims| change(claims, now)), b"another secret of 32 bytes length");
            assert_eq!(tokens.find(&forged), Presented::Unknown);
        }
        let faults: [(&str, Fault); 9] = [
            ("an end before 1970", |claims, _| claims["exp"] = json!(-1)),
            ("no end", |claims, _| drop(claims.as_object_mut().unwrap().remove("exp"))),
            ("an end in words", |claims, _| claims["exp"] = json!("tomorrow")),
            ("a begin in words", |claims, _| claims["nbf"] = json!("today")),
            ("other audience", |claims, _| claims["aud"] = json!("another")),
            ("no audience", |claims, _| drop(claims.as_object_mut().unwrap().remove("aud"))),
            ("unknown roles", |claims, _| claims["roles"] = json!(["root"])),
            ("no roles in the list", |claims, _| claims["roles"] = json!([])),
            ("roles that are no list", |claims, _| claims["roles"] = json!("admin")),
        ];
        for (fault, change) in faults {
            let token = hs256(&claims(|claims| change(claims, now)), SECRET);
            assert_eq!(tokens.find(&token), Presented::Unknown, "{fault}");
        }
        let good = hs256(&claims(|_| ()), SECRET);
        let (signed, _) = good.rsplit_once('.').unwrap();
        for forged in
            [format!("{signed}."), signed.to_owned(), unsigned(&claims(|_| ())), String::new()]
        {
            assert_eq!(tokens.find(&forged), Presented::Unknown, "{forged}");
        }
    }

    fn unsigned(claims: &Value) -> String {
        use base64::Engine as _;
        let part = |value: &Value| {
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
        };
        format!("{}.{}.", part(&json!({"alg": "none", "typ": "JWT"})), part(claims))
    }

    #[test]
    fn weak_and_wrong_keys_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "too short").unwrap();
        let weak = TokenSettings { secret_file: Some(path.clone()), ..TokenSettings::default() };
        let error = Tokens::open(&weak, Clock::system()).unwrap_err().to_string();
        assert!(error.contains("at least 32") && !error.contains("too short"), "{error}");
        let wrong = TokenSettings { public_key: Some(path), ..TokenSettings::default() };
        let error = Tokens::open(&wrong, Clock::system()).unwrap_err().to_string();
        assert!(error.contains("PEM"), "{error}");
    }
}
