//! The facts a customer may hold, by name.

use crate::names::named_enum;

named_enum! {
    /// Something an agent may have to know before it can help.
    pub enum Slot {
        /// Number of the order, a short run of digits.
        OrderNumber => "order_number",
        /// What was bought, such as `kettle`.
        Item => "item",
        /// Address for email.
        Email => "email",
        /// Where the parcel goes, five digits.
        Postcode => "postcode",
        /// Why, as a clause that follows "because".
        Reason => "reason",
        /// Where to send the order instead, such as `12 Oak Street`.
        NewAddress => "new_address",
        /// Size of a garment.
        Size => "size",
        /// Colour of a product.
        Color => "color",
        /// How many, in words.
        Quantity => "quantity",
        /// The thing that does not work, such as `laptop`.
        Device => "device",
        /// When it began, such as `on Monday`.
        SinceWhen => "since_when",
        /// Version of the software, such as `4.2`.
        Version => "version",
        /// Code of the error shown, such as `E42`.
        ErrorCode => "error_code",
        /// Colour of the light on the router.
        Light => "light",
        /// The customer's name.
        Name => "name",
        /// Most the customer will spend, such as `300 dollars`.
        Budget => "budget",
        /// What the product is for, such as `school work`.
        Use => "use",
    }
}

impl Slot {
    /// What people call it, to go after "my" or "your".
    pub fn phrase(self) -> &'static str {
        match self {
            Slot::OrderNumber => "order number",
            Slot::Item => "item",
            Slot::Email => "email address",
            Slot::Postcode => "zip code",
            Slot::Reason => "reason",
            Slot::NewAddress => "new address",
            Slot::Size => "size",
            Slot::Color => "color",
            Slot::Quantity => "quantity",
            Slot::Device => "device",
            Slot::SinceWhen => "start date",
            Slot::Version => "software version",
            Slot::ErrorCode => "error code",
            Slot::Light => "router light",
            Slot::Name => "name",
            Slot::Budget => "budget",
            Slot::Use => "intended use",
        }
    }
}
