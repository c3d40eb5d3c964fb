//! The platform's own questions: who a secret belongs to, and new tenants.
