"""Level 2: the pairs that a domain finds, where pairs ship with the plugin."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from b2b_core.errors import UsageError
from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.check import Check, component_check, fail, skip

if TYPE_CHECKING:
    from b2b_core.contracts import Domain, Pair

SPLITS = ("train", "test")
#: Pairs of a split whose files are looked into.
SAMPLE = 8


@component_check(
    2, "return a folder below Path(__file__).parent, or None if no pictures ship", "domain"
)
def default_root(case: ComponentCase) -> None:
    """Check that the root that ships with the plugin exists, or there is none."""
    root = _domain(case).default_root()
    # a plugin that is not type-checked may return text
    if root is not None and not Path(root).is_dir():
        fail(f"default_root() is {str(root)!r}, which is no folder", where="default_root")
    if isinstance(root, str):
        fail("default_root() is text, not a Path", where="default_root", mend="return Path(...)")


@component_check(2, "sort what the file system lists", "domain")
def pairs_in_order(case: ComponentCase) -> None:
    """Check that each split has pairs, the same and in the same order at every call."""
    for split in SPLITS:
        pairs, again = _pairs(case, split), _pairs(case, split)
        if not pairs:
            fail(
                f"the split '{split}' has no pairs",
                where="pairs",
                mend="put pictures of both splits into what ships",
            )
        if list(pairs) != list(again):
            fail(f"two calls give the pairs of '{split}' in two orders", where="pairs")
        if len({pair.blurry for pair in pairs}) != len(pairs):
            fail(f"a pair of '{split}' is there twice", where="pairs", mend="list each once")


@component_check(2, "split by scene: all pictures of one scene go into one split", "domain")
def disjoint_scenes(case: ComponentCase) -> None:
    """Check that what is measured on shares no scene with what is learned from."""
    train, test = ({pair.scene for pair in _pairs(case, split)} for split in SPLITS)
    if both := sorted(train & test):
        fail(f"{len(both)} scene(s) are in both splits, such as '{both[0]}'", where="pairs")


@component_check(2, "pair pictures of the same size, and name files that exist", "domain")
def pairs_fit(case: ComponentCase) -> None:
    """Check that the two files of a pair exist and have the same size (a sample of each split)."""
    from PIL import Image

    for split in SPLITS:
        pairs = _pairs(case, split)
        for pair in pairs[:: max(1, len(pairs) // SAMPLE)]:
            sizes: list[tuple[int, int]] = []
            for path in (pair.blurry, pair.sharp):
                if not path.is_file():
                    fail("a picture of a pair is missing", where=path)
                with Image.open(path) as image:
                    sizes.append(image.size)
            if sizes[0] != sizes[1]:
                fail(f"a pair has two sizes, {sizes[0]} and {sizes[1]}", where=pair.blurry)


@component_check(
    2, "raise b2b_core.errors.UsageError that names the folder and what is missing", "domain"
)
def wrong_root_refused(case: ComponentCase) -> None:
    """Check that a folder without the layout is refused by an error that names it."""
    with tempfile.TemporaryDirectory(prefix="b2b-check-") as name:
        try:
            found = _domain(case).pairs(Path(name), "train")
        except UsageError as error:
            if Path(name).name not in str(error):
                fail(f"the error does not name the folder: {error}", where="pairs")
            return
        except Exception as error:
            fail(f"an empty folder gives {type(error).__name__}: {error}", where="pairs")
    fail(f"an empty folder gives {len(found)} pairs and no error", where="pairs")


def _domain(case: ComponentCase) -> Domain:
    domain: Domain = case.product()
    return domain


def _pairs(case: ComponentCase, split: str) -> Sequence[Pair]:
    domain = _domain(case)
    root = domain.default_root()
    if root is None:
        skip("needs data: no pictures ship with the plugin")
    if not root.is_dir():
        skip("its root is no folder: see the check 'default-root'")
    return domain.pairs(root, split)


CHECKS: tuple[Check[ComponentCase], ...] = (
    default_root,
    pairs_in_order,
    disjoint_scenes,
    pairs_fit,
    wrong_root_refused,
)
