"""What this machine can compute with: torch, bf16 on the CPU, CUDA."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from b2b_core.health.finding import Finding
from b2b_core.health.process import Processes

#: Seconds that torch may take to be imported, on a slow disk for the first time.
_LIMIT = 120.0


def compute() -> Iterable[Finding]:
    """Yield what torch says about processor and graphics cards."""
    with Processes() as processes:
        ended = processes.run(["-m", "b2b_core.health.torch_facts"], _LIMIT)
    if ended.code != 0:
        yield Finding(
            "compute", "torch", "problem", f"it cannot be imported: {ended.reason(_LIMIT)}",
            "pip install --force-reinstall torch",
        )  # fmt: skip
        return
    facts: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    bf16 = "fast" if facts["fast_bf16"] else "not faster, so float32 is used"
    said = f"{facts['threads']} threads, {facts['instructions']}, bf16: {bf16}"
    yield Finding("compute", "cpu", "ok", said)
    if not facts["cuda"]:
        yield Finding("compute", "cuda", "ok", "none: this torch is made for the CPU")
    elif not facts["cards"]:
        said = f"torch is made for CUDA {facts['cuda']}, but finds no card or driver"
        yield Finding("compute", "cuda", "note", said)
    for card in facts["cards"]:
        yield Finding("compute", "cuda", "ok", f"CUDA {facts['cuda']}: {card}")
