"""CPU time of `b2b list-plugins --json` and `b2b --version` beside many other distributions.

    python benchmarks/listing.py            # 300 other distributions, median of 10
    python benchmarks/listing.py --profile  # which imports the listing pays for

Run it with the Python of the environment that b2b is installed in, on an idle machine. CPU time is
user + system of the child process, which moves less with the machine's load than wall time does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

B2B = Path(sysconfig.get_path("scripts")) / "b2b"
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "b2b --version": [str(B2B), "--version"],
    "b2b --help": [str(B2B), "--help"],
    "b2b list-plugins --json": [str(B2B), "list-plugins", "--json"],
}


def main() -> None:
    """Measure and print a table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--others", type=int, default=300, help="other distributions")
    options.add_argument("--repeat", type=int, default=10)
    options.add_argument("--profile", action="store_true", help="print what is imported, and stop")
    said = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(said.others):
            other(Path(folder), number)
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPATH"] = folder
        if said.profile:
            command = [sys.executable, "-X", "importtime", *COMMANDS["b2b list-plugins --json"]]
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
            return
        print(f"{platform.python_implementation()} {platform.python_version()}, ", end="")
        print(f"{plugins(environment)} plugins, {said.others} other distributions")
        print("| command | CPU ms (median) | min | wall ms |\n|---|---|---|---|")
        for name, command in COMMANDS.items():
            cpu, wall = measured(command, environment, said.repeat)
            print(f"| `{name}` | {statistics.median(cpu):.0f} | {min(cpu):.0f} ", end="")
            print(f"| {statistics.median(wall):.0f} |", flush=True)


def other(folder: Path, number: int) -> None:
    """Write the metadata of a distribution that has nothing to do with b2b."""
    info = folder / f"other_{number}-1.0.dist-info"
    info.mkdir()
    requires = "".join(f"Requires-Dist: thing-{n}>=1.0\n" for n in range(12))
    text = f"Metadata-Version: 2.1\nName: other-{number}\nVersion: 1.0\n{requires}\n" + "x\n" * 200
    (info / "METADATA").write_text(text)
    (info / "entry_points.txt").write_text(f"[console_scripts]\nother{number} = other:main\n")


def plugins(environment: dict[str, str]) -> int:
    """Return how many plugins are listed."""
    command = COMMANDS["b2b list-plugins --json"]
    listed = subprocess.run(command, env=environment, capture_output=True, check=True)
    return len(json.loads(listed.stdout)["plugins"])


def measured(
    command: list[str], environment: dict[str, str], repeat: int
) -> tuple[list[float], list[float]]:
    """Return CPU and wall time in milliseconds of `repeat` runs, after two that warm the cache."""
    import time

    cpu: list[float] = []
    wall: list[float] = []
    for _ in range(repeat + 2):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        wall.append((time.perf_counter() - start) * 1e3)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        cpu.append(spent * 1e3)
    return cpu[2:], wall[2:]


if __name__ == "__main__":
    main()
