//! The JSON of a reply: all of it, or what is in its last fenced block.

use serde_json::Value;

/// Longest text that is looked at, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// The value; `None` where there is no JSON, or more than can be told apart.
pub(super) fn json_in(reply: &str) -> Option<Value> {
    if reply.len() > MAX_BYTES {
        return None;
    }
    serde_json::from_str(reply.trim()).ok().or_else(|| serde_json::from_str(fenced(reply)?).ok())
}

/// What is between the last two fences, without the name of the language.
fn fenced(reply: &str) -> Option<&str> {
    let end = reply.rfind("```")?;
    let start = reply[..end].rfind("```")? + 3;
    let block = &reply[start..end];
    let name_len = block.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(block.len());
    match block[name_len..].starts_with(['\n', '\r']) {
        true => Some(block[name_len..].trim()),
        false => Some(block.trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn json_stands_alone_or_in_a_fence() {
        for (reply, expected) in [
            (" {\"a\": 1}\n", Some(json!({"a": 1}))),
            ("Here:\n```json\n{\"a\": 1}\n```\nDone.", Some(json!({"a": 1}))),
            ("```\n[1]\n```\n```\n[2]\n```", Some(json!([2]))),
            ("```[1]```", Some(json!([1]))),
            ("```json\n```", None),
            ("it is {\"a\": 1}", None),
            ("```", None),
            ("", None),
        ] {
            assert_eq!(json_in(reply), expected, "{reply}");
        }
        assert_eq!(json_in(&"[".repeat(100_000)), None);
        assert_eq!(json_in(&format!("[{}]", " ".repeat(MAX_BYTES))), None);
    }

    proptest! {
        #[test]
        fn any_reply_is_read(reply in "[`a-z{}\\[\\]:1\"\n\u{e9}]{0,40}") {
            let _ = json_in(&reply);
        }
    }
}
