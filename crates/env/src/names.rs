//! Closed sets with names: one macro gives an enum its list, its names and its place in files.
//!
//! The names are part of file formats and of the command line, so they are written out beside each
//! variant instead of being derived from it.

/// Declares a closed set: an enum with `ALL`, `name`, `from_name`, `Display` and serde by name.
macro_rules! named_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $enum:ident {
            $( $(#[$variant_meta:meta])* $variant:ident => $name:literal, )+
        }
    ) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize,
        )]
        $vis enum $enum {
            $( $(#[$variant_meta])* #[serde(rename = $name)] $variant, )+
        }

        #[allow(dead_code, reason = "sets that stay inside the crate need not use every one")]
        impl $enum {
            /// Every member, in the order of declaration.
            $vis const ALL: &'static [$enum] = &[ $( $enum::$variant, )+ ];

            /// The name that files and the command line use.
            $vis fn name(self) -> &'static str {
                match self { $( $enum::$variant => $name, )+ }
            }

            /// The member with this name; `None` for any other text.
            $vis fn from_name(name: &str) -> Option<$enum> {
                $enum::ALL.iter().copied().find(|member| member.name() == name)
            }
        }

        impl std::fmt::Display for $enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(crate) use named_enum;

/// The known name nearest to `found`, where one is near enough to be a slip of the keyboard.
pub(crate) fn nearest<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    let similarity = |name: &str| strsim::jaro_winkler(&found.to_lowercase(), name);
    known
        .iter()
        .map(|name| (similarity(name), *name))
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// `a, b and c`, for messages.
pub(crate) fn listed(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        [only] => (*only).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_keyboard_finds_its_name() {
        let known = ["topic", "context", "user_responses"];
        assert_eq!(nearest("topik", &known), Some("topic"));
        assert_eq!(nearest("user_response", &known), Some("user_responses"));
        assert_eq!(nearest("colour", &known), None);
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&[]), "none");
    }
}
