//! A tool in a line or two, for models whose chat template has no place for tools.
//!
//! `- find_order(id: string, year?: integer): Finds an order.` and one line for each argument that is
//! described. The choice a reader would question: not the JSON schema, which says the same in four
//! times as many tokens; what a signature cannot say (ranges, nested objects) is checked when the tool
//! is called.

use serde_json::Value;

use crate::ToolSpec;

/// The lines of one tool.
pub(super) fn described(tool: &ToolSpec) -> String {
    let properties = tool.parameters.get("properties").and_then(Value::as_object);
    let required = tool.parameters.get("required").and_then(Value::as_array);
    let is_required = |key: &str| required.is_some_and(|list| list.iter().any(|name| name == key));
    let (mut signature, mut lines) = (Vec::new(), String::new());
    for (key, schema) in properties.into_iter().flatten() {
        let mark = if is_required(key) { "" } else { "?" };
        signature.push(format!("{key}{mark}: {}", type_name(schema)));
        if let Some(text) = schema.get("description").and_then(Value::as_str) {
            lines += &format!("\n  {key}: {text}");
        }
    }
    let colon = if tool.description.is_empty() { "" } else { ": " };
    format!("- {}({}){colon}{}{lines}", tool.name, signature.join(", "), tool.description)
}

fn type_name(schema: &Value) -> String {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    match schema.get("type") {
        Some(Value::String(name)) if name == "array" => match schema.get("items") {
            Some(items) => format!("list of {}", type_name(items)),
            None => "list".to_owned(),
        },
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | ")
        }
        _ => "any".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tool_is_a_signature() {
        let tool = ToolSpec {
            name: "find".into(),
            description: "Finds orders.".into(),
            parameters: json!({
                "properties": {
                    "id": {"type": "string", "description": "Its number."},
                    "year": {"type": ["integer", "null"]},
                    "kind": {"enum": ["new", "old"]},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "x": {},
                },
                "required": ["id"],
            }),
        };
        let expected = "- find(id: string, year?: integer | null, kind?: \"new\" | \"old\", \
                        tags?: list of string, x?: any): Finds orders.\n  id: Its number.";
        assert_eq!(described(&tool), expected);
        let bare =
            ToolSpec { name: "stop".into(), description: String::new(), parameters: json!({}) };
        assert_eq!(described(&bare), "- stop()");
    }
}
