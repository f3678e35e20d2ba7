"""Write a new plugin, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from b2b_core.scaffold.answers import Answers
from b2b_core.scaffold.render import render
from b2b_core.scaffold.tree import new_folder


def write_plugin(answers: Answers, out: Path) -> Path:
    """Write the distribution into a new folder below `out` and return that folder.

    Args:
        answers: checked by the functions of `b2b_core.scaffold.answers`.
        out: an existing folder.

    Raises:
        UsageError: if the distribution's folder exists, or `out` does not.
        OSError: if a file cannot be written; nothing is left then.
    """
    target = out / answers.distribution
    with new_folder(target) as folder:
        for name, text in render(answers).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        if "demo" in answers.kinds:
            _draw_pictures(folder, answers)
    return target


def _draw_pictures(folder: Path, answers: Answers) -> None:
    """Draw the demo's pictures, and leave the script that drew them beside."""
    from b2b_core.scaffold import pictures

    recipe = folder / "recipes" / "make_pictures.py"
    recipe.write_bytes(Path(pictures.__file__).read_bytes())
    pictures.main(folder / answers.package / "pictures")
