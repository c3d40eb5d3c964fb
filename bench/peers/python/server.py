"""FastAPI with asyncpg: reads a customer and opens a complaint, as Aftercare does.

PEER_DATABASE_URL, PEER_JWKS_URL, PEER_ISSUER, PEER_CONNECTIONS; run by uvicorn with two processes, for two cores.
"""

import hashlib
import json
import os
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from identifiers import read, write

PROCESSES = 2
SCOPE = """SELECT set_config('role', 'aftercare_app', true), set_config('ac.tenant', $1, true),
                  set_config('statement_timeout', '10s', true)"""
CUSTOMER = """SELECT id, source, external_id, dealer_id, name, kind, locale, phone, email, tier, lifecycle, created_at, version, relationship_owner_id
              FROM customer WHERE tenant_id = $1 AND id = $2 LIMIT 1"""
LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))"
RECALL = """WITH forgotten AS (DELETE FROM idempotency WHERE tenant_id = $1 AND caller = $2 AND key = $3 AND expires_at <= now())
            SELECT route, fingerprint, status, headers, body FROM idempotency
            WHERE tenant_id = $1 AND caller = $2 AND key = $3 AND expires_at > now()"""
CONNECTIONS = """SELECT c.dealer_id, coalesce(d.tz, t.tz) AS tz, c.tier,
           (SELECT jsonb_agg(jsonb_build_object('sla_policy_id', v.sla_policy_id, 'sla_version_id', v.id, 'rank', p.rank,
                                                'applies_to', v.applies_to, 'targets', v.targets))
            FROM sla_version v JOIN sla_policy p ON p.tenant_id = v.tenant_id AND p.id = v.sla_policy_id
            WHERE v.tenant_id = $1 AND v.state = 'published' AND p.status = 'active') AS candidates
           FROM customer c JOIN tenant t ON t.id = c.tenant_id
                 LEFT JOIN dealer d ON d.tenant_id = c.tenant_id AND d.id = c.dealer_id
                 WHERE c.tenant_id = $1 AND c.id = $2 FOR NO KEY UPDATE OF c"""
NUMBER = """INSERT INTO complaint_counter (tenant_id, last_serial) VALUES ($1, 1)
            ON CONFLICT (tenant_id) DO UPDATE SET last_serial = complaint_counter.last_serial + 1 RETURNING last_serial"""
COMPLAINT = """INSERT INTO complaint (tenant_id, id, customer_id, dealer_id, source, kind, severity, description, number, state,
                   first_answer_due_at, tz, local_first_answer_due, first_answer, resolution_no, created_at, version)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'received', $10, $11, $12, 'due', 1, $13, 1)"""
NOTE = """INSERT INTO audit_entry (tenant_id, id, at, actor, action, subject, customer_id, dealer_id, facts, request_id)
          VALUES ($1, $2, $3, $4, 'create', $5, $6, $7, '{}', $8)"""
JOB = """INSERT INTO job (tenant_id, id, kind, payload, due_at, state, created_at)
         VALUES ($1, $2, $3, $4, $5, 'ready', now())"""
REMEMBER = """INSERT INTO idempotency (tenant_id, caller, key, route, fingerprint, status, headers, body, expires_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + interval '24 hours')"""


def later() -> UUID:
    """An identifier that rises with time (UUID version 7)."""
    number = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10))
    return UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)


@asynccontextmanager
async def lifespan(app: FastAPI):
    size = int(os.environ["PEER_CONNECTIONS"]) // PROCESSES
    url = os.environ["PEER_DATABASE_URL"]
    app.state.keys = jwt.PyJWKClient(os.environ["PEER_JWKS_URL"])
    app.state.known = {}
    async with asyncpg.create_pool(url, min_size=size, max_size=size) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


def recognise(request: Request, wanted: str) -> dict:
    """Who calls. A verified token is remembered until it ends."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    claims = request.app.state.known.get(token)
    if claims is None:
        try:
            key = request.app.state.keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(token, key, algorithms=["EdDSA"], issuer=os.environ["PEER_ISSUER"], options={"verify_aud": False})
        except jwt.PyJWTError as error:
            raise HTTPException(401, "unauthorized") from error
        claims["scopes"] = set(claims["scope"].split())
        claims["brand"] = read("ten_", claims["tenant"])
        request.app.state.known[token] = claims
    if claims["exp"] < time.time() or wanted not in claims["scopes"]:
        raise HTTPException(403, "forbidden")
    return claims


async def reader(request: Request) -> dict:
    return recognise(request, "customers:read")


async def writer(request: Request) -> dict:
    return recognise(request, "complaints:write")


@asynccontextmanager
async def within(request: Request, brand: UUID):
    """One transaction in the scope of a brand."""
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute(SCOPE, str(brand))
        yield connection


class Customer(BaseModel):
    id: str
    source: str
    external_id: str | None
    dealer_id: str | None
    name: str
    kind: str
    locale: str | None
    phone: str | None
    email: str | None
    tier: str | None
    lifecycle: str
    created_at: datetime
    version: int
    relationship_owner_id: str | None


class Details(BaseModel):
    model_config = ConfigDict(extra="forbid")
    customer_id: str
    source: Literal["app", "phone", "store", "group"]
    kind: Literal["quality", "service", "delivery", "billing", "conduct", "misunderstanding"]
    severity: int = Field(ge=1, le=4)
    description: str = Field(min_length=1, max_length=4000)


@app.get("/readyz")
async def ready() -> dict:
    return {"ready": True}


@app.get("/v1/customers/{id}")
async def get_customer(id: str, request: Request, response: Response, caller: Annotated[dict, Depends(reader)]) -> Customer:
    async with within(request, caller["brand"]) as connection:
        row = await connection.fetchrow(CUSTOMER, caller["brand"], read("cus_", id))
    if row is None:
        raise HTTPException(404, "not_found")
    response.headers["etag"] = f'"{row["version"]}"'
    customer = dict(row)
    customer["id"] = write("cus_", row["id"])
    customer["dealer_id"] = row["dealer_id"] and write("dlr_", row["dealer_id"])
    return Customer(**customer)


@app.post("/v1/complaints")
async def open_complaint(
    details: Details,
    request: Request,
    caller: Annotated[dict, Depends(writer)],
    idempotency_key: Annotated[str, Header()],
) -> Response:
    brand, actor = caller["brand"], f"{caller['sub']}//"
    fingerprint = hashlib.sha256(await request.body()).digest()
    async with within(request, brand) as connection:
        if not await connection.fetchval(LOCK, f"{brand}/{actor}/{idempotency_key}"):
            raise HTTPException(409, "running")
        found = await connection.fetchrow(RECALL, brand, actor, idempotency_key)
        if found is not None:
            return Response(found["body"], found["status"], media_type="application/json")
        customer = read("cus_", details.customer_id)
        known = await connection.fetchrow(CONNECTIONS, brand, customer)
        if known is None:
            raise HTTPException(422, "no such customer")
        number = f"C-{await connection.fetchval(NUMBER, brand):06}"
        complaint, now = later(), datetime.now(UTC)
        due = now + timedelta(hours=24)
        local = due.astimezone(ZoneInfo(known["tz"])).strftime("%Y-%m-%d %H:%M")
        name, dealer = write("cmp_", complaint), known["dealer_id"]
        await connection.execute(
            COMPLAINT, brand, complaint, customer, dealer, details.source, details.kind, details.severity,
            details.description, number, due, known["tz"], local, now,
        )
        await connection.execute(NOTE, brand, later(), now, caller["sub"], name, customer, dealer, idempotency_key)
        for kind, at in [("complaint_opened", now), ("first_answer_due", due)]:
            await connection.execute(JOB, brand, later(), kind, json.dumps({"type": kind, "complaint": name}), at)
        body = json.dumps(
            {
                "id": name, "number": number, **details.model_dump(), "dealer_id": dealer and write("dlr_", dealer),
                "order_id": None, "asset_id": None, "work_order_id": None, "remedy_sought": None, "response_id": None,
                "state": "received", "owner_id": None, "first_answer_due_at": due.isoformat(), "tz": known["tz"],
                "local_first_answer_due": local, "first_answer_at": None, "first_answer": "due", "resolution_no": 1,
                "decision": None, "told_at": None, "resolved_at": None, "resolved_by": None, "customer_satisfied": None,
                "closed_at": None, "reopen_reason": None, "created_at": now.isoformat(), "version": 1,
            }
        ).encode()
        headers = json.dumps([["etag", '"1"'], ["location", f"/v1/complaints/{name}"]])
        await connection.execute(
            REMEMBER, brand, actor, idempotency_key, "POST /v1/complaints", fingerprint, 201, headers, body
        )
    return Response(body, 201, media_type="application/json")
