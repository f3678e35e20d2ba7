"""Import one plugin in this process and leave a report: `python -m b2b_core.health.alone`.

Arguments: the file to write the report to, "installed" or "file", and the distribution or file.
Run by `b2b_core.health.check`, which survives whatever happens to this process.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from b2b_core.atomic import replacing
from b2b_core.errors import B2bError

if TYPE_CHECKING:
    from b2b_core.catalogue.loading import Point

#: Seconds; the time limit is the parent's, which can stop what Python cannot.
_FOREVER = 1e6


def main(arguments: Sequence[str]) -> None:
    """Load the plugin as a listing does and write what happened as JSON."""
    from b2b_core.catalogue.loading import load, new_manager

    report, source, said = arguments
    name, points = _points(source, said)
    told: dict[str, object] = {"cause": "", "mend": ""}
    try:
        _, watched = load(name, points, new_manager(), _FOREVER)
    except B2bError as error:
        told |= {"cause": " ".join(error.what.split()), "mend": error.mend or ""}
    else:
        told |= {"heavy": watched.heavy, "printed": watched.printed}
    with replacing(report) as temporary:
        temporary.write_text(json.dumps(told), encoding="utf-8")


def _points(source: str, said: str) -> tuple[str, Sequence[Point]]:
    if source == "file":
        from b2b_core.catalogue.local import local_file

        file = local_file(Path(said))
        return file.distribution, (file,)
    from b2b_core.catalogue.metadata import installed

    found = next(one for one in installed() if one.name == said)
    return found.name, found.entry_points


if __name__ == "__main__":
    main(sys.argv[1:])
