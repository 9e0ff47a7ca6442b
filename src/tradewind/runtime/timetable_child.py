"""One question to a timetable of an author's own, in a process of its own:
`python -m tradewind.runtime.timetable_child`.

The order comes on standard input, the answer goes to standard output, JSON both. Whoever starts it ends it when its
time is over; what the DAG file prints goes to standard error.
"""

from __future__ import annotations

import hashlib
import os
import resource
import sys
from pathlib import Path

import msgspec

from tradewind.kernel.process import die_with_parent
from tradewind.sdk.loading import load_dag_file
from tradewind.sdk.own_timetables import next_runs
from tradewind.wire.timetables import TimetableAnswer, TimetableOrder


def answer(order: TimetableOrder) -> TimetableAnswer:
    """Load the file and ask the timetable of the DAG."""
    question = order.question
    name = f"tradewind_dag_{hashlib.sha256(question.file.encode()).hexdigest()[:12]}"
    loaded = load_dag_file(Path(order.tree) / question.file, bundle_root=order.tree, module_name=name)
    dag = loaded.dags.get(question.dag_id)
    if dag is None:
        said = loaded.errors[0].message if loaded.errors else "the file does not define it"
        return TimetableAnswer(problem=f"cannot be loaded from {question.file}: {said}")
    return next_runs(dag.schedule, question)


def main() -> None:
    """Reads the order, writes the answer."""
    out = os.dup(1)
    os.dup2(2, 1)  # what user code prints must not mix with the answer
    die_with_parent(os.getppid())
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=TimetableOrder)
    resource.setrlimit(resource.RLIMIT_DATA, (order.memory_bytes_max, order.memory_bytes_max))
    with os.fdopen(out, "wb") as stream:
        stream.write(msgspec.json.encode(answer(order)))
    sys.stdout.flush()
    os._exit(0)  # threads that the file left behind do not keep this process


if __name__ == "__main__":
    main()
