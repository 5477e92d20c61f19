//! How fields with several forms are described.

use utoipa::PartialSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type,
};

use super::chat_request::PartField;
use super::responses::{InputItem, ItemPart};

/// A text, or a list of texts.
pub(crate) fn text_or_texts() -> Schema {
    text_or(ArrayBuilder::new().items(text()))
}

/// A text, or an object.
pub(crate) fn text_or_object() -> Schema {
    let object = ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(true)));
    text_or(object)
}

/// A text, or the parts of a message.
pub(crate) fn text_or_parts() -> Schema {
    text_or_list_of::<PartField>()
}

/// A text, or items.
pub(crate) fn text_or_items() -> Schema {
    text_or_list_of::<InputItem>()
}

/// A text, or the parts of an item.
pub(crate) fn text_or_item_parts() -> Schema {
    text_or_list_of::<ItemPart>()
}

/// A text, or a list of these.
pub(crate) fn text_or_list_of<T: PartialSchema>() -> Schema {
    text_or(ArrayBuilder::new().items(T::schema()))
}

fn text_or(other: impl Into<RefOr<Schema>>) -> Schema {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    Schema::OneOf(OneOfBuilder::new().item(text()).item(other).item(null).build())
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
