//! What an agent may do for a customer, by kind.

use crate::names::named_enum;

named_enum! {
    /// One kind of help. Every issue has exactly one kind that settles it.
    pub enum Resolution {
        /// The parcel is traced, or its day of arrival named.
        TraceParcel => "trace_parcel",
        /// The money for the order goes back.
        StartRefund => "start_refund",
        /// A label to send the item back with.
        SendReturnLabel => "send_return_label",
        /// The item is swapped for another size.
        ExchangeItem => "exchange_item",
        /// The order is cancelled.
        CancelOrder => "cancel_order",
        /// The order goes to another address.
        UpdateAddress => "update_address",
        /// A new or the right item is sent.
        ShipReplacement => "ship_replacement",
        /// One of two payments is given back.
        ReverseCharge => "reverse_charge",
        /// The power button is held down until the device starts afresh.
        ResetPower => "reset_power",
        /// The router is restarted.
        RestartRouter => "restart_router",
        /// The app is removed and installed again.
        ReinstallApp => "reinstall_app",
        /// Old files go, so that there is room again.
        ClearStorage => "clear_storage",
        /// A link to choose a new password.
        SendResetLink => "send_reset_link",
        /// The software is brought up to date.
        UpdateSoftware => "update_software",
        /// The sound settings are reset.
        ResetSound => "reset_sound",
        /// A laptop is recommended.
        RecommendLaptop => "recommend_laptop",
        /// A phone is recommended.
        RecommendPhone => "recommend_phone",
        /// A pair of headphones is recommended.
        RecommendHeadphones => "recommend_headphones",
        /// A chair is recommended.
        RecommendChair => "recommend_chair",
        /// A coffee machine is recommended.
        RecommendCoffeeMachine => "recommend_coffee_machine",
        /// A discount is given.
        OfferDiscount => "offer_discount",
        /// The product is in stock, or set aside.
        ConfirmStock => "confirm_stock",
    }
}

impl Resolution {
    /// True where the customer does it and the agent only says how, so that an imperative is enough.
    pub fn is_instruction(self) -> bool {
        matches!(
            self,
            Resolution::ResetPower
                | Resolution::RestartRouter
                | Resolution::ReinstallApp
                | Resolution::ClearStorage
                | Resolution::UpdateSoftware
                | Resolution::ResetSound
        )
    }

    /// What a customer calls it, to go after "I did not ask for".
    pub fn phrase(self) -> &'static str {
        match self {
            Resolution::TraceParcel => "a parcel search",
            Resolution::StartRefund => "a refund",
            Resolution::SendReturnLabel => "a return label",
            Resolution::ExchangeItem => "an exchange",
            Resolution::CancelOrder => "a cancellation",
            Resolution::UpdateAddress => "an address change",
            Resolution::ShipReplacement => "a replacement",
            Resolution::ReverseCharge => "money back for a second charge",
            Resolution::ResetPower => "a power reset",
            Resolution::RestartRouter => "a router restart",
            Resolution::ReinstallApp => "a new app",
            Resolution::ClearStorage => "more storage",
            Resolution::SendResetLink => "a new password",
            Resolution::UpdateSoftware => "a software update",
            Resolution::ResetSound => "new sound settings",
            Resolution::RecommendLaptop => "a laptop",
            Resolution::RecommendPhone => "a phone",
            Resolution::RecommendHeadphones => "headphones",
            Resolution::RecommendChair => "a chair",
            Resolution::RecommendCoffeeMachine => "a coffee machine",
            Resolution::OfferDiscount => "a discount",
            Resolution::ConfirmStock => "a stock check",
        }
    }
}
