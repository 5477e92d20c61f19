//! Policies for cross-selling.

use serde_json::{Value, json};
use stateset_core::{Message, Stream};

use super::play::{View, calls, is, list, number, text};

fn at<'v>(view: &View<'v>) -> (&'v Value, &'v Value) {
    let index = number(view.memory, "at") as usize;
    (&list(view.spec, "shoppers")[index], &list(view.memory, "shoppers")[index])
}

fn show(product: &Value, discount: u32) -> Message {
    let arguments = json!({"product_id": product["id"], "discount_percent": discount});
    calls(&[("recommend", arguments), ("finish_visit", json!({}))])
}

/// The dearest product of those that `fits`.
fn dearest<'v>(view: &View<'v>, fits: impl Fn(&Value) -> bool) -> &'v Value {
    let products = list(view.spec, "products").iter().filter(|product| fits(product));
    products.max_by(|a, b| number(a, "price").total_cmp(&number(b, "price"))).expect("a product")
}

pub(crate) fn random(view: &View<'_>, stream: &mut Stream) -> Message {
    let products = list(view.spec, "products");
    match stream.index(4) {
        0 => Message::assistant("Hello there."),
        1 => calls(&[("finish_visit", json!({}))]),
        _ => {
            let product = &products[stream.index(products.len())];
            let discount = stream.index(31);
            calls(&[(
                "recommend",
                json!({"product_id": product["id"], "discount_percent": discount}),
            )])
        }
    }
}

/// Goes by past purchases and suggests two products of that kind.
pub(crate) fn naive(view: &View<'_>, _: &mut Stream) -> Message {
    let (shopper, _) = at(view);
    let fits = |product: &Value| product["kind"] == shopper["bought"];
    let first = dearest(view, fits);
    let second = dearest(view, |product| fits(product) && product["id"] != first["id"]);
    let arguments = |product: &Value| json!({"product_id": product["id"], "discount_percent": 20});
    calls(&[
        ("view_profile", json!({})),
        ("recommend", arguments(first)),
        ("recommend", arguments(second)),
        ("finish_visit", json!({})),
    ])
}

/// Asks once, then shows at every visit both products to the shopper's taste, at their price.
pub(crate) fn sensible(view: &View<'_>, _: &mut Stream) -> Message {
    let (shopper, entry) = at(view);
    if !is(entry, "has_told") {
        return Message::assistant("What do you like to spend your time with?");
    }
    let fits = |product: &Value| product["kind"] == shopper["taste"];
    let first = dearest(view, fits);
    let second = dearest(view, |product| fits(product) && product["id"] != first["id"]);
    calls(&[
        ("recommend", json!({"product_id": first["id"]})),
        ("recommend", json!({"product_id": second["id"]})),
        ("finish_visit", json!({})),
    ])
}

/// The dearest product for everybody, much reduced: what sells today.
pub(crate) fn greedy(view: &View<'_>, _: &mut Stream) -> Message {
    show(dearest(view, |_| true), 30)
}

/// Shows nothing.
pub(crate) fn silent(_: &View<'_>, _: &mut Stream) -> Message {
    calls(&[("finish_visit", json!({}))])
}

/// As sensible in the north; the south is shown whatever is dear.
pub(crate) fn unkind_to_the_south(view: &View<'_>, stream: &mut Stream) -> Message {
    let (shopper, _) = at(view);
    if text(shopper, "group") == "south" {
        show(dearest(view, |product| product["kind"] != shopper["taste"]), 0)
    } else {
        sensible(view, stream)
    }
}
