//! What is said about complaints, and what belongs to them.

use crate::{m0010_flights::LOOKS, owned::Owned};
use sea_orm_migration::prelude::*;

/// Adds messages and attachments.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        complaint_message().create(manager).await?;
        complaint_attachment().create(manager).await?;
        manager.get_connection().execute_unprepared(LOOKS).await?;
        Ok(())
    }
}

fn complaint_message() -> Owned {
    let columns = "complaint_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        direction text NOT NULL CHECK (direction IN ('from_customer', 'to_customer', 'internal')),
        written_by text NOT NULL,
        body text NOT NULL,
        public boolean NOT NULL,
        public_body text,
        redactions jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK (public = (public_body IS NOT NULL)),
        CHECK (NOT public OR direction <> 'internal')";
    Owned::new("complaint_message", columns)
        .refers("complaint_id", "complaint")
        .refers("customer_id", "customer")
        .may_refer("dealer_id", "dealer")
        .by_dealer()
        .append_only()
}

fn complaint_attachment() -> Owned {
    let columns = "complaint_id uuid NOT NULL,
        message_id uuid,
        customer_id uuid NOT NULL,
        dealer_id uuid,
        content_type text NOT NULL CHECK (content_type IN
            ('image/jpeg', 'image/png', 'image/webp', 'image/heic', 'application/pdf')),
        size_bytes integer NOT NULL CHECK (size_bytes > 0),
        sha256 text COLLATE \"C\" NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        attached_by text NOT NULL,
        created_at timestamptz NOT NULL";
    Owned::new("complaint_attachment", columns)
        .refers("complaint_id", "complaint")
        .may_refer("message_id", "complaint_message")
        .refers("customer_id", "customer")
        .may_refer("dealer_id", "dealer")
        .by_dealer()
        .append_only()
}
