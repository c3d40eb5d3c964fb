//! What the operator does on the command line.

use crate::{Trouble, ground::Ground, say, settings::Settings};
use clap::Subcommand;
use domain::{
    money::Currency,
    text::{Locale, Name, Slug},
    time::Zone,
};
use serde_json::json;
use store::{Failure, Fault, database, platform::NewTenant};

/// What can be done with brands.
#[derive(Debug, Subcommand)]
pub(crate) enum Tenants {
    /// Creates a brand, its sandbox, and the first live and test key of each
    Create {
        /// Its name in addresses: lower-case letters, digits, hyphens
        #[arg(long)]
        slug: Slug,
        /// What people call it
        #[arg(long)]
        name: Name,
        /// The time zone in which its days begin
        #[arg(long, default_value = "Asia/Shanghai")]
        tz: Zone,
        /// The language it speaks when a customer has not chosen one: zh-CN or en
        #[arg(long, default_value = "zh-CN")]
        locale: String,
        /// The currency of its accounts
        #[arg(long, default_value = "CNY")]
        currency: Currency,
        /// Prints one JSON object: tenant_id, live_key, test_key
        #[arg(long)]
        json: bool,
    },
}
