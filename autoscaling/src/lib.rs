//! How CloudWatch alarms and Application Auto Scaling decide, as pure functions on values.
