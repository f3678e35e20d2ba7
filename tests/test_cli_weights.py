"""`b2b weights`: what is listed, fetched and verified, and how it fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from b2b_core.cli import run
from b2b_core.cli.weights_list import readable_size
from b2b_core.config import write_toml
from b2b_core.weights import cache_folder
from tests.serving import CONTENT, SHA256, Server


@pytest.fixture
def server():
    """Give a server, stopped after the test."""
    made = Server()
    yield made
    made.close()


@pytest.fixture
def listed(monkeypatch, tmp_path):
    """Give a function that lists weights in the user's file, rows as keyword tables by tag."""
    for name in ("B2B_OFFLINE", "B2B_ACCEPT_LICENCE", "B2B_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("B2B_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()

    def use(**rows):
        same = {"component": "unet", "kind": "deblurrer", "licence": "MIT", "summary": "s"}
        data = [same | {"name": f"unet.{tag}"} | fields for tag, fields in rows.items()]
        write_toml(tmp_path / "config" / "b2b.toml", {"weights": data})

    return use


def documents(capsys, *options):
    """Return name -> entry of the JSON listing."""
    assert run(["weights", "list", "--json", *options]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    return {entry["name"]: entry for entry in document["weights"]}


def states(capsys, *options):
    """Return name -> state of the listing."""
    return {name: entry["state"] for name, entry in documents(capsys, *options).items()}


def put(name, content=CONTENT):
    """Put a file into the cache."""
    path = cache_folder() / "weights" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_each_state_is_listed(listed, capsys):
    """What is at hand, and what stands in the way of what is not."""
    url = ["https://example.org/w"]
    listed(
        free={"urls": url, "sha256": SHA256},
        cached={"urls": url, "sha256": SHA256, "bytes": len(CONTENT)},
        short={"urls": url, "sha256": SHA256, "bytes": len(CONTENT)},
        unknown={"urls": url},
        hand={"source": "https://example.org/page"},
        terms={"urls": url, "sha256": SHA256, "licence": "CC-BY-NC-4.0"},
        absent={"distribution": "acme-absent"},
    )
    put("unet.cached.safetensors")
    put("unet.short.safetensors", CONTENT[:-1])
    found = states(capsys)
    assert {name: found[f"unet.{name}"] for name in ("free", "cached", "short", "unknown")} == {
        "free": "not fetched",
        "cached": "cached",
        "short": "damaged",
        "unknown": "unverified",
    }
    assert {name: found[f"unet.{name}"] for name in ("hand", "terms", "absent", "starter")} == {
        "hand": "manual",
        "terms": "needs acceptance",
        "absent": "not installed",
        "starter": "installed",
    }


def test_acceptance_changes_the_state(listed, capsys, monkeypatch):
    """What the environment accepts needs no acceptance any more."""
    listed(terms={"urls": ["https://x.org/w"], "sha256": SHA256, "licence": "CC-BY-NC-4.0"})
    monkeypatch.setenv("B2B_ACCEPT_LICENCE", "CC-BY-NC-4.0")
    assert states(capsys)["unet.terms"] == "not fetched"


def test_an_entry_tells_all_that_is_known(listed, capsys, tmp_path):
    """The JSON has terms, hash, addresses, figures with their protocol, and who says so."""
    metrics = [{"protocol": "GoPro test", "figures": {"psnr": 31.5}}]
    listed(a={"urls": ["https://x.org/w"], "sha256": SHA256, "bytes": 7, "metrics": metrics})
    assert documents(capsys)["unet.a"] == {
        "name": "unet.a",
        "kind": "deblurrer",
        "component": "unet",
        "summary": "s",
        "state": "not fetched",
        "path": None,
        "bytes": 7,
        "format": "safetensors",
        "licence": "MIT",
        "free_for_commercial_use": True,
        "trained_on": "unknown",
        "metrics": metrics,
        "distribution": None,
        "urls": ["https://x.org/w"],
        "source": None,
        "sha256": SHA256,
        "pinned": None,
        "source_file": f"user {tmp_path / 'config' / 'b2b.toml'}",
    }


def test_the_table_shows_terms_figures_and_origin(listed, capsys, tmp_path):
    """On a pipe: a line each, with the protocol beside the numbers and the file of an added row."""
    metrics = [{"protocol": "GoPro test", "figures": {"psnr": 31.5}}]
    listed(
        a={"urls": ["https://x.org/w"], "sha256": SHA256, "bytes": 4_385_900, "metrics": metrics}
    )
    assert run(["weights", "list"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    parts = ("not fetched", "4.4 MB", "MIT", "psnr 31.5 (GoPro test)", "x.org", "user ")
    assert [part for part in parts if part not in lines["unet.a"]] == []
    assert str(tmp_path / "config" / "b2b.toml") in lines["unet.a"]
    assert "b2b-plugin-starter" in lines["unet.starter"]
    assert lines["name"].split()[:3] == ["name", "component", "state"]


def test_a_kind_is_listed_alone(listed, capsys):
    """`--kind` leaves the others out."""
    listed()
    kinds = {entry["kind"] for entry in documents(capsys, "--kind", "deblurrer").values()}
    assert kinds == {"deblurrer"}


def test_weights_of_absent_components_are_listed_on_demand(listed, capsys):
    """Without `--all`, what no installed plugin can use is left out."""
    row = {"name": "absent.a", "component": "absent", "urls": ["https://x.org/w"]}
    listed(a=row)
    assert "absent.a" not in states(capsys)
    assert states(capsys, "--all")["absent.a"] == "unverified"


def test_the_list_imports_nothing_heavy(listed):
    """It is for looking things up; torch stays out."""
    listed()
    code = (
        "import sys; from b2b_core.cli import run; assert run(['weights', 'list']) == 0\n"
        "assert not {'torch', 'numpy', 'kornia', 'rich'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_fetch_prints_where_the_files_are(listed, server, capsys):
    """One path a line on the standard output; the rest is said on the other."""
    listed(a={"urls": [server.url], "sha256": SHA256}, b={"urls": [server.url]})
    assert run(["weights", "fetch", "unet.a", "unet.b"]) == 0
    folder = cache_folder() / "weights"
    paths = [str(folder / f"unet.{tag}.safetensors") for tag in "ab"]
    assert capsys.readouterr().out.splitlines() == paths
    assert states(capsys)["unet.a"] == "cached"
    assert documents(capsys)["unet.b"]["pinned"] is not None
    assert documents(capsys)["unet.b"]["sha256"] == SHA256


@pytest.mark.parametrize("options", [["--offline"], []])
def test_fetch_offline_asks_nobody(listed, server, capsys, monkeypatch, options):
    """By the option, or for every command by the environment."""
    listed(a={"urls": [server.url], "sha256": SHA256})
    if not options:
        monkeypatch.setenv("B2B_OFFLINE", "1")
    assert run(["weights", "fetch", "unet.a", *options]) == 2
    assert "not in the cache" in capsys.readouterr().err
    assert server.asked == []


def test_fetch_needs_acceptance(listed, server, capsys):
    """The command that the refusal prints is the one that works."""
    listed(a={"urls": [server.url], "sha256": SHA256, "licence": "LicenseRef-Academic"})
    assert run(["weights", "fetch", "unet.a"]) == 2
    said = capsys.readouterr().err.strip()
    assert "LicenseRef-Academic" in said
    command = said.partition("if you accept that: b2b ")[2]
    assert run(command.split()) == 0
    assert server.asked == [None]


def test_fetch_fails_with_the_name(listed, capsys):
    """An unknown name gets the closest one."""
    listed(a={"urls": ["https://x.org/w"]})
    assert run(["weights", "fetch", "unet.strater"]) == 2
    assert "did you mean 'unet.starter'?" in capsys.readouterr().err


def test_verify_reads_what_is_at_hand(listed, server, capsys):
    """Installed and cached files are hashed; what is not there is no fault."""
    listed(a={"urls": [server.url], "sha256": SHA256}, b={"urls": [server.url]})
    assert run(["weights", "fetch", "unet.a", "unet.b"]) == 0
    capsys.readouterr()
    assert run(["weights", "verify"]) == 0
    verdicts = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert ["ok", "unet.a:"] in verdicts
    assert ["pinned", "unet.b:"] in verdicts
    assert ["ok", "unet.starter:"] in verdicts
    assert not any("nafnet" in name for _, name in verdicts)


def test_verify_finds_a_changed_byte(listed, server, capsys):
    """Exit code 1; the line has the command that mends it, and that command does."""
    listed(a={"urls": [server.url], "sha256": SHA256, "bytes": len(CONTENT)})
    put("unet.a.safetensors", CONTENT[:-1] + b"?")
    assert states(capsys)["unet.a"] == "cached"  # a listing looks at the length only
    assert run(["weights", "verify"]) == 1
    line = next(x for x in capsys.readouterr().out.splitlines() if x.startswith("damaged"))
    assert "unet.a: its sha256 is" in line
    assert line.endswith("; b2b weights fetch unet.a")
    assert run(["weights", "fetch", "unet.a"]) == 0
    assert run(["weights", "verify", "unet.a"]) == 0


def test_verify_finds_a_changed_file_of_a_plugin(listed, install, tmp_path, capsys):
    """The mend is to install the plugin again."""
    path = tmp_path / "w.safetensors"
    path.write_bytes(CONTENT[::-1])
    install(
        "acme-ships",
        "from pathlib import Path\nfrom b2b_core import hookimpl\n"
        "@hookimpl\ndef b2b_resolve_weights(name):\n"
        f"    return Path({str(path)!r}) if name == 'unet.a' else None\n",
    )
    listed(a={"distribution": "acme-ships", "sha256": SHA256})
    assert run(["weights", "verify", "unet.a"]) == 1
    assert "pip install --force-reinstall acme-ships" in capsys.readouterr().out
    path.unlink()
    assert run(["weights", "verify", "unet.a"]) == 1
    assert "the file is missing" in capsys.readouterr().out


def test_verify_finds_a_pinned_file_that_changed(listed, server, capsys):
    """The pin of the first file stands in for a published hash."""
    listed(a={"urls": [server.url]})
    assert run(["weights", "fetch", "unet.a"]) == 0
    put("unet.a.safetensors", CONTENT[::-1])
    assert run(["weights", "verify", "unet.a"]) == 1
    assert "not the one of 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "said"), [("unet.a", "not at hand: not fetched"), ("unet.x", "no weights 'unet.x'")]
)
def test_verify_refuses_what_is_not_there(listed, capsys, name, said):
    """Named weights have to exist and to be at hand."""
    listed(a={"urls": ["https://x.org/w"], "sha256": SHA256})
    assert run(["weights", "verify", name]) == 2
    assert said in capsys.readouterr().err


def test_a_wrong_preference_is_one_line(listed, capsys, tmp_path):
    """Every command of the group names the file and the entry."""
    listed(a={"urls": ["http://x.org/w"]})
    for command in (["list"], ["verify"], ["fetch", "unet.a"]):
        assert run(["weights", *command]) == 2
        said = capsys.readouterr().err
        assert "weights 'unet.a' have a url that is not https" in said
        assert str(tmp_path / "config" / "b2b.toml") in said
        assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("length", "text"), [(None, "–"), (12, "12 B"), (4_385_900, "4.4 MB"), (2e9, "2.0 GB")]
)
def test_sizes_are_readable(length, text):
    """In decimal units, as publishers print them."""
    assert readable_size(length) == text
