//! The one table of who may use which route. A route that is not in it is open to admins only.

use axum::http::Method;

use super::Role::{self, Admin, Trainer, User};

/// What a caller needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// No key: the answer says only whether the server is well, and what it is.
    Open,
    /// The key of the sample in the path, which the route itself asks for. No key of the server's opens it.
    Sample,
    /// This role or a higher one.
    Role(Role),
}

/// Who may use the routes of a path.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// The path as routes are written, with `{}` for one part of any value; a last `*` stands for any
    /// rest.
    pub path: &'static str,
    /// For GET and HEAD.
    pub read: Need,
    /// For all other methods.
    pub write: Need,
}

const fn open(path: &'static str) -> Access {
    Access { path, read: Need::Open, write: Need::Open }
}

const fn of_sample(path: &'static str) -> Access {
    Access { path, read: Need::Sample, write: Need::Sample }
}

const fn both(path: &'static str, role: Role) -> Access {
    Access { path, read: Need::Role(role), write: Need::Role(role) }
}

const fn split(path: &'static str, read: Role, write: Role) -> Access {
    Access { path, read: Need::Role(read), write: Need::Role(write) }
}

/// The first that fits counts.
const TABLE: &[Access] = &[
    // Whether the server is well, and what it is.
    open("/"),
    open("/health"),
    open("/healthz"),
    open("/ready"),
    open("/live"),
    open("/v1/health"),
    open("/api/health"),
    open("/api/v2/health"),
    open("/openapi.json"),
    open("/api/openapi.json"),
    // Measurements.
    both("/metrics/security", Admin),
    both("/metrics/cache", Admin),
    both("/metrics", Trainer),
    both("/metrics/*", Trainer),
    both("/api/metrics", Trainer),
    both("/v1/metrics", Trainer),
    both("/api/v2/metrics", Trainer),
    both("/api/v2/system/status", Trainer),
    both("/circuits", Trainer),
    // OpenAI and Anthropic.
    both("/v1/models", User),
    both("/v1/models/*", User),
    both("/v1/chat/completions", User),
    both("/v1/completions", User),
    both("/v1/embeddings", User),
    both("/v1/responses", User),
    both("/v1/responses/*", User),
    both("/v1/messages", User),
    both("/v1/messages/*", User),
    // Conversations.
    both("/conversations", User),
    both("/conversations/*", User),
    both("/v1/conversations", User),
    both("/v1/conversations/*", User),
    both("/v1/conversation", User),
    both("/v1/conversation/*", User),
    both("/api/conversations", User),
    both("/api/conversations/*", User),
    both("/api/chat", User),
    both("/v1/chat", User),
    both("/api/v2/chat", User),
    both("/chat/*", User),
    both("/api/v1/stream/*", User),
    both("/ws", User),
    both("/v1/ws", User),
    both("/ws/v2", User),
    // Agents: whoever talks to them sees them; trainers make them.
    split("/agents", User, Trainer),
    split("/agents/*", User, Trainer),
    split("/v1/agents", User, Trainer),
    split("/v1/agents/*", User, Trainer),
    // Training.
    both("/training", Trainer),
    both("/training/*", Trainer),
    both("/v1/training", Trainer),
    both("/v1/training/*", Trainer),
    both("/v1/train", Trainer),
    both("/v1/status/{}", Trainer),
    both("/v1/jobs", Trainer),
    both("/v1/jobs/*", Trainer),
    both("/v1/scale", Trainer),
    both("/api/train", Trainer),
    both("/api/status/{}", Trainer),
    both("/api/jobs", Trainer),
    both("/api/jobs/*", Trainer),
    both("/api/batch/*", Trainer),
    both("/api/v2/train", Trainer),
    both("/api/v2/jobs/*", Trainer),
    both("/api/scale", Trainer),
    both("/dashboard", Trainer),
    both("/dashboard/*", Trainer),
    // Trainers give samples out, each with a key of its own, which its routes ask for.
    both("/gateway/{}/samples", Trainer),
    of_sample("/gateway/{run}/{scenario}/{sample}/*"),
];

/// What a caller needs for this method of the route written as `path`, such as `/training/{id}`.
/// Where no route fits the request (`None`), what any user needs: the answer will be 404.
pub fn access_of(path: Option<&str>, method: &Method) -> Need {
    let Some(path) = path else { return Need::Role(User) };
    let found = TABLE.iter().find(|access| fits(access.path, path));
    match found {
        Some(access) if matches!(*method, Method::GET | Method::HEAD) => access.read,
        Some(access) => access.write,
        None => Need::Role(Admin),
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    if let Some(start) = pattern.strip_suffix('*') {
        return path.starts_with(start);
    }
    if !pattern.contains('{') {
        return pattern == path;
    }
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some("{}"), Some(part)) if part.starts_with('{') && !part.starts_with("{*") => {}
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_route_has_its_need() {
        let cases = [
            (Some("/live"), Method::GET, Need::Open),
            (Some("/v1/chat/completions"), Method::POST, Need::Role(User)),
            (Some("/agents/{agent_id}"), Method::GET, Need::Role(User)),
            (Some("/agents/{agent_id}"), Method::DELETE, Need::Role(Trainer)),
            (Some("/api/status/{job}"), Method::GET, Need::Role(Trainer)),
            (Some("/api/status/{*job}"), Method::GET, Need::Role(Admin)),
            (Some("/api/status/{job}/more"), Method::GET, Need::Role(Admin)),
            (Some("/metrics/security"), Method::GET, Need::Role(Admin)),
            (Some("/metrics/json"), Method::GET, Need::Role(Trainer)),
            (Some("/trainings"), Method::GET, Need::Role(Admin)),
            (Some("/something/new"), Method::GET, Need::Role(Admin)),
            (Some("/gateway/{run}/samples"), Method::GET, Need::Role(Trainer)),
            (Some("/gateway/{run}/{scenario}/{sample}/reward"), Method::POST, Need::Sample),
            (Some("/gateway/{run}/other"), Method::POST, Need::Role(Admin)),
            (None, Method::GET, Need::Role(User)),
        ];
        for (path, method, need) in cases {
            assert_eq!(access_of(path, &method), need, "{method} {path:?}");
        }
    }

    #[test]
    fn no_entry_hides_a_later_one() {
        for (n, later) in TABLE.iter().enumerate() {
            let hidden = TABLE[..n].iter().find(|earlier| fits(earlier.path, later.path));
            assert!(hidden.is_none(), "{} is hidden by {}", later.path, hidden.unwrap().path);
        }
    }

    #[test]
    fn every_route_is_in_the_table() {
        let models = crate::Models::new(Vec::new());
        let app = crate::App::new(crate::ServeConfig::default(), models);
        let paths = crate::server::paths(app);
        assert!(paths.contains(&"/v1/models".to_owned()), "{paths:?}");
        let is_missing = |path: &&String| !TABLE.iter().any(|access| fits(access.path, path));
        let missing: Vec<&String> = paths.iter().filter(is_missing).collect();
        assert!(missing.is_empty(), "routes that security/roles.rs does not name: {missing:?}");
    }
}
