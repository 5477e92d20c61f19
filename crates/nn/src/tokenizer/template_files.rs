//! Where a model folder keeps its chat templates.
//!
//! Source: transformers 5.23, `_from_pretrained`: `chat_template.jinja` and
//! `chat_templates/*.jinja` win over the `chat_template` entry of `tokenizer_config.json`, which is
//! one template or a list of named ones.

use serde_json::Value;

use super::files::TextFiles;
use crate::text_error::TextError;

/// One chat template before it is parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TemplateFile {
    /// `default`, `tool_use` or another name.
    pub(crate) name: String,
    /// Where it was found, for errors.
    pub(crate) label: String,
    /// Its text.
    pub(crate) source: String,
}

impl TextFiles {
    /// Every chat template of the model; none where it has none.
    pub(crate) fn chat_templates(&self) -> Result<Vec<TemplateFile>, TextError> {
        let mut found = Vec::new();
        let jinja = "chat_template.jinja";
        if let Some(source) = self.text(jinja)? {
            found.push(template("default", self.label(jinja), source));
        }
        for (name, path, _) in self.named_templates() {
            if let Some(source) = self.text(path)? {
                found.push(template(name, self.label(path), source));
            }
        }
        if found.is_empty() { self.templates_of_config() } else { Ok(found) }
    }

    fn templates_of_config(&self) -> Result<Vec<TemplateFile>, TextError> {
        let file = "tokenizer_config.json";
        let config = self.object(file)?.unwrap_or_default();
        let label = format!("{}: chat_template", self.label(file));
        match config.get("chat_template") {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::String(source)) => Ok(vec![template("default", label, source)]),
            Some(Value::Array(list)) => list
                .iter()
                .enumerate()
                .map(|(i, entry)| match (entry["name"].as_str(), entry["template"].as_str()) {
                    (Some(name), Some(source)) => {
                        Ok(template(name, format!("{label}[{name}]"), source))
                    }
                    _ => Err(TextError::bad_file(
                        self.label(file),
                        format!("chat_template[{i}]"),
                        "is not an object with the texts `name` and `template`",
                    )),
                })
                .collect(),
            Some(other) => Err(TextError::bad_file(
                self.label(file),
                "chat_template",
                format!("found {other}, expected a text or a list of named templates"),
            )),
        }
    }
}

fn template(name: &str, label: String, source: &str) -> TemplateFile {
    TemplateFile { name: name.to_string(), label, source: source.to_string() }
}
