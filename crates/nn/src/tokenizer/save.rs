//! Writes a tokenizer to a folder: the files it was loaded from, and a `tokenizer.json` where there
//! was none, so that any program can load it.

use std::path::Path;

use serde_json::{Map, Value};

use super::codec::Tokenizer;
use super::files::write_file;
use crate::text_error::TextError;

impl Tokenizer {
    /// Saves the tokenizer and its chat templates to `folder`.
    ///
    /// # Errors
    /// [`TextError::WriteFile`].
    pub fn save(&self, folder: &Path) -> Result<(), TextError> {
        self.files.save(folder)?;
        if self.files.get("tokenizer.json").is_none() {
            let text = self
                .inner
                .to_string(true)
                .map_err(|e| TextError::bad_file("tokenizer.json", "tokenizer", e))?;
            write_file(&folder.join("tokenizer.json"), text.as_bytes())?;
        }
        let config = "tokenizer_config.json";
        if self.files.get(config).is_none() {
            let mut map = Map::new();
            for (role, token) in self.special_tokens().iter() {
                map.insert(role.to_string(), Value::from(token));
            }
            map.insert("tokenizer_class".into(), Value::from("PreTrainedTokenizerFast"));
            write_file(&folder.join(config), format!("{:#}\n", Value::Object(map)).as_bytes())?;
        }
        Ok(())
    }
}
