"""Celery on Redis: fills a queue and drains it, and prints how many jobs were done and in how many seconds.

PEER_REDIS_URL, PEER_JOBS. A job counts as done when it was acknowledged, which is after it was carried out, so that a
lost worker loses none.
"""

import json
import os
import subprocess
import sys
import time

import redis
from celery import Celery

app = Celery("bench", broker=f"{os.environ['PEER_REDIS_URL']}/1")
app.conf.update(
    task_ignore_result=True, task_acks_late=True, worker_prefetch_multiplier=32, worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)
PROCESSES = 2
PATIENCE_SECONDS = 120


@app.task
def nothing(number: int) -> None:
    """Does nothing."""


def drain() -> None:
    jobs = int(os.environ["PEER_JOBS"])
    store = redis.from_url(f"{os.environ['PEER_REDIS_URL']}/1")
    store.flushdb()
    with app.producer_pool.acquire() as producer:
        for number in range(jobs):
            nothing.apply_async((number,), producer=producer)
    command = [sys.executable, "-m", "celery", "-A", "queue_celery", "worker", "--concurrency", str(PROCESSES)]
    command += ["--loglevel", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        began, ended, left = 0.0, 0.0, jobs
        deadline = time.monotonic() + PATIENCE_SECONDS
        while left > 0 and time.monotonic() < deadline:
            waiting = store.llen("celery") + store.hlen("unacked")
            now = time.monotonic()
            # What was done before the first look at it is not counted.
            if waiting < left and not began:
                began, first = now, waiting
            left, ended = waiting, now
            time.sleep(0.01)
    finally:
        worker.terminate()
        worker.wait(30)
    store.flushdb()
    print(json.dumps({"done": jobs - left, "counted": first - left, "seconds": ended - began}))


if __name__ == "__main__":
    drain()
