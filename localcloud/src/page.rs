//! One page of a listing. A token is the key of the last item of the page before, so it survives additions and removals elsewhere.

/// Items after the one whose key is `token` (from the start without one), at most `size`, and the token of the next page if there
/// is one. `None` if no item has the token as its key.
pub fn page<T>(
    items: Vec<T>,
    key: impl Fn(&T) -> &str,
    token: Option<&str>,
    size: usize,
) -> Option<(Vec<T>, Option<String>)> {
    let start = match token {
        None => 0,
        Some(token) => items.iter().position(|item| key(item) == token)? + 1,
    };
    let more = items.len() > start + size;
    let page: Vec<T> = items.into_iter().skip(start).take(size).collect();
    let next = page.last().filter(|_| more).map(|last| key(last).to_owned());
    Some((page, next))
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn pages_cover_everything_once() {
        let items = || vec!["a", "b", "c"];
        assert_eq!(page(items(), |item| item, None, 2), Some((vec!["a", "b"], Some("b".to_owned()))));
        assert_eq!(page(items(), |item| item, Some("b"), 2), Some((vec!["c"], None)));
        assert_eq!(page(items(), |item| item, None, 3), Some((items(), None)));
        assert_eq!(page(items(), |item| item, Some("z"), 3), None);
    }
}
