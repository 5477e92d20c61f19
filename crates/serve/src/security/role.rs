//! What a caller may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a caller may do; each role may do all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Talk to models and read what is not secret.
    User,
    /// Start, see and end trainings, and read measurements.
    Trainer,
    /// Everything, such as programs that are run on this machine.
    Admin,
}

impl Role {
    /// All roles, the least first.
    pub const ALL: [Role; 3] = [Role::User, Role::Trainer, Role::Admin];

    /// What it is called in settings and tokens.
    pub fn name(self) -> &'static str {
        match self {
            Role::User => "user",
            Role::Trainer => "trainer",
            Role::Admin => "admin",
        }
    }

    /// The highest of roles written as `user|trainer`; `None` where one of them is unknown.
    pub fn highest(text: &str) -> Option<Role> {
        let roles: Option<Vec<Role>> =
            text.split('|').map(|name| name.trim().parse().ok()).collect();
        roles?.into_iter().max()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        let named = Role::ALL.into_iter().find(|role| role.name() == text);
        named.ok_or_else(|| "a role is one of: user, trainer, admin".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ordered_and_lists_give_the_highest() {
        assert!(Role::User < Role::Trainer && Role::Trainer < Role::Admin);
        let cases = [
            ("user", Some(Role::User)),
            ("trainer|user", Some(Role::Trainer)),
            ("user| admin", Some(Role::Admin)),
            ("root", None),
            ("user|root", None),
            ("", None),
        ];
        for (text, role) in cases {
            assert_eq!(Role::highest(text), role, "{text:?}");
        }
    }
}
