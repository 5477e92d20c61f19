//! Lists in pieces.

/// Which piece of a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageAsked {
    /// Most items; 1 to [`PageAsked::MAX_ITEMS`].
    pub limit: usize,
    /// Id of the last item of the piece before; the first piece where `None`.
    pub after: Option<String>,
}

impl PageAsked {
    /// Most items of a piece.
    pub const MAX_ITEMS: usize = 100;

    /// One more item than asked for shows whether anything follows.
    pub(super) fn limit_and_one(&self) -> i64 {
        self.limit.clamp(1, PageAsked::MAX_ITEMS) as i64 + 1
    }

    /// Ids sort by age, so whatever is older than the last one follows it. Without one, everything does.
    pub(super) fn before(&self) -> &str {
        self.after.as_deref().unwrap_or("zzzz")
    }
}

/// A piece of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// Whether older ones follow.
    pub has_more: bool,
}

impl<T> Page<T> {
    pub(super) fn of(mut items: Vec<T>, asked: &PageAsked) -> Page<T> {
        let limit = asked.limit.clamp(1, PageAsked::MAX_ITEMS);
        let has_more = items.len() > limit;
        items.truncate(limit);
        Page { items, has_more }
    }
}
