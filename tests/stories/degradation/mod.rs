//! What goes wrong around the service, and how it goes on.

mod database;
mod disk;
mod redis;
mod time;
