"""Runs Schemathesis against a program of its own and counts what came of it. Called by `run`."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from base64 import b64encode
from pathlib import Path

from program import Program

HERE = Path(__file__).parent
PHASES = ("examples", "coverage", "fuzzing", "stateful")


def schemathesis(program, options, report):
    """Throws everything at the program; prints what Schemathesis prints."""
    key_id = program.get("/v1/me")["actor"]["id"]
    told = {
        "HOSTILE_KEY": program.key,
        "HOSTILE_KEY_ID": key_id,
        "HOSTILE_BASIC": b64encode(f"{key_id}:{program.key}".encode()).decode(),
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [
        Path(sys.executable).with_name("schemathesis"),
        "--no-color",
        f"--config-file={HERE / 'schemathesis.toml'}",
        "run",
        f"{program.url}/openapi.json",
        f"--phases={','.join(PHASES)}",
        f"--max-examples={options.examples}",
        f"--seed={options.seed}",
        "--report=json",
        f"--report-json-path={report}",
    ]
    subprocess.run(command, cwd=report.parent, env=os.environ | told, check=False)
    return json.loads(report.read_text())


def findings(program, result, cases):
    """What must not be, line by line."""
    for failure in result["failures"]:
        for operation in failure["operations"]:
            yield f"{failure['title']}: {operation}"
    for error in result["errors"]:
        yield f"Schemathesis stumbled: {error['title']}"
    if result["stop_reason"] != "completed":
        yield f"Schemathesis ended early: {result['stop_reason']}"
    for phase in PHASES:
        if (result["phases"] or {}).get(phase, {}).get("status") in (None, "skip"):
            yield f"the phase {phase} was left out"
    # Nobody was let in, or everybody was slowed down: then nothing was tried.
    for warning in ("missing_auth", "rate_limited"):
        for operation in result["warnings"][warning]:
            yield f"{warning}: {operation}"
    sent = result["test_cases"]["generated"]
    if sent < cases:
        yield f"{sent} requests were sent, not {cases}"
    for line in program.faults():
        yield f"the program logged a fault: {line}"
    for job in program.get("/v1/jobs?state=dead")["data"]:
        yield f"a job is dead: {job['id']}, {job['kind']}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--cases", type=int, required=True)
    parser.add_argument("--examples", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aftercare-hostile-") as folder:
        with Program(options.program, folder) as program:
            result = schemathesis(program, options, Path(folder) / "report.json")
            found = list(findings(program, result, options.cases))
    for finding in found:
        print(f"hostile: {finding}")
    sent, operations = result["test_cases"]["generated"], result["operations"]["tested"]
    print(f"hostile: {sent} requests to {operations} operations, seed {options.seed}")
    spoiled = {operation for failure in result["failures"] for operation in failure["operations"]}
    print(f"hostile: {operations - len(spoiled)} passed, {len(found)} failed")
    return 1 if found else 0


sys.exit(main())
