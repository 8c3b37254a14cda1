#!/usr/bin/env python3
"""Polars, chDB and DataFusion over the same cases and requests, one thread each.

    getcases generate --cases 100000 --seed 1 > cases.ndjson
    getcases-peers --cases 100000 --seed 1 --expected expected.ndjson
    python3 peers.py --cases cases.ndjson --expected expected.ndjson --json peers-python.json

Every total and every id is held against the expected file before the clock starts. The first run
makes a virtual environment of its own (--venv) and installs requirements.txt into it.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
ORDERS = {
    "createdDate": "created",
    "updatedDate": "updated",
    "dueDate": "due",
    "priority": "severity",
    "status": "stage",
    "name": "name",
    "refId": "ref_id",
    "assignee": "agent",
    "_id": "id",
}
DESCENDING = {"created", "updated", "severity"}
CATEGORIES = ["open", "in progress", "on hold", "resolved", "closed"]
MISSING = 2**32 - 1
DAY = 86_400_000


def arguments():
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", required=True, help="NDJSON of `getcases generate`")
    parser.add_argument("--expected", required=True, help="what --expected of the Rust peers wrote")
    parser.add_argument("--engines", default="polars,chdb,datafusion")
    parser.add_argument("--bodies", type=int, default=8, help="bodies of each class, at most")
    parser.add_argument("--turn", type=float, default=0.3, help="seconds a body may take a peer")
    parser.add_argument("--json", help="write all figures to this file")
    parser.add_argument("--venv", default=str(cache / "getcases" / "peers-venv"))
    return parser.parse_args()


def enter(venv):
    """Runs this script again inside its environment, which is made where there is none."""
    python = Path(venv) / "bin" / "python"
    if Path(sys.prefix).resolve() == Path(venv).resolve():
        return
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    requirements = str(HERE / "requirements.txt")
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", requirements], check=True)
    os.execv(python, [str(python), __file__, *sys.argv[1:]])


def fold(text):
    return "".join("σ" if c == "ς" else (c.lower()[:1] or c) for c in text)


def key(text):
    return fold(text).strip()


def status_key(text):
    return key(text.replace("-", " ").replace("_", " "))


def instant(value):
    if isinstance(value, int):
        return value
    parsed = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return (parsed - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)


def span(value):
    if len(value) == 10:
        first = instant(value + "T00:00:00Z")
        return first, first + DAY - 1
    return instant(value), instant(value)


class Codes:
    """A number for each list of keys."""

    def __init__(self, first=0):
        self.first, self.known = first, {}

    def add(self, keys):
        return self.known.setdefault(tuple(keys), self.first + len(self.known))

    def among(self, wanted):
        return [code for keys, code in self.known.items() if any(own in wanted for own in keys)]


class Rows:
    """The cases as the peers of the Rust command have them: codes, dense ranks, arrivals."""

    def __init__(self, file):
        with open(file, encoding="utf-8") as lines:
            cases = [json.loads(line) for line in lines]
        # The oldest first; the usual order is the other way round, then by _id.
        cases.sort(key=lambda case: case["_id"])
        cases.sort(key=lambda case: instant(case["createdAt"]), reverse=True)
        cases.reverse()
        self.ids = [case["_id"] for case in cases]
        self.created = [instant(case["createdAt"]) for case in cases]
        self.due = [instant(case["dueDate"]) if "dueDate" in case else None for case in cases]
        self.status, self.priority, self.channel = Codes(), Codes(), Codes()
        self.queue, self.agent, self.user = Codes(1), Codes(), Codes()
        columns = {name: [] for name in ["status", "priority", "channel", "unresolved"]}
        columns |= {name: [] for name in ["unassigned", "q1", "q2", "assignee", "text"]}
        self.users = {}
        for case in cases:
            status, priority = case["status"], case["priority"]
            names = ["name", "lname", "_id"]
            columns["status"].append(self.status.add([status_key(status[n]) for n in names]))
            columns["priority"].append(self.priority.add([key(priority[n]) for n in names]))
            columns["channel"].append(self.channel.add([key(c) for c in case["channel"]]))
            is_done = status_key(status["statusCategory"]) in ("resolved", "closed")
            columns["unresolved"].append(int(not is_done))
            columns["unassigned"].append(int(case["assigneeType"] == "unassigned"))
            queues = sorted(self.queue.add([key(q["name"]), key(q["_id"])]) for q in case["queues"])
            columns["q1"].append(queues[0] if queues else 0)
            columns["q2"].append(queues[1] if len(queues) > 1 else 0)
            who = case.get("currAssignee") or {}
            code = self.agent.add([key(who[n]) for n in ("agentId", "name") if n in who])
            self.users.setdefault(who.get("agentId"), code)
            columns["assignee"].append(code)
            name = fold(case["name"])
            title = fold(case["fields"][0]["selectedValue"])
            columns["text"].append(name + "\n" + ("" if title == name else title))
        self.columns = columns
        self.rank(cases)

    def rank(self, cases):
        def stage(case):
            category = status_key(case["status"]["statusCategory"])
            known = CATEGORIES.index(category) if category in CATEGORIES else len(CATEGORIES)
            return known, fold(case["status"]["name"])

        def assignee(case):
            name = (case.get("currAssignee") or {}).get("name")
            return None if name is None else fold(name)

        values = {
            "created": self.created,
            "updated": [instant(case["updatedAt"]) for case in cases],
            "due": self.due,
            "severity": [case["priority"]["score"] for case in cases],
            "stage": [stage(case) for case in cases],
            "name": [fold(case["name"]) for case in cases],
            "ref_id": [fold(case["refId"]) for case in cases],
            "agent": [assignee(case) for case in cases],
            "id": self.ids,
        }
        for column, own in values.items():
            distinct = sorted({value for value in own if value is not None})
            if column in DESCENDING:
                distinct.reverse()
            ranks = {value: rank for rank, value in enumerate(distinct)}
            self.columns[column] = [MISSING if v is None else ranks[v] for v in own]

    def table(self):
        import pyarrow as pa

        kinds = {name: pa.uint8() for name in ("status", "priority", "channel", "q1", "q2")}
        kinds |= {"unresolved": pa.uint8(), "unassigned": pa.uint8(), "assignee": pa.uint16()}
        kinds |= {"text": pa.string()}
        arrays = {"n": pa.array(range(len(self.ids)), pa.uint32())}
        for name, values in self.columns.items():
            arrays[name] = pa.array(values, kinds.get(name, pa.uint32()))
        return pa.table(arrays)


class Ask:
    """A request in the codes of the rows."""

    def __init__(self, rows, line):
        body = line["body"]
        lists = [("status", rows.status, status_key), ("priority", rows.priority, key)]
        lists += [("channel", rows.channel, key)]
        self.among = []
        for name, codes, form in lists:
            if body.get(name):
                self.among.append((name, codes.among({form(value) for value in body[name]})))
        if body.get("agents"):
            self.among.append(("assignee", rows.agent.among({key(v) for v in body["agents"]})))
        if body.get("mycase"):
            own = rows.users.get(line["user"])
            self.among.append(("assignee", [] if own is None else [own]))
        self.queues = None
        if body.get("queues"):
            self.queues = rows.queue.among({key(value) for value in body["queues"]})
        self.flags = [name for name in ("unresolved", "unassigned") if body.get(name)]
        self.ranges = []
        if body.get("startDate") or body.get("endDate"):
            first = span(body["startDate"])[0] if body.get("startDate") else -math.inf
            last = span(body["endDate"])[1] if body.get("endDate") else math.inf
            inside = [n for n, date in enumerate(rows.created) if first <= date <= last]
            self.ranges.append(("n", *limits(inside)))
        if body.get("dueDate"):
            first, last = span(body["dueDate"])
            dates = zip(rows.columns["due"], rows.due)
            inside = [rank for rank, due in dates if due is not None and first <= due <= last]
            self.ranges.append(("due", *limits(inside)))
        self.text = fold(body.get("searchText", "").strip())
        name, _, direction = body.get("sortBy", "createdDate").partition(":")
        self.column = ORDERS[name.lstrip("-")]
        natural = self.column in DESCENDING
        descending = natural
        if name.startswith("-") or direction:
            descending = name.startswith("-") or direction == "desc"
        self.reverse = descending != natural
        self.limit = body.get("limit", 50)
        self.skip = body.get("skip", (body.get("page", 1) - 1) * self.limit)

    def where(self, contains):
        conditions = [f"{name} = 1" for name in self.flags]
        conditions += [among(name, codes) for name, codes in self.among]
        if self.queues is not None:
            conditions.append(f"({among('q1', self.queues)} OR {among('q2', self.queues)})")
        conditions += [f"{name} >= {low} AND {name} < {high}" for name, low, high in self.ranges]
        if self.text:
            conditions.append(contains("'" + self.text.replace("'", "''") + "'"))
        return " WHERE " + " AND ".join(conditions) if conditions else ""

    def paging(self):
        order = f"{self.column}, n DESC"
        if self.column == "created" and not self.reverse:
            order = "n DESC"
        elif self.reverse:
            order = f"{self.column} = {MISSING}, {self.column} DESC, n DESC"
        return f" ORDER BY {order} LIMIT {self.limit} OFFSET {self.skip}"


def among(name, codes):
    return f"{name} IN ({', '.join(map(str, codes))})" if codes else "1 = 0"


def limits(values):
    return (min(values), max(values) + 1) if values else (0, 0)


class Polars:
    name = "Polars"

    def __init__(self, table):
        import polars as pl

        self.pl, self.frame = pl, pl.from_arrow(table)

    def prepare(self, ask):
        pl = self.pl
        conditions = [pl.col(name) == 1 for name in ask.flags]
        conditions += [pl.col(name).is_in(codes) for name, codes in ask.among]
        if ask.queues is not None:
            own = [pl.col(name).is_in(ask.queues) for name in ("q1", "q2")]
            conditions.append(own[0] | own[1])
        for name, low, high in ask.ranges:
            conditions.append((pl.col(name) >= low) & (pl.col(name) < high))
        if ask.text:
            conditions.append(pl.col("text").str.contains(ask.text, literal=True))
        rank = pl.col(ask.column).cast(pl.UInt64)
        if ask.reverse:
            rank = pl.when(rank == MISSING).then(rank).otherwise(MISSING - 1 - rank)
        packed = rank * 2**32 + (2**32 - 1 - pl.col("n").cast(pl.UInt64))
        frame = self.frame.lazy()
        if conditions:
            frame = frame.filter(pl.all_horizontal(conditions))
        matches = frame.select(packed.alias("key"))

        def run():
            keys = matches.collect()["key"]
            if ask.limit == 0:
                return len(keys), []
            page = keys.bottom_k(ask.skip + ask.limit).sort()[ask.skip :]
            return len(keys), [2**32 - 1 - (own & (2**32 - 1)) for own in page.to_list()]

        return run


class Chdb:
    name = "chDB"

    def __init__(self, table):
        from chdb import session

        self.session = session.Session()
        globals()["chdb_table"] = table
        self.session.query("SET max_threads = 1")
        self.session.query("CREATE DATABASE IF NOT EXISTS own ENGINE = Atomic")
        kinds = {"uint8": "UInt8", "uint16": "UInt16", "uint32": "UInt32", "string": "String"}
        columns = ", ".join(f"{f.name} {kinds[str(f.type)]}" for f in table.schema)
        self.session.query(f"CREATE TABLE own.cases({columns}) ENGINE = MergeTree ORDER BY n")
        self.session.query("INSERT INTO own.cases SELECT * FROM Python(chdb_table)")
        self.session.query("OPTIMIZE TABLE own.cases FINAL")

    def prepare(self, ask):
        where = ask.where(lambda needle: f"position(text, {needle}) > 0")
        count = f"SELECT count() FROM own.cases{where}"
        page = f"SELECT n FROM own.cases{where}{ask.paging()}"

        def run():
            total = int(self.session.query(count, "TSV").data())
            rows = self.session.query(page, "TSV").data() if ask.limit else ""
            return total, [int(own) for own in rows.split()]

        return run


class DataFusion:
    name = "DataFusion"

    def __init__(self, table):
        from datafusion import SessionConfig, SessionContext

        self.context = SessionContext(SessionConfig().with_target_partitions(1))
        self.context.register_record_batches("cases", [table.to_batches(max_chunksize=8192)])

    def prepare(self, ask):
        where = ask.where(lambda needle: f"contains(text, {needle})")
        count = self.context.sql(f"SELECT count(*) FROM cases{where}")
        page = self.context.sql(f"SELECT n FROM cases{where}{ask.paging()}")

        def run():
            total = count.collect()[0].column(0)[0].as_py()
            batches = page.collect() if ask.limit else []
            return total, [own for batch in batches for own in batch.column(0).to_pylist()]

        return run


ENGINES = {"polars": Polars, "chdb": Chdb, "datafusion": DataFusion}


def percentile(samples, hundredths):
    return sorted(samples)[max(0, math.ceil(len(samples) * hundredths / 100) - 1)]


def timed(run, turn):
    samples, started = [], time.perf_counter()
    while not samples or time.perf_counter() - started < turn:
        asked = time.perf_counter_ns()
        run()
        samples.append(time.perf_counter_ns() - asked)
    return samples


def check(engine, line, ask, number_of):
    total, page = engine.prepare(ask)()
    right = [number_of[own] for own in line["ids"]]
    if total != line["total"] or page != right:
        sys.exit(f"{engine.name}: not the linear scan's answer: {line['class']} {line['body']}")


def main():
    args = arguments()
    enter(args.venv)
    os.environ["POLARS_MAX_THREADS"] = "1"
    os.environ["TOKIO_WORKER_THREADS"] = "1"
    rows = Rows(args.cases)
    table = rows.table()
    number_of = {own: n for n, own in enumerate(rows.ids)}
    classes = {}
    with open(args.expected, encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            classes.setdefault((line["of"], line["class"]), []).append(line)
    engines, loads = [], {}
    for name in args.engines.split(","):
        started = time.perf_counter()
        engines.append(ENGINES[name](table))
        loads[engines[-1].name] = round(time.perf_counter() - started, 3)
    print("load s: " + ", ".join(f"{name} {seconds}" for name, seconds in loads.items()))
    print("\n| class | total | " + " | ".join(f"{e.name} µs (p99)" for e in engines) + " |")
    print("|---|--:|" + "--:|" * len(engines))
    measured = []
    for (of, name), lines in classes.items():
        asks = [(line, Ask(rows, line)) for line in lines[: args.bodies]]
        for line, ask in asks:
            for engine in engines:
                check(engine, line, ask, number_of)
        figures = {}
        for engine in engines:
            # A fixed class is its first body; another is all of its bodies, a median each.
            if of == "fixed":
                samples = timed(engine.prepare(asks[0][1]), args.turn)
            else:
                turn = args.turn / len(asks)
                samples = [percentile(timed(engine.prepare(a), turn), 50) for _, a in asks]
            own = {"median_ns": percentile(samples, 50), "p99_ns": percentile(samples, 99)}
            figures[engine.name] = own | {"samples": len(samples)}
        micros = lambda f: f"{f['median_ns'] / 1e3:.1f} ({f['p99_ns'] / 1e3:.1f})"
        cells = " | ".join(micros(figures[engine.name]) for engine in engines)
        print(f"| {name} | {lines[0]['total']} | {cells} |", flush=True)
        measured.append({"class": name, "of": of, "total": lines[0]["total"], "peers": figures})
    if args.json:
        own = {"cases": len(rows.ids), "threads": 1, "load_s": loads, "classes": measured}
        Path(args.json).write_text(json.dumps(own, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
