//! What a message says, on disk: a text, or a list of parts.
//!
//! Layout of OpenAI's chat interface. Two texts with nothing between them are two lines of one text; a text before
//! or after a picture is joined as it is.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::Value;

use crate::ImageContent;

/// A content in OpenAI's layout.
#[derive(Clone, Debug, PartialEq)]
pub enum ContentRecord {
    /// A text.
    Text(String),
    /// Texts and pictures in their order.
    Parts(Vec<PartRecord>),
}

/// A part of a content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PartRecord {
    /// `{"type": "text", "text": ..}`
    Text {
        /// The text.
        text: String,
    },
    /// `{"type": "image_url", "image_url": {"url": .., "detail": ..}}`
    ImageUrl {
        /// The picture.
        image_url: ImageUrlRecord,
    },
}

/// Where a picture is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageUrlRecord {
    /// An address or a `data:` URL.
    pub url: String,
    /// `auto`, `low` or `high`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl ContentRecord {
    /// The content of these words and pictures; places beyond the text are its end.
    pub fn of(text: &str, images: &[ImageContent]) -> ContentRecord {
        if images.is_empty() {
            return ContentRecord::Text(text.to_owned());
        }
        let mut parts = Vec::new();
        let mut done = 0;
        let say = |parts: &mut Vec<PartRecord>, from: usize, to: usize| {
            if from < to {
                parts.push(PartRecord::Text { text: text[from..to].to_owned() });
            }
        };
        for image in images {
            let at = text.floor_char_boundary(image.at).max(done);
            say(&mut parts, done, at);
            done = at;
            let (url, detail) = (image.url.clone(), image.detail.clone());
            parts.push(PartRecord::ImageUrl { image_url: ImageUrlRecord { url, detail } });
        }
        say(&mut parts, done, text.len());
        ContentRecord::Parts(parts)
    }

    /// The words, and the pictures with their places in them.
    pub fn into_text_and_images(self) -> (String, Vec<ImageContent>) {
        let parts = match self {
            ContentRecord::Text(text) => return (text, Vec::new()),
            ContentRecord::Parts(parts) => parts,
        };
        let (mut text, mut images) = (String::new(), Vec::new());
        let mut follows_text = false;
        for part in parts {
            match part {
                PartRecord::Text { text: more } => {
                    if follows_text {
                        text.push('\n');
                    }
                    text.push_str(&more);
                    follows_text = true;
                }
                PartRecord::ImageUrl { image_url: ImageUrlRecord { url, detail } } => {
                    images.push(ImageContent { url, detail, at: text.len() });
                    follows_text = false;
                }
            }
        }
        (text, images)
    }
}

impl Serialize for ContentRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ContentRecord::Text(text) => text.serialize(serializer),
            ContentRecord::Parts(parts) => parts.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ContentRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(ContentRecord::Text(text)),
            Value::Array(parts) => {
                let part = |(index, part)| {
                    serde_json::from_value(part)
                        .map_err(|error| D::Error::custom(format!("content[{index}]: {error}")))
                };
                let parts = parts.into_iter().enumerate().map(part);
                parts.collect::<Result<_, _>>().map(ContentRecord::Parts)
            }
            _ => Err(D::Error::custom("content: expected a text or a list of parts")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<ContentRecord, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn parts_keep_their_order() {
        let value = json!([
            {"type": "text", "text": "Before "},
            {"type": "image_url", "image_url": {"url": "https://a.example/x.png", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            {"type": "text", "text": "after\u{e9}"},
        ]);
        let record = read(value.clone()).unwrap();
        let (text, images) = record.into_text_and_images();
        assert_eq!(text, "Before after\u{e9}");
        assert_eq!(images.iter().map(|image| image.at).collect::<Vec<_>>(), [7, 7]);
        let back = ContentRecord::of(&text, &images);
        assert_eq!(serde_json::to_value(back).unwrap(), value);
    }

    #[test]
    fn plain_texts_stay_plain() {
        let (text, images) = read(json!("hello")).unwrap().into_text_and_images();
        assert_eq!((text.as_str(), images.len()), ("hello", 0));
        assert_eq!(serde_json::to_value(ContentRecord::of(&text, &images)).unwrap(), "hello");
        let two = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
        assert_eq!(read(two).unwrap().into_text_and_images().0, "a\nb");
    }

    #[test]
    fn places_outside_the_text_are_moved_into_it() {
        let images = [3, 1, 99].map(|at| ImageContent { at, ..ImageContent::new("u") });
        let (text, images) = ContentRecord::of("\u{e9}\u{e9}", &images).into_text_and_images();
        assert_eq!(text, "\u{e9}\u{e9}");
        assert_eq!(images.iter().map(|image| image.at).collect::<Vec<_>>(), [2, 2, 4]);
    }

    #[test]
    fn other_parts_are_refused_by_name() {
        let error = read(json!([{"type": "text", "text": ""}, {"type": "audio"}])).unwrap_err();
        assert!(error.contains("content[1]") && error.contains("audio"), "{error}");
        assert!(read(json!(7)).unwrap_err().contains("list of parts"));
        let error = read(json!([{"type": "image_url", "image_url": {}}])).unwrap_err();
        assert!(error.contains("url"), "{error}");
    }
}
