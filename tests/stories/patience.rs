//! Patience with real processes and real workers.
//!
//! Everywhere else a story moves the clock and settles what is due, and nothing sleeps. A process of its own has the
//! machine's clock and works when it likes: all that can be done is to ask again. This is the only place where that
//! happens.

use std::time::Duration;

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(100);
/// How often something is asked before the story gives up: two minutes, because a machine may be busy and the jobs of
/// a worker that was lost lie for twenty seconds.
const MOST_TRIES: u32 = 1_200;

/// Asks until there is an answer; panics when it never comes, with what `otherwise` has to say.
pub(crate) async fn until<T>(
    what: &str,
    mut ask: impl AsyncFnMut() -> Option<T>,
    otherwise: impl Fn() -> String,
) -> T {
    for _ in 0..MOST_TRIES {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("{what}: it never came to that. {}", otherwise());
}
