//! A new table at a DynamoDB that a script has started, for tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};

use super::*;

/// What these tests are about does not depend on how busy the machine is.
const PATIENCE: Duration = Duration::from_secs(20);

/// A ledger in an empty table of its own. The table is as the module's text has it.
pub(in crate::ledger) async fn ledger() -> DynamoDbLedger {
    let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let endpoint = sdk.endpoint_url().unwrap_or_default();
    assert!(endpoint.starts_with("http://127.0.0.1:"), "these tests need moto: run tests/python/dynamodb.sh");
    let table = format!("orders-{}", Uuid::new_v4());
    create(&Client::new(&sdk), &table).await;
    DynamoDbLedger::within(&sdk, &table, PATIENCE, PATIENCE)
}

async fn create(client: &Client, table: &str) {
    let attribute =
        |name: &str, kind| AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap();
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let held = GlobalSecondaryIndex::builder()
        .index_name(item::HELD_INDEX)
        .key_schema(key(item::HELD_AS, KeyType::Hash))
        .key_schema(key("updatedMs", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .unwrap();
    let request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    let request = request
        .attribute_definitions(attribute(item::KEY, ScalarAttributeType::S))
        .attribute_definitions(attribute(item::HELD_AS, ScalarAttributeType::S))
        .attribute_definitions(attribute("updatedMs", ScalarAttributeType::N));
    request.key_schema(key(item::KEY, KeyType::Hash)).global_secondary_indexes(held).send().await.unwrap();
}
