// Queues of others: fills one and drains it, and prints how many jobs were done and in how many seconds.
//   node queue.mjs bullmq|pg-boss|graphile-worker nothing|effect
//   PEER_DATABASE_URL, PEER_REDIS_URL, PEER_CONNECTIONS, PEER_SLOTS
// The jobs are those named in the table bench.filled. With an effect each changes a complaint and writes a line in its
// timeline, in one transaction of the brand.

import pg from "pg";
import { later, scope, steps } from "./statements.mjs";

const { PEER_DATABASE_URL, PEER_REDIS_URL, PEER_CONNECTIONS, PEER_SLOTS } = process.env;
const [, , queue, work] = process.argv;
const [connections, slots] = [Number(PEER_CONNECTIONS), Number(PEER_SLOTS)];

const pool = new pg.Pool({ connectionString: PEER_DATABASE_URL, max: connections });
const { rows: jobs } = await pool.query("SELECT tenant_id AS brand, id FROM bench.filled");
const times = { began: 0, ended: 0, done: 0 };
let finish;
const finished = new Promise((resolve) => (finish = resolve));

/** Does what a job is for. */
async function act({ brand, id }) {
  times.began ||= performance.now();
  if (work === "nothing") {
    return;
  }
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await client.query({ ...scope, values: [brand] });
    const { rows } = await client.query({ ...steps.hold, values: [brand, id] });
    const [complaint] = rows;
    await client.query({ ...steps.miss, values: [brand, id, complaint.version] });
    const facts = { first_answer_due_at: complaint.first_answer_due_at };
    const values = [brand, later(), id, complaint.customer_id, complaint.dealer_id, facts];
    await client.query({ ...steps.missed, values });
    await client.query("COMMIT");
  } finally {
    client.release();
  }
}

/** Notes that the queue knows a job to be done. */
function note(count = 1) {
  times.done += count;
  times.ended = performance.now();
  if (times.done === jobs.length) {
    finish();
  }
}

const queues = {
  /** Redis is the truth, so effect and completion are two things. */
  async bullmq() {
    const { Queue, Worker } = await import("bullmq");
    const url = new URL(PEER_REDIS_URL);
    const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null };
    const own = new Queue(`bench-${process.pid}`, { connection });
    const options = { removeOnComplete: true, removeOnFail: false };
    await own.addBulk(jobs.map((data) => ({ name: work, data, opts: options })));
    const worker = new Worker(own.name, ({ data }) => act(data), { connection, concurrency: slots });
    worker.on("completed", () => note());
    await finished;
    await worker.close();
    await own.obliterate({ force: true });
    await own.close();
  },

  async "pg-boss"() {
    const { PgBoss } = await import("pg-boss");
    const boss = new PgBoss({ connectionString: PEER_DATABASE_URL, max: connections });
    await boss.start();
    await boss.createQueue(work);
    await boss.insert(work, jobs.map((data) => ({ data })));
    // Several batches at once, each of which is fetched as soon as the one before is done.
    const batchSize = slots / 4;
    const options = { localConcurrency: 4, batchSize, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true };
    await boss.work(work, options, (batch) => Promise.all(batch.map(({ data }) => act(data))).then(() => undefined));
    // Completions are written behind the handler, so the table says when they are.
    for (;;) {
      const { rows } = await pool.query("SELECT count(*)::int AS left FROM pgboss.job WHERE name = $1 AND state < 'completed'", [work]);
      if (rows[0].left === 0) {
        note(jobs.length);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await boss.stop({ graceful: true });
  },

  async "graphile-worker"() {
    const { makeWorkerUtils, run } = await import("graphile-worker");
    const utils = await makeWorkerUtils({ pgPool: pool });
    await utils.migrate();
    await utils.addJobs(jobs.map((payload) => ({ identifier: work, payload })));
    const runner = await run({
      connectionString: PEER_DATABASE_URL,
      maxPoolSize: connections,
      concurrency: slots,
      noHandleSignals: true,
      taskList: { [work]: act },
    });
    runner.events.on("job:complete", () => note());
    await finished;
    await runner.stop();
    await utils.release();
  },
};

await queues[queue]();
await finished;
await pool.end().catch(() => {});
console.log(JSON.stringify({ done: times.done, counted: times.done, seconds: (times.ended - times.began) / 1000 }));
process.exit(0);
