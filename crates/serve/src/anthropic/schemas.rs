//! How fields with several forms are described.

use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};

/// A text, or blocks.
pub(super) fn text_or_blocks() -> Schema {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let block = RefOr::<Schema>::Ref(Ref::from_schema_name("Block"));
    let blocks = ArrayBuilder::new().items(block);
    Schema::OneOf(OneOfBuilder::new().item(text).item(blocks).build())
}

/// A text, blocks, or nothing.
pub(super) fn text_or_blocks_or_null() -> Schema {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    Schema::OneOf(OneOfBuilder::new().item(text_or_blocks()).item(null).build())
}
