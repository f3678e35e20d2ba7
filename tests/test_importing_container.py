"""Containers of weights: told apart by content, read safely, refused without running anything."""

from __future__ import annotations

import collections
import io
import os
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from b2b_core.errors import B2bError, UsageError
from b2b_core.importing.container import format_of, read_container


class Bomb:
    """Makes the file `path` when it is unpickled carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def zipped(path, content):
    """Write PyTorch's format of today."""
    torch.save(content, path)


def legacy(path, content):
    """Write PyTorch's format before 1.6."""
    torch.save(content, path, _use_new_zipfile_serialization=False)


def pickled(path, content):
    """Write a bare pickle."""
    path.write_bytes(pickle.dumps(content, protocol=2))


def in_tar(path, content):
    """Write a pickle in a tar archive, the format of PyTorch's first releases."""
    data = pickle.dumps(content, protocol=2)
    entry = tarfile.TarInfo("pickle")
    entry.size = len(data)
    with tarfile.open(path, "w") as archive:
        archive.addfile(entry, io.BytesIO(data))


BOMBS = {
    "zip.pth": zipped,
    "zip.pt": zipped,
    "zip.ckpt": zipped,
    "zip.safetensors": zipped,
    "legacy.pth": legacy,
    "legacy.ckpt": legacy,
    "legacy.safetensors": legacy,
    "bare.pkl": pickled,
    "bare.safetensors": pickled,
    "old.pth.tar": in_tar,
    "newer.pkl": lambda path, content: path.write_bytes(pickle.dumps(content, protocol=5)),
    "ascii.pkl": lambda path, content: path.write_bytes(pickle.dumps(content, protocol=0)),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_pickle_bomb_is_refused_and_not_run(tmp_path, name, wrapped):
    """Whatever the container and its ending, nothing is run, and one line says so."""
    sentinel, path = tmp_path / "sentinel", tmp_path / name
    bomb = Bomb(sentinel)
    BOMBS[name](path, {"params": {"a": torch.ones(1)}, "x": bomb} if wrapped else bomb)
    with pytest.raises(UsageError) as caught:
        read_container(path)
    assert not sentinel.exists()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.mend


def test_the_bombs_of_these_tests_are_armed(tmp_path):
    """A careless reader would run them, so that the refusals above mean something."""
    pickle.loads(pickle.dumps(Bomb(tmp_path / "sentinel")))
    assert (tmp_path / "sentinel").exists()


@pytest.mark.parametrize("write", [zipped, legacy])
def test_the_refusal_names_what_the_file_wants(tmp_path, write):
    """The line names the function or class that the file asks for, and the way out."""
    write(tmp_path / "a.pth", {"x": Bomb(tmp_path / "s")})
    with pytest.raises(UsageError, match=rf"wants to run code \('{os.system.__module__}\.system'"):
        read_container(tmp_path / "a.pth")
    write(tmp_path / "b.pth", nn.Conv2d(1, 1, 1))
    with pytest.raises(UsageError, match=r"Conv2d.*refused.*state_dict"):
        read_container(tmp_path / "b.pth")


def test_a_torchscript_program_is_refused(tmp_path):
    """A program is not weights; the line says what to ask for."""
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.save(torch.jit.script(nn.Conv2d(1, 1, 1)), str(tmp_path / "a.pt"))
    with pytest.raises(UsageError, match=r"TorchScript program.*not run.*state_dict"):
        read_container(tmp_path / "a.pt")


@pytest.mark.parametrize(
    ("name", "write", "expected"),
    [
        ("a.pth", zipped, "torch"),
        ("a.ckpt", zipped, "torch"),
        ("a.safetensors", zipped, "torch"),
        ("a.pkl", legacy, "torch-legacy"),
        ("a.pth", legacy, "torch-legacy"),
    ],
)
def test_the_content_tells_the_format_not_the_ending(tmp_path, name, write, expected):
    """PyTorch's files are read whatever they are called; a scheduler's Counter is plain data."""
    content = {
        "model": {"a": torch.arange(3.0)},
        "scheduler": {"milestones": collections.Counter([5, 5])},
        "epoch": 3,
    }
    write(tmp_path / name, content)
    container = read_container(tmp_path / name)
    assert format_of(tmp_path / name) == container.format == expected
    assert torch.equal(container.content["model"]["a"], torch.arange(3.0))
    assert container.content["scheduler"]["milestones"] == {5: 2}


def test_safetensors_of_others_are_read(tmp_path):
    """A safetensors file needs no description of b2b, and no ending."""
    save_file({"a": torch.ones(2)}, tmp_path / "a.bin")
    container = read_container(tmp_path / "a.bin")
    assert container.format == "safetensors"
    assert container.content["a"].tolist() == [1, 1]


@pytest.mark.parametrize("write", [zipped, legacy, lambda path, c: save_file(c["p"], path)])
@pytest.mark.parametrize("left", [0, 1, 7, 12, 40, 200, 900, 3000, -10])
def test_truncated_files(tmp_path, write, left):
    """Wherever a file is cut off, one line says that it cannot be read."""
    path = tmp_path / "a.pth"
    write(path, {"p": {"a": torch.ones(1000)}})
    assert path.stat().st_size > 3000
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(B2bError) as caught:
        read_container(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_file_is_called_damaged(tmp_path):
    """The remedy for a broken download is another download."""
    path = tmp_path / "a.pth"
    zipped(path, {"a": torch.ones(1000)})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(B2bError, match=r"damaged.*download it again"):
        read_container(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><title>Quota exceeded</title>" * 20, "no file of weights"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "no file of weights"),
    ],
)
def test_files_that_are_no_checkpoints(tmp_path, content, words):
    """A web page saved under the name of weights is not called damaged weights."""
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(UsageError, match=words):
        read_container(tmp_path / "a.pth")


def test_missing_files_and_other_archives(tmp_path):
    """A missing file, a folder, and a zip archive of something else are refused in one line."""
    for path in (tmp_path / "none.pth", tmp_path):
        with pytest.raises(UsageError, match="no such file of weights"):
            read_container(path)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("folder/readme.txt", "hello")
    with pytest.raises(B2bError, match="damaged or no PyTorch file"):
        read_container(tmp_path / "a.zip")
