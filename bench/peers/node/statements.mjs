// What is asked of the database: the statements of Aftercare, as named prepared ones, one after the other.

import { randomBytes } from "node:crypto";

export const scope = {
  name: "scope",
  text: "SELECT set_config('role', 'aftercare_app', true), set_config('ac.tenant', $1, true), set_config('statement_timeout', '10s', true)",
};

export const steps = {
  customer: {
    name: "customer",
    text: `SELECT tenant_id, id, source, external_id, dealer_id, name, kind, locale, phone, email, tier, lifecycle, created_at, version, relationship_owner_id
           FROM customer WHERE tenant_id = $1 AND id = $2 LIMIT 1`,
  },
  lock: { name: "lock", text: "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS held" },
  recall: {
    name: "recall",
    text: `WITH forgotten AS (DELETE FROM idempotency WHERE tenant_id = $1 AND caller = $2 AND key = $3 AND expires_at <= now())
           SELECT route, fingerprint, status, headers, body FROM idempotency
           WHERE tenant_id = $1 AND caller = $2 AND key = $3 AND expires_at > now()`,
  },
  connections: {
    name: "connections",
    text: `SELECT c.dealer_id, coalesce(d.tz, t.tz) AS tz, c.tier,
           (SELECT jsonb_agg(jsonb_build_object('sla_policy_id', v.sla_policy_id, 'sla_version_id', v.id, 'rank', p.rank,
                                                'applies_to', v.applies_to, 'targets', v.targets))
            FROM sla_version v JOIN sla_policy p ON p.tenant_id = v.tenant_id AND p.id = v.sla_policy_id
            WHERE v.tenant_id = $1 AND v.state = 'published' AND p.status = 'active') AS candidates
           FROM customer c JOIN tenant t ON t.id = c.tenant_id
           LEFT JOIN dealer d ON d.tenant_id = c.tenant_id AND d.id = c.dealer_id
           WHERE c.tenant_id = $1 AND c.id = $2 FOR NO KEY UPDATE OF c`,
  },
  number: {
    name: "number",
    text: `INSERT INTO complaint_counter (tenant_id, last_serial) VALUES ($1, 1)
           ON CONFLICT (tenant_id) DO UPDATE SET last_serial = complaint_counter.last_serial + 1 RETURNING last_serial`,
  },
  complaint: {
    name: "complaint",
    text: `INSERT INTO complaint (tenant_id, id, customer_id, dealer_id, source, kind, severity, description, number, state,
               first_answer_due_at, tz, local_first_answer_due, first_answer, resolution_no, created_at, version)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'received', $10, $11, $12, 'due', 1, $13, 1)`,
  },
  note: {
    name: "note",
    text: `INSERT INTO audit_entry (tenant_id, id, at, actor, action, subject, customer_id, dealer_id, facts, request_id)
           VALUES ($1, $2, $3, $4, 'create', $5, $6, $7, '{}', $8)`,
  },
  job: {
    name: "job",
    text: `INSERT INTO job (tenant_id, id, kind, payload, due_at, state, created_at) VALUES ($1, $2, $3, $4, $5, 'ready', now())`,
  },
  remember: {
    name: "remember",
    text: `INSERT INTO idempotency (tenant_id, caller, key, route, fingerprint, status, headers, body, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + interval '24 hours')`,
  },
  // The effect of a job: a complaint whose first answer was missed.
  hold: { name: "hold", text: "SELECT * FROM complaint WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE" },
  miss: {
    name: "miss",
    text: "UPDATE complaint SET first_answer = 'missed', version = version + 1 WHERE tenant_id = $1 AND id = $2 AND version = $3",
  },
  missed: {
    name: "missed",
    text: `INSERT INTO audit_entry (tenant_id, id, at, actor, action, subject, customer_id, dealer_id, facts)
           VALUES ($1, $2, now(), 'worker', 'miss_first_answer', $3, $4, $5, $6)`,
  },
};

/** An identifier that rises with time (UUID version 7). */
export function later() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
