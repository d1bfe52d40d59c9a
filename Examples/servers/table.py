#!/usr/bin/env python3
"""Prints Markdown tables of what servers cost: table.py RUNS.CSV

Each row is a server or one of our loops with the median of its rounds; `times` is its CPU time over that of our
loop `epoll-lt` (the first of ours without it) in the same round, and the median of that.

Exit codes: 0 fine, 1 the file has nothing to print or cannot be read.
"""

import csv
import statistics
import sys

OUTSIDE = "external"


class Arm:
    """The runs of one server or loop."""

    def __init__(self, name, implementation):
        self.name = name
        self.implementation = implementation
        self.rounds = {}
        self.calls = []
        self.speeds = []
        self.troubles = []

    def add(self, row):
        if row["status"] != "ok":
            self.troubles.append(f"{row['status']}: {row['reason']}".rstrip(": "))
            return
        for column, values in (("syscalls_per_op", self.calls), ("throughput_ops_per_s", self.speeds)):
            if row[column]:
                values.append(float(row[column]))
        if row["server_cpu_ns_per_op"]:
            self.rounds[row["round"]] = float(row["server_cpu_ns_per_op"])

    def is_outside(self):
        return self.implementation == OUTSIDE

    def times(self, bare):
        """How many times what `bare` costs, or None without a round that both have."""
        ratios = [cost / bare.rounds[number] for number, cost in self.rounds.items() if bare.rounds.get(number)]
        return statistics.median(ratios) if ratios else None

    def cells(self, bare):
        name = self.name if self.is_outside() else f"`{self.name}` (ours, {self.implementation})"
        if not self.speeds:
            return [name, "", "", "", "", self.troubles[0] if self.troubles else "no run"]
        times = self.times(bare) if bare else None
        remark = f"{len(self.troubles)} of its rounds not ok" if self.troubles else ""
        return [
            name,
            f"{statistics.median(self.rounds.values()) / 1000:.2f}" if self.rounds else "",
            f"{statistics.median(self.calls):.2f}" if self.calls else "",
            f"{times:.2f}" if times else "",
            f"{statistics.median(self.speeds):,.0f}",
            remark,
        ]


def read(path):
    """The arms of each combination of workers, connections and, of an echo, message size."""
    tables = {}
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            size = row["message_size_bytes"] if row["protocol"] == "echo" else ""
            arms = tables.setdefault((row["workers"], row["connections"], size), {})
            key = (row["mode"], row["implementation"])
            arms.setdefault(key, Arm(*key)).add(row)
    return {key: list(arms.values()) for key, arms in tables.items()}


def table(arms):
    ours = [arm for arm in arms if not arm.is_outside() and arm.rounds]
    bare = next((arm for arm in ours if arm.name == "epoll-lt"), ours[0] if ours else None)
    times = f"times {bare.name}" if bare else "times the bare loop"
    yield ["server", "µs of server CPU / message", "calls / message", times, "messages / s", ""]
    yield ["---"] + ["---:"] * 4 + ["---"]
    for arm in sorted(arms, key=lambda arm: statistics.median(arm.rounds.values()) if arm.rounds else float("inf")):
        yield arm.cells(bare)


def main():
    if len(sys.argv) != 2:
        print("usage: table.py RUNS.CSV", file=sys.stderr)
        return 1
    try:
        tables = read(sys.argv[1])
    except (OSError, KeyError, ValueError) as problem:
        print(f"table: cannot read {sys.argv[1]}: {problem}", file=sys.stderr)
        return 1
    if not tables:
        print(f"table: {sys.argv[1]} has no runs", file=sys.stderr)
        return 1
    for (workers, connections, size), arms in tables.items():
        print(f"\nWorkers: {workers}; connections: {connections}; bytes in a message: {size or 'as asked'}.\n")
        for line in table(arms):
            print("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
