//! The three domains whose customers are built in.

use crate::names::named_enum;

named_enum! {
    /// What kind of desk the customer writes to.
    pub enum Domain {
        /// Orders, parcels and money.
        CustomerService => "customer_service",
        /// Devices, connections and accounts that do not work.
        TechnicalSupport => "technical_support",
        /// Finding, pricing and stock of products.
        Sales => "sales",
    }
}
