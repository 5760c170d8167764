//! A ledger in a DynamoDB table, for replicas anywhere in a region. An item is replaced whole, on the condition that it still
//! is as it was read; who comes second decides again on what it finds.
//!
//! The table is the operator's: the worker neither creates nor describes it. Its partition key is the string `orderKey`; its
//! index `held` has the partition key `heldAs` (string) and the sort key `updatedMs` (number), and projects all attributes. Only
//! an item that waits for a person has `heldAs`, so that the index holds few items and listing them reads no other. (A scan would
//! read every order there is.) Time to live is on `expiresAt`, which is the retention after the last write; without it the table
//! grows for ever. AWS deletes an item some time after it has expired, within a few days, so none goes early.
//!
//! ```sh
//! aws dynamodb create-table --table-name TABLE --billing-mode PAY_PER_REQUEST \
//!     --attribute-definitions AttributeName=orderKey,AttributeType=S \
//!         AttributeName=heldAs,AttributeType=S AttributeName=updatedMs,AttributeType=N \
//!     --key-schema AttributeName=orderKey,KeyType=HASH \
//!     --global-secondary-indexes 'IndexName=held,Projection={ProjectionType=ALL},KeySchema=[{AttributeName=heldAs,KeyType=HASH},{AttributeName=updatedMs,KeyType=RANGE}]'
//! aws dynamodb update-time-to-live --table-name TABLE --time-to-live-specification Enabled=true,AttributeName=expiresAt
//! ```
//!
//! The task role needs `dynamodb:GetItem` and `dynamodb:PutItem` on the table; `worker parked list` also needs `dynamodb:Query`
//! on `TABLE/index/held`. Nothing is ever deleted by the worker. Region and credentials come from where AWS's SDKs look for them.

#[cfg(test)]
pub(super) mod fresh_table;
mod item;

use std::error::Error;
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use uuid::Uuid;

use super::{Answer, Change, Ledger, LedgerError, Outcome, Record, Retention, TIMEOUT, transition};
use item::Stored;

/// How often one change may find that another writer came first.
const MAX_DECISIONS: u32 = 4;
const MAX_ATTEMPTS: u32 = 3;
const FIRST_BACKOFF: Duration = Duration::from_millis(30);
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(400);

/// See the module's text.
#[derive(Debug, Clone)]
pub struct DynamoDbLedger {
    client: Client,
    table: String,
    retention: Retention,
}

/// What became of a conditional write.
enum Put {
    Written,
    /// Another writer came first, and this is what it left.
    Overtaken(Option<Stored>),
}

impl DynamoDbLedger {
    /// Opens `table` as the environment says (region, credentials, `AWS_ENDPOINT_URL_DYNAMODB`). Fails if the table cannot be
    /// read; a table that is only slow or throttled at the moment is opened.
    pub async fn open(table: &str, retention: Retention) -> Result<Self, LedgerError> {
        let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let ledger = DynamoDbLedger { retention, ..Self::new(&sdk, table) };
        match ledger.read(Uuid::nil()).await {
            Ok(_) => Ok(ledger),
            Err(LedgerError::Timeout) => {
                tracing::warn!(table, "the ledger's table does not answer in time; orders will be told to come back");
                Ok(ledger)
            }
            Err(error) => Err(error),
        }
    }

    /// A ledger in `table` that nobody has looked at yet, with the default retention.
    pub fn new(sdk: &SdkConfig, table: &str) -> Self {
        Self::within(sdk, table, ATTEMPT_TIMEOUT, TIMEOUT)
    }

    fn within(sdk: &SdkConfig, table: &str, attempt: Duration, operation: Duration) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(operation);
        let retries = RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS).with_initial_backoff(FIRST_BACKOFF);
        let config =
            aws_sdk_dynamodb::config::Builder::from(sdk).timeout_config(timeouts.build()).retry_config(retries);
        let (client, table) = (Client::from_conf(config.build()), table.to_owned());
        DynamoDbLedger { client, table, retention: Retention::default() }
    }

    /// What opens an order's life is tried without a read: nearly always there is no item yet, and otherwise the refused write
    /// brings it along.
    async fn change(&self, key: Uuid, change: Change, now_ms: i64) -> Result<Outcome, LedgerError> {
        let opens = matches!(change, Change::Claim { .. } | Change::Quarantine { .. });
        let mut known = if opens { None } else { self.read(key).await? };
        for _ in 0..MAX_DECISIONS {
            let (outcome, next) = transition(known.as_ref().map(|stored| &stored.record), change.clone(), now_ms);
            let Some(record) = next else { return Ok(outcome) };
            match self.put(key, &record, known.as_ref()).await? {
                Put::Written => return Ok(outcome),
                Put::Overtaken(found) => known = found,
            }
        }
        Err(LedgerError::Timeout)
    }

    async fn read(&self, key: Uuid) -> Result<Option<Stored>, LedgerError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.key(item::KEY, AttributeValue::S(key.to_string())).send().await;
        let item = answer.map_err(|error| self.classify(&error))?.item;
        Ok(item.map(|item| Stored::from_item(&item)).transpose()?.map(|(_, stored)| stored))
    }

    /// Writes `record` in place of `known`. A write whose answer was lost is repeated by the SDK and then meets itself, which its
    /// own mark tells.
    async fn put(&self, key: Uuid, record: &Record, known: Option<&Stored>) -> Result<Put, LedgerError> {
        let mark = Uuid::new_v4();
        let item = item::of(key, record, mark, self.retention);
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let request = match known {
            None => request.condition_expression(format!("attribute_not_exists({})", item::KEY)),
            Some(known) => request
                .condition_expression(format!("{} = :known", item::MARK))
                .expression_attribute_values(":known", AttributeValue::S(known.mark.to_string())),
        };
        let request = request.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = request.send().await else { return Ok(Put::Written) };
        let Some(PutItemError::ConditionalCheckFailedException(failed)) = error.as_service_error() else {
            return Err(self.classify(&error));
        };
        let found = failed.item().map(Stored::from_item).transpose()?.map(|(_, stored)| stored);
        let is_own = found.as_ref().is_some_and(|found| found.mark == mark);
        Ok(if is_own { Put::Written } else { Put::Overtaken(found) })
    }

    /// Pages until there are enough. The index follows the table within moments, which is enough for a list that a person reads.
    async fn list(&self, limit: u32) -> Result<Vec<(Uuid, Record)>, LedgerError> {
        let mut found = Vec::new();
        let mut start = None;
        while found.len() < limit as usize {
            let request = self.client.query().table_name(&self.table).index_name(item::HELD_INDEX);
            let request = request
                .key_condition_expression(format!("{} = :held", item::HELD_AS))
                .expression_attribute_values(":held", AttributeValue::S(item::HELD.to_owned()))
                .set_limit(i32::try_from(limit).ok())
                .set_exclusive_start_key(start);
            let page = request.send().await.map_err(|error| self.classify(&error))?;
            for item in page.items.unwrap_or_default() {
                let (key, stored) = Stored::from_item(&item)?;
                found.push((key, stored.record));
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        found.sort_by_key(|(key, record)| (record.updated_ms, *key));
        found.truncate(limit as usize);
        Ok(found)
    }

    /// What comes right by itself is "try later"; the rest says what a person can do.
    fn classify<E>(&self, error: &SdkError<E>) -> LedgerError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let Some(service) = error.as_service_error() else {
            let is_late = match error {
                SdkError::TimeoutError(_) => true,
                SdkError::DispatchFailure(failure) => failure.is_timeout(),
                _ => false,
            };
            return if is_late { LedgerError::Timeout } else { LedgerError::Failed(chain(error)) };
        };
        let code = service.code().unwrap_or("an error without a code");
        let message = service.message().unwrap_or_default();
        let remedy = match code {
            "ProvisionedThroughputExceededException" | "RequestLimitExceeded" | "ThrottlingException" => {
                return LedgerError::Timeout;
            }
            "ResourceNotFoundException" => "; create it in this region, or correct INTERSTELLA_LEDGER",
            "AccessDeniedException" => "; the task role needs dynamodb:GetItem and dynamodb:PutItem on it",
            "ValidationException" if message.contains("key") => "; its partition key must be the string `orderKey`",
            _ => "",
        };
        LedgerError::Failed(format!("table {}: {code}: {message}{remedy}", self.table))
    }
}

impl Ledger for DynamoDbLedger {
    fn apply(&self, key: Uuid, change: Change, now_ms: i64) -> Answer<'_, Outcome> {
        Box::pin(self.change(key, change, now_ms))
    }

    fn get(&self, key: Uuid) -> Answer<'_, Option<Record>> {
        Box::pin(async move { Ok(self.read(key).await?.map(|stored| stored.record)) })
    }

    fn held(&self, limit: u32) -> Answer<'_, Vec<(Uuid, Record)>> {
        Box::pin(self.list(limit))
    }
}

/// An error and its causes. Their `Debug` would show whole requests.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}
