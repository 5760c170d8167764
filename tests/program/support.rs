//! What the tests share: the program, the cloud's clients, the processes of this machine, and waiting.

pub mod audit;
pub mod aws;
pub mod cloud;
pub mod command;
pub mod fleet;
pub mod http;
pub mod manifest;
pub mod output;
pub mod processes;
pub mod up;
pub mod wait;
