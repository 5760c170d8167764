//! Waiting on conditions, never for a fixed time.

use std::time::Duration;

use tokio::time::Instant;

/// The acceptance times are medians on an idle machine; none may be above four times its figure.
pub const SLACK: u32 = 4;
const LOOK: Duration = Duration::from_millis(50);

/// Looks again and again until `look` gives a value, and fails with what it said last.
pub async fn until<T>(what: &str, within: Duration, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + within;
    loop {
        let not_yet = match look().await {
            Ok(value) => return value,
            Err(not_yet) => not_yet,
        };
        assert!(Instant::now() < deadline, "{what}: not within {within:?}; last: {not_yet}");
        pause().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "paces the looks at a condition")]
async fn pause() {
    tokio::time::sleep(LOOK).await;
}

/// `Ok` if the values are equal, otherwise what was found.
pub fn equal<T: PartialEq + std::fmt::Debug>(found: T, wanted: T) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("found {found:?}, wanted {wanted:?}")) }
}

/// `Ok` if it holds, otherwise `why`.
pub fn holds(holds: bool, why: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why.into()) }
}
