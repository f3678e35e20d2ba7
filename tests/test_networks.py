"""Tests of network files and of what their reader refuses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from b2b_core.errors import B2bError, UsageError
from b2b_core.networks import load_network, read_network_header, save_network
from b2b_core.tensorfile import read_tensors


class Net(nn.Module):
    """A convolution, a buffer and a weight used twice."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3)
        self.tied = nn.Conv2d(3, width, 3)
        self.tied.weight = self.conv.weight
        self.register_buffer("seen", torch.tensor(7))


class FakeCatalogue:
    """Builds `Net` as the deblurrer "net" of the plugin b2b-plugin-net."""

    def build(self, kind, name, options):
        """Return the network, or say that it is not there."""
        if (kind, name) != ("deblurrer", "net"):
            raise UsageError(f"no installed plugin offers the {kind} '{name}'")
        return Net(**options)


def save(path: Path, module: nn.Module | None = None, **changes) -> nn.Module:
    """Write a network file and return its module."""
    module = module or Net(width=5)
    described = {
        "kind": "deblurrer",
        "component": "net",
        "options": {"width": 5},
        "facts": {"trained on": "nothing"},
        "distribution": "b2b-plugin-net",
        "version": "0.1.0",
    }
    save_network(path, module, **(described | changes))
    return module


def test_round_trip(tmp_path: Path) -> None:
    """A network is built again from its file alone, weights and buffers bit for bit."""
    path = tmp_path / "new" / "net.safetensors"
    module = save(path)
    header, loaded = load_network(path, FakeCatalogue(), "deblurrer")
    assert header == read_network_header(path)
    assert header.options == {"width": 5}
    assert header.facts == {"trained on": "nothing"}
    assert (header.distribution, header.version) == ("b2b-plugin-net", "0.1.0")
    assert not loaded.training
    assert loaded.state_dict().keys() == module.state_dict().keys()
    for name, value in module.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name


def test_channels_last_weights_are_written(tmp_path: Path) -> None:
    """The memory layout that convolutions like does not end up in the file."""
    module = Net(width=5).to(memory_format=torch.channels_last)
    save(tmp_path / "net.safetensors", module)
    assert torch.equal(load_file(tmp_path / "net.safetensors")["conv.weight"], module.conv.weight)


def test_header_is_read_without_torch(tmp_path: Path) -> None:
    """A listing of network files does not pay for torch."""
    save(tmp_path / "net.safetensors")
    code = (
        "import sys; from pathlib import Path; from b2b_core.networks import read_network_header;"
        "read_network_header(Path(sys.argv[1])); sys.exit('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "net.safetensors")]
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize("left", [0, 5, 8, 9, 60, 500, -1])
def test_truncated(tmp_path: Path, left: int) -> None:
    """Wherever the file is cut off, one line says so and names it."""
    path = tmp_path / "net.safetensors"
    save(path)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(B2bError, match=r"net\.safetensors") as caught:
        read_network_header(path)
    assert "\n" not in str(caught.value)


def test_damaged_tensors(tmp_path: Path) -> None:
    """A file that safetensors refuses is damaged, not a traceback."""
    path = tmp_path / "net.safetensors"
    save(path)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(B2bError, match=r"damaged.*again"):
        read_tensors(path)


def test_other_files(tmp_path: Path) -> None:
    """A missing file, a pickle, a foreign safetensors file and another b2b file are told apart."""
    with pytest.raises(UsageError, match="no such network file"):
        read_network_header(tmp_path / "none.safetensors")
    torch.save({"a": 1}, tmp_path / "pickle.pth")
    with pytest.raises(UsageError, match="not a safetensors file"):
        read_network_header(tmp_path / "pickle.pth")
    path = tmp_path / "foreign.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(UsageError, match="no network file of b2b"):
        read_network_header(path)
    save_file({"a": torch.zeros(1)}, path, metadata={"b2b": "not json"})
    with pytest.raises(UsageError, match="no network file of b2b"):
        read_network_header(path)
    described = {"format": "1", "holds": "camera profile"}
    save_file({"a": torch.zeros(1)}, path, metadata={"b2b": json.dumps(described)})
    with pytest.raises(UsageError, match="this is a camera profile, but a network file is needed"):
        read_network_header(path)
    described = {"format": "1", "holds": "network file", "kind": "deblurrer"}
    save_file({"a": torch.zeros(1)}, path, metadata={"b2b": json.dumps(described)})
    with pytest.raises(B2bError, match="does not say its 'component'"):
        read_network_header(path)


def test_other_format_version(tmp_path: Path) -> None:
    """A file of a later b2b is refused, with the update as the remedy."""
    described = {"format": "2", "holds": "network file"}
    path = tmp_path / "later.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={"b2b": json.dumps(described)})
    with pytest.raises(B2bError, match=r"format 2, this b2b reads 1.*pip install -U b2b-core"):
        read_network_header(path)


def test_wrong_kind(tmp_path: Path) -> None:
    """A deblurrer is not taken for a translator."""
    save(tmp_path / "net.safetensors")
    with pytest.raises(UsageError, match="holds a deblurrer, but a translator is needed"):
        load_network(tmp_path / "net.safetensors", FakeCatalogue(), "translator")


def test_component_not_installed(tmp_path: Path) -> None:
    """A component that is not installed is named with the line that installs it."""
    save(tmp_path / "net.safetensors", component="other", distribution="b2b-plugin-other")
    with pytest.raises(UsageError, match=r"'other' of b2b-plugin-other.*pip install -U b2b-plug"):
        load_network(tmp_path / "net.safetensors", FakeCatalogue(), "deblurrer")


def test_full_name_decides_a_conflict(tmp_path: Path) -> None:
    """Where two plugins claim the short name, the plugin that made the file is used."""

    class Conflict(FakeCatalogue):
        def build(self, kind, name, options):
            if name == "net":
                raise UsageError(f"2 plugins offer a {kind} 'net'")
            assert name == "b2b-plugin-net:net"
            return Net(**options)

    save(tmp_path / "net.safetensors")
    load_network(tmp_path / "net.safetensors", Conflict(), "deblurrer")


def test_weights_that_do_not_fit(tmp_path: Path) -> None:
    """Missing, unexpected and differently shaped tensors are counted and named in one line."""

    class Other(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 6, 3)
            self.extra = nn.Linear(1, 1)

    save(tmp_path / "net.safetensors", Other())
    expected = (
        r"3 missing \(seen, tied.bias, tied.weight\), 2 unexpected \(extra.bias, extra.weight\),"
        r" 2 of another shape \(conv.bias, conv.weight\).*b2b-plugin-net 0\.1\.0"
    )
    with pytest.raises(B2bError, match=expected):
        load_network(tmp_path / "net.safetensors", FakeCatalogue(), "deblurrer")


def test_write_is_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails leaves the old file and nothing beside it."""
    path = tmp_path / "net.safetensors"
    save(path)
    before = path.read_bytes()

    def fail(_tensors, target, **_) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", fail)
    with pytest.raises(B2bError, match="cannot write the network file: No space left"):
        save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
