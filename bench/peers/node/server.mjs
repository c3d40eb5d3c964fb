// Fastify with pg: reads a customer and opens a complaint, as Aftercare does. Two processes, for two cores.
//   PEER_DATABASE_URL, PEER_JWKS_URL, PEER_ISSUER, PEER_PORT, PEER_CONNECTIONS

import cluster from "node:cluster";
import { createHash } from "node:crypto";
import Fastify from "fastify";
import { createRemoteJWKSet, jwtVerify } from "jose";
import pg from "pg";
import { read, write } from "./identifiers.mjs";
import { later, scope, steps } from "./statements.mjs";

const PROCESSES = 2;
const { PEER_DATABASE_URL, PEER_JWKS_URL, PEER_ISSUER, PEER_PORT, PEER_CONNECTIONS } = process.env;

if (cluster.isPrimary) {
  for (let number = 0; number < PROCESSES; number += 1) {
    cluster.fork();
  }
} else {
  serve();
}

function serve() {
  const pool = new pg.Pool({ connectionString: PEER_DATABASE_URL, max: Number(PEER_CONNECTIONS) / PROCESSES });
  const keys = createRemoteJWKSet(new URL(PEER_JWKS_URL));
  const known = new Map();
  const app = Fastify();

  /** Who calls. A verified token is remembered until it ends. */
  async function recognise(request, wanted) {
    const token = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
    let claims = known.get(token);
    if (!claims) {
      claims = (await jwtVerify(token, keys, { issuer: PEER_ISSUER })).payload;
      claims.scopes = new Set(claims.scope.split(" "));
      claims.brand = read("ten_", claims.tenant);
      known.set(token, claims);
    }
    if (claims.exp * 1000 < Date.now() || !claims.scopes.has(wanted)) {
      throw Object.assign(new Error("forbidden"), { statusCode: 403 });
    }
    return claims;
  }

  /** One transaction in the scope of a brand. */
  async function within(brand, work) {
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      await client.query({ ...scope, values: [brand] });
      const answer = await work((step, values) => client.query({ ...step, values }));
      await client.query("COMMIT");
      return answer;
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    } finally {
      client.release();
    }
  }

  app.get("/readyz", async () => ({ ready: true }));

  app.get("/v1/customers/:id", async (request, reply) => {
    const { brand } = await recognise(request, "customers:read");
    const id = read("cus_", request.params.id);
    const { rows } = await within(brand, (ask) => ask(steps.customer, [brand, id]));
    if (rows.length === 0) {
      return reply.code(404).send({ code: "not_found" });
    }
    const { tenant_id: _, ...customer } = rows[0];
    reply.header("etag", `"${customer.version}"`);
    customer.id = write("cus_", customer.id);
    customer.dealer_id = customer.dealer_id && write("dlr_", customer.dealer_id);
    customer.version = Number(customer.version);
    return customer;
  });

  const complaint = {
    type: "object",
    additionalProperties: false,
    required: ["customer_id", "source", "kind", "severity", "description"],
    properties: {
      customer_id: { type: "string" },
      source: { enum: ["app", "phone", "store", "group"] },
      kind: { enum: ["quality", "service", "delivery", "billing", "conduct", "misunderstanding"] },
      severity: { type: "integer", minimum: 1, maximum: 4 },
      description: { type: "string", minLength: 1, maxLength: 4000 },
    },
  };

  app.post("/v1/complaints", { schema: { body: complaint } }, async (request, reply) => {
    const { brand, sub } = await recognise(request, "complaints:write");
    const key = request.headers["idempotency-key"];
    const fingerprint = createHash("sha256").update(JSON.stringify(request.body)).digest();
    const caller = `${sub}//`;
    const answer = await within(brand, async (ask) => {
      const held = await ask(steps.lock, [`${brand}/${caller}/${key}`]);
      if (!held.rows[0].held) {
        throw Object.assign(new Error("running"), { statusCode: 409 });
      }
      const found = await ask(steps.recall, [brand, caller, key]);
      if (found.rows.length > 0) {
        return { status: found.rows[0].status, body: found.rows[0].body };
      }
      const details = request.body;
      const customer = read("cus_", details.customer_id);
      const known = (await ask(steps.connections, [brand, customer])).rows[0];
      if (!known) {
        throw Object.assign(new Error("no such customer"), { statusCode: 422 });
      }
      const serial = (await ask(steps.number, [brand])).rows[0].last_serial;
      const [id, note, opened, due] = [later(), later(), later(), later()];
      const now = new Date();
      const dueAt = new Date(now.getTime() + 24 * 3600 * 1000);
      const number = `C-${String(serial).padStart(6, "0")}`;
      const local = dueAt.toLocaleString("sv", { timeZone: known.tz }).slice(0, 16);
      const { source, kind, severity, description } = details;
      await ask(steps.complaint, [
        brand, id, customer, known.dealer_id, source, kind, severity, description, number, dueAt, known.tz, local, now,
      ]);
      const name = write("cmp_", id);
      await ask(steps.note, [brand, note, now, sub, name, customer, known.dealer_id, request.id]);
      await ask(steps.job, [brand, opened, "complaint_opened", { type: "complaint_opened", complaint: name }, now]);
      await ask(steps.job, [brand, due, "first_answer_due", { type: "first_answer_due", complaint: name }, dueAt]);
      const body = Buffer.from(JSON.stringify({
        id: name, number, ...details, dealer_id: known.dealer_id && write("dlr_", known.dealer_id), order_id: null,
        asset_id: null, work_order_id: null, remedy_sought: null, response_id: null, state: "received", owner_id: null,
        first_answer_due_at: dueAt, tz: known.tz, local_first_answer_due: local, first_answer_at: null,
        first_answer: "due", resolution_no: 1, decision: null, told_at: null, resolved_at: null, resolved_by: null,
        customer_satisfied: null, closed_at: null, reopen_reason: null, created_at: now, version: 1,
      }));
      const headers = JSON.stringify([["etag", '"1"'], ["location", `/v1/complaints/${name}`]]);
      await ask(steps.remember, [brand, caller, key, "POST /v1/complaints", fingerprint, 201, headers, body]);
      return { status: 201, body };
    });
    reply.code(answer.status).header("content-type", "application/json");
    return reply.send(answer.body);
  });

  app.setErrorHandler((error, _, reply) => {
    reply.code(error.statusCode ?? (error.code?.startsWith("ERR_J") ? 401 : 500)).send({ code: error.message });
  });
  app.listen({ host: "127.0.0.1", port: Number(PEER_PORT) });
}
