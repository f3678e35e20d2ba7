"""Finding distributions: the quick way sees what `importlib.metadata` sees."""

from __future__ import annotations

import importlib.metadata
import sys
import zipfile
from pathlib import Path

import pytest

from b2b_core.catalogue import discover
from b2b_core.catalogue.metadata import installed
from b2b_core.names import normalised
from b2b_core.preferences import user_file


def seen_by_importlib():
    """Return name -> (version, licence, summary, points, requirements), by `importlib.metadata`."""
    seen = {}
    for distribution in importlib.metadata.distributions():
        points = [p for p in distribution.entry_points if p.group == "b2b"]
        if points:
            data = distribution.metadata
            seen.setdefault(
                normalised(data["Name"]),
                (
                    data["Version"],
                    data.get("License-Expression", "unknown"),
                    data.get("Summary", ""),
                    sorted((p.name, p.value) for p in points),
                    [r for r in distribution.requires or [] if r.startswith("b2b-core")],
                ),
            )
    return seen


def test_the_quick_scan_finds_what_importlib_finds(install):
    """All plugins of this tree and a foreign one: same names, versions, points, requirements."""
    install("acme-losses", version="2.0", licence="License-Expression: MIT OR Apache-2.0")
    found = {
        one.name: (
            one.version,
            one.licence,
            one.summary,
            [(point.name, point.value) for point in one.entry_points],
            list(one.core_requirements),
        )
        for one in installed()
    }
    assert found == seen_by_importlib()
    assert len(found) > 10


def test_an_entry_point_may_name_an_attribute(install):
    """`module:attribute.attribute` is loaded as importlib loads it."""
    source = (
        "from attrs import frozen\nfrom b2b_core import hookimpl\n"
        "from b2b_core.specs import LossSpec\n"
        "@frozen\nclass Config:\n    pass\n"
        "class Outer:\n    class plugin:\n        @staticmethod\n        @hookimpl\n"
        "        def b2b_losses():\n"
        "            return [LossSpec(name='x', config=Config, factory=object, summary='s')]\n"
    )
    install("acme-losses", source)
    points = next(install.folder.glob("acme_losses-*")) / "entry_points.txt"
    points.write_text("[console_scripts]\na = b:c\n\n[ b2b ]\n# no\nhooks = acme_losses\n")
    points.write_text("[b2b]\n# comment\n\nhooks = acme_losses:Outer.plugin\n\n[other]\nx = y\n")
    assert discover().owner("loss", "x").distribution == "acme-losses"


def test_a_distribution_in_a_zip_file_is_found(tmp_path, monkeypatch):
    """Where the path holds more than folders, `importlib.metadata` is asked."""
    archive = tmp_path / "site.zip"
    with zipfile.ZipFile(archive, "w") as file:
        info = "acme_zipped-3.1.dist-info"
        file.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: acme-zipped\nVersion: 3.1\n"
        )
        file.writestr(f"{info}/entry_points.txt", "[b2b]\nhooks = acme_zipped\n")
    monkeypatch.syspath_prepend(str(archive))
    assert ("acme-zipped", "3.1") in [(one.name, one.version) for one in installed()]


def test_a_finder_of_its_own_is_asked(monkeypatch, install):
    """A finder that brings distributions from elsewhere counts as it does for importlib."""
    name = install("acme-losses")
    path = next(install.folder.glob("acme_losses-*"))
    sys.path.remove(str(install.folder))

    class Finder:
        def find_spec(self, *_):
            return None

        def find_distributions(self, *_):
            return [importlib.metadata.PathDistribution(path)]

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert name in [one.name for one in installed()]


@pytest.mark.parametrize("chosen", [None, "elsewhere"])
def test_the_users_file_is_where_platformdirs_says(monkeypatch, tmp_path, chosen):
    """The short cut on Linux gives the folder that platformdirs gives."""
    from platformdirs import user_config_path

    monkeypatch.delenv("B2B_CONFIG", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    if chosen:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / chosen))
    assert user_file() == Path(user_config_path("b2b", appauthor=False)) / "b2b.toml"
