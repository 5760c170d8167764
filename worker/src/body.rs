//! Reads a request's body within a size, a time, and a share of the memory that all bodies have together.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// SNS sends at most 256 KiB, which JSON may escape to more.
const MAX_BYTES: usize = 1024 * 1024;
/// What a body takes as soon as something of it has come. All connections together take less than the budget.
const FIRST_BYTES: usize = 8 * 1024;
const BUDGET_KIB: u32 = 32 * 1024;

/// The memory that all bodies share.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Semaphore>);

impl Default for Budget {
    fn default() -> Self {
        Budget(Arc::new(Semaphore::new(BUDGET_KIB as usize)))
    }
}

/// A body and its share of the budget.
#[derive(Debug, Default)]
pub(crate) struct ReadBody {
    bytes: BytesMut,
    share: Option<OwnedSemaphorePermit>,
}

impl ReadBody {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Makes room for `size` bytes of the `most` that there may be: at least twice what has come, so that a body is seldom copied. All of
    /// it counts, whether it is written to or not.
    fn grow(&mut self, size: usize, most: usize, budget: &Budget) -> Result<(), BodyError> {
        if size > self.bytes.capacity() {
            let capacity = (2 * size).max(FIRST_BYTES).min(most);
            self.reserve(capacity, budget)?;
            let mut larger = BytesMut::with_capacity(capacity);
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
        Ok(())
    }

    /// Takes what `size` bytes need from the budget, beyond what it holds already.
    fn reserve(&mut self, size: usize, budget: &Budget) -> Result<(), BodyError> {
        let needed = u32::try_from(size.div_ceil(1024)).map_err(|_| BodyError::TooLarge)?;
        let held = self.share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = needed.saturating_sub(u32::try_from(held).unwrap_or(u32::MAX));
        if missing > 0 {
            let more = Arc::clone(&budget.0).try_acquire_many_owned(missing).map_err(|_| BodyError::NoRoom)?;
            match &mut self.share {
                Some(share) => share.merge(more),
                None => self.share = Some(more),
            }
        }
        Ok(())
    }
}

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// 413.
    TooLarge,
    /// 408.
    TooSlow,
    /// 503: the bodies of others fill the budget.
    NoRoom,
    /// 400: it ended early or is not framed as it says.
    Broken,
}

/// Reads the whole body within `deadline`. It takes its share of the memory by what has come: a length that is only declared costs
/// whoever declares it nothing, so it must not keep others out.
pub(crate) async fn read_body(mut body: Incoming, budget: &Budget, deadline: Duration) -> Result<ReadBody, BodyError> {
    let declared = usize::try_from(body.size_hint().lower()).map_err(|_| BodyError::TooLarge)?;
    let mut read = ReadBody::default();
    check_size(declared)?;
    let reading = async {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| BodyError::Broken)?;
            let Ok(data) = frame.into_data() else { continue };
            let size = read.bytes.len() + data.len();
            check_size(size)?;
            read.grow(size, declared.max(size), budget)?;
            read.bytes.extend_from_slice(&data);
        }
        Ok(())
    };
    tokio::time::timeout(deadline, reading).await.unwrap_or(Err(BodyError::TooSlow))?;
    Ok(read)
}

fn check_size(size: usize) -> Result<(), BodyError> {
    if size > MAX_BYTES { Err(BodyError::TooLarge) } else { Ok(()) }
}
