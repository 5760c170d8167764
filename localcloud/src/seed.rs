//! What the workshop's CloudFormation stack provided.
