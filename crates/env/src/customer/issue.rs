//! What customers come with: each issue's domain, the facts it needs, and the help that settles it.
//!
//! The tables are the rules of the game. A corpus generator and a scripted agent read them to play it
//! well; the simulated customer reads them to judge the agent.

use super::{Domain, Resolution, Slot};
use crate::names::named_enum;

named_enum! {
    /// Why a customer writes.
    pub enum Issue {
        /// A parcel that has not come.
        LateDelivery => "late_delivery",
        /// Money back for an order.
        Refund => "refund",
        /// An item that goes back.
        Return => "return",
        /// An item in another size.
        Exchange => "exchange",
        /// An order that is no longer wanted.
        Cancel => "cancel",
        /// An order that must go elsewhere.
        ChangeAddress => "change_address",
        /// An item that came broken.
        DamagedItem => "damaged_item",
        /// Another item than the one ordered.
        WrongItem => "wrong_item",
        /// One order, paid twice.
        DoubleCharge => "double_charge",
        /// A device that does not turn on.
        NoPower => "no_power",
        /// A home without internet.
        NoInternet => "no_internet",
        /// An app that closes by itself.
        AppCrash => "app_crash",
        /// A device that has become slow.
        SlowDevice => "slow_device",
        /// A password nobody remembers.
        ForgotPassword => "forgot_password",
        /// A battery that empties too fast.
        BatteryDrain => "battery_drain",
        /// A device without sound.
        NoSound => "no_sound",
        /// Looking for a laptop.
        FindLaptop => "find_laptop",
        /// Looking for a phone.
        FindPhone => "find_phone",
        /// Looking for headphones.
        FindHeadphones => "find_headphones",
        /// Looking for a chair.
        FindChair => "find_chair",
        /// Looking for a coffee machine.
        FindCoffeeMachine => "find_coffee_machine",
        /// Asking for a better price.
        Discount => "discount",
        /// Asking whether something is in stock.
        Availability => "availability",
    }
}

impl Issue {
    /// The issues of `domain`.
    pub fn of_domain(domain: Domain) -> impl Iterator<Item = Issue> {
        Issue::ALL.iter().copied().filter(move |issue| issue.domain() == domain)
    }

    /// The desk it belongs to.
    pub fn domain(self) -> Domain {
        if self <= Issue::DoubleCharge {
            Domain::CustomerService
        } else if self <= Issue::NoSound {
            Domain::TechnicalSupport
        } else {
            Domain::Sales
        }
    }

    /// The facts an agent must know before the customer accepts help; two or three.
    pub fn required_slots(self) -> &'static [Slot] {
        match self {
            Issue::LateDelivery => &[Slot::OrderNumber, Slot::Postcode],
            Issue::Refund | Issue::Cancel => &[Slot::OrderNumber, Slot::Reason],
            Issue::Return | Issue::DamagedItem | Issue::WrongItem => {
                &[Slot::OrderNumber, Slot::Item]
            }
            Issue::Exchange => &[Slot::OrderNumber, Slot::Item, Slot::Size],
            Issue::ChangeAddress => &[Slot::OrderNumber, Slot::NewAddress],
            Issue::DoubleCharge => &[Slot::OrderNumber, Slot::Email],
            Issue::NoPower | Issue::SlowDevice => &[Slot::Device, Slot::SinceWhen],
            Issue::NoInternet => &[Slot::Light, Slot::SinceWhen],
            Issue::AppCrash => &[Slot::Device, Slot::ErrorCode],
            Issue::ForgotPassword => &[Slot::Email, Slot::Name],
            Issue::BatteryDrain => &[Slot::Device, Slot::Version, Slot::SinceWhen],
            Issue::NoSound => &[Slot::Device, Slot::Version],
            Issue::FindLaptop
            | Issue::FindPhone
            | Issue::FindHeadphones
            | Issue::FindChair
            | Issue::FindCoffeeMachine => &[Slot::Budget, Slot::Use],
            Issue::Discount => &[Slot::Item, Slot::Quantity],
            Issue::Availability => &[Slot::Item, Slot::Color],
        }
    }

    /// The one kind of help that settles it.
    pub fn resolution(self) -> Resolution {
        match self {
            Issue::LateDelivery => Resolution::TraceParcel,
            Issue::Refund => Resolution::StartRefund,
            Issue::Return => Resolution::SendReturnLabel,
            Issue::Exchange => Resolution::ExchangeItem,
            Issue::Cancel => Resolution::CancelOrder,
            Issue::ChangeAddress => Resolution::UpdateAddress,
            Issue::DamagedItem | Issue::WrongItem => Resolution::ShipReplacement,
            Issue::DoubleCharge => Resolution::ReverseCharge,
            Issue::NoPower => Resolution::ResetPower,
            Issue::NoInternet => Resolution::RestartRouter,
            Issue::AppCrash => Resolution::ReinstallApp,
            Issue::SlowDevice => Resolution::ClearStorage,
            Issue::ForgotPassword => Resolution::SendResetLink,
            Issue::BatteryDrain => Resolution::UpdateSoftware,
            Issue::NoSound => Resolution::ResetSound,
            Issue::FindLaptop => Resolution::RecommendLaptop,
            Issue::FindPhone => Resolution::RecommendPhone,
            Issue::FindHeadphones => Resolution::RecommendHeadphones,
            Issue::FindChair => Resolution::RecommendChair,
            Issue::FindCoffeeMachine => Resolution::RecommendCoffeeMachine,
            Issue::Discount => Resolution::OfferDiscount,
            Issue::Availability => Resolution::ConfirmStock,
        }
    }

    /// Help that may go along with [`Issue::resolution`] without confusing anybody, such as the
    /// refund that follows a return, or the label to send a broken item back with. On its own it
    /// settles nothing.
    pub fn companion(self) -> Option<Resolution> {
        match self {
            Issue::Return | Issue::Cancel => Some(Resolution::StartRefund),
            Issue::Exchange | Issue::DamagedItem | Issue::WrongItem => {
                Some(Resolution::SendReturnLabel)
            }
            _ => None,
        }
    }

    /// True where the customer looks for a product of one kind and a price above the budget is no
    /// answer.
    pub fn is_product_search(self) -> bool {
        (Issue::FindLaptop..=Issue::FindCoffeeMachine).contains(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_domain_has_its_issues() {
        let n = |domain| Issue::of_domain(domain).count();
        assert_eq!(n(Domain::CustomerService), 9);
        assert_eq!(n(Domain::TechnicalSupport), 7);
        assert_eq!(n(Domain::Sales), 7);
    }

    #[test]
    fn every_issue_needs_two_or_three_different_facts() {
        for issue in Issue::ALL {
            let slots = issue.required_slots();
            assert!((2..=3).contains(&slots.len()), "{issue}");
            let n_different = slots.iter().collect::<std::collections::HashSet<_>>().len();
            assert_eq!(n_different, slots.len(), "{issue}");
            assert_ne!(issue.companion(), Some(issue.resolution()), "{issue}");
        }
    }
}
