"""Tests of camera profiles."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from attrs import evolve
from safetensors.torch import load_file, save_file
from torch import nn

from b2b_core.errors import B2bError, UsageError
from b2b_core.networks import save_network
from b2b_core.profile import (
    CameraProfile,
    ProfilePart,
    PublishedWeights,
    common_size,
    load_profile,
    read_profile_header,
    save_profile,
)
from b2b_core.specs import DeblurrerSpec, SizeRule, TranslatorSpec

INSTALLED = {
    ("translator", "g"): TranslatorSpec(
        name="g",
        config=dict,
        factory=lambda options: nn.Conv2d(3, 3, **options),
        summary="",
        size=SizeRule(multiple_of=4, minimum=20),
    ),
    ("deblurrer", "d"): DeblurrerSpec(
        name="d",
        config=dict,
        factory=lambda options: nn.Conv2d(3, 3, **options),
        summary="",
        size=SizeRule(multiple_of=6),
    ),
}


class FakeCatalogue:
    """Offers a translator "g" and a deblurrer "d"."""

    def spec(self, kind, name):
        """Return a spec, or say that it is not there."""
        if (kind, name) not in INSTALLED:
            raise UsageError(f"no installed plugin offers the {kind} '{name}'")
        return INSTALLED[kind, name]

    def build(self, kind, name, options):
        """Build a convolution."""
        return self.spec(kind, name).factory(options)


def part(component: str, size: int) -> ProfilePart:
    """Describe a convolution."""
    return ProfilePart(
        component=component,
        options={"kernel_size": size},
        distribution=f"b2b-plugin-{component}",
        version="0.1.0",
    )


PROFILE = CameraProfile(
    translator=part("g", 3),
    deblurrer=part("d", 1),
    published=None,
    domain="gopro",
    scales=(0.25, 0.5, 1.0),
    strategy="reblur",
    config={"steps": 10, "crop": {"size": 256}},
    training={"psnr": 30.5, "candidates": [{"name": "task"}]},
    notes=("a note",),
    extra={"plugin": "fact"},
    created="2026-01-02T03:04:05+00:00",
)


def nothing_published(name: str) -> Path:
    """Fail: no weights should be asked for."""
    raise AssertionError(name)


def test_round_trip_with_embedded_networks(tmp_path: Path) -> None:
    """Everything a profile says and both networks come back from the one file."""
    path = tmp_path / "camera.safetensors"
    g, d = nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 1)
    save_profile(path, PROFILE, translator=g, deblurrer=d)
    assert read_profile_header(path) == evolve(PROFILE, path=path)
    loaded = load_profile(path, FakeCatalogue(), nothing_published)
    assert loaded.profile == evolve(PROFILE, path=path)
    assert torch.equal(loaded.translator.weight, g.weight)
    assert torch.equal(loaded.deblurrer.weight, d.weight)
    assert not loaded.translator.training
    assert not loaded.deblurrer.training
    assert loaded.size == SizeRule(multiple_of=12, minimum=20)
    assert sorted(load_file(path)) == [
        "deblurrer.bias",
        "deblurrer.weight",
        "translator.bias",
        "translator.weight",
    ]


def test_profile_without_translator(tmp_path: Path) -> None:
    """A fine-tuned deblurrer alone is a profile."""
    path = tmp_path / "camera.safetensors"
    d = nn.Conv2d(3, 3, 1)
    save_profile(path, evolve(PROFILE, translator=None), translator=None, deblurrer=d)
    loaded = load_profile(path, FakeCatalogue(), nothing_published)
    assert loaded.translator is None
    assert torch.equal(loaded.deblurrer.weight, d.weight)
    assert loaded.size == SizeRule(multiple_of=6)


def save_with_reference(folder: Path) -> tuple[Path, Path, nn.Module]:
    """Write a deblurrer's network file and a profile that refers to it."""
    d = nn.Conv2d(3, 3, 1)
    weights = folder / "d.safetensors"
    save_network(
        weights,
        d,
        kind="deblurrer",
        component="d",
        options={"kernel_size": 1},
        facts={},
        distribution="b2b-plugin-d",
        version="0.1.0",
    )
    published = PublishedWeights(
        name="d-gopro", sha256=hashlib.sha256(weights.read_bytes()).hexdigest()
    )
    profile = folder / "camera.safetensors"
    save_profile(
        profile,
        evolve(PROFILE, published=published),
        translator=nn.Conv2d(3, 3, 3),
        deblurrer=None,
    )
    return profile, weights, d


def test_reference_to_published_weights(tmp_path: Path) -> None:
    """A profile that refers to published weights stays small and loads them by name."""
    path, weights, d = save_with_reference(tmp_path)
    asked = []
    loaded = load_profile(path, FakeCatalogue(), lambda name: asked.append(name) or weights)
    assert asked == ["d-gopro"]
    assert torch.equal(loaded.deblurrer.weight, d.weight)
    assert all(name.startswith("translator.") for name in load_file(path))


def test_other_weights_under_the_name(tmp_path: Path) -> None:
    """Published weights with another sha256 are refused, not used."""
    path, weights, _ = save_with_reference(tmp_path)
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(B2bError, match=r"'d-gopro'.*sha256 .* expected .*camera\.safetensors"):
        load_profile(path, FakeCatalogue(), lambda _: weights)


def test_plugin_not_installed(tmp_path: Path) -> None:
    """A missing translator or deblurrer is named with the pip line, before anything is read."""
    path = tmp_path / "camera.safetensors"
    for kind, profile in (
        ("translator", evolve(PROFILE, translator=part("new-g", 3))),
        ("deblurrer", evolve(PROFILE, deblurrer=part("new-d", 1))),
    ):
        save_profile(path, profile, translator=nn.Conv2d(3, 3, 3), deblurrer=nn.Conv2d(3, 3, 1))
        with pytest.raises(UsageError, match=f"needs the {kind} 'new-.*pip install -U b2b-plugin-"):
            load_profile(path, FakeCatalogue(), nothing_published)


def test_truncated(tmp_path: Path) -> None:
    """A truncated profile says that its end is missing."""
    path = tmp_path / "camera.safetensors"
    save_profile(path, PROFILE, translator=nn.Conv2d(3, 3, 3), deblurrer=nn.Conv2d(3, 3, 1))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(B2bError, match="camera profile is damaged: its last 100 bytes are missing"):
        read_profile_header(path)


def test_other_format_version(tmp_path: Path) -> None:
    """A profile of a later b2b is refused, with the update as the remedy."""
    path = tmp_path / "camera.safetensors"
    described = {"format": "2", "holds": "camera profile"}
    save_file({"a": torch.zeros(1)}, path, metadata={"b2b": json.dumps(described)})
    with pytest.raises(B2bError, match="has format 2, this b2b reads 1"):
        read_profile_header(path)
    described["format"] = "1"
    save_file({"a": torch.zeros(1)}, path, metadata={"b2b": json.dumps(described)})
    with pytest.raises(B2bError, match=r"incomplete \('translator'\)"):
        read_profile_header(path)


def test_network_file_is_no_profile(tmp_path: Path) -> None:
    """The two kinds of file are not mixed up."""
    _, weights, _ = save_with_reference(tmp_path)
    with pytest.raises(UsageError, match="this is a network file, but a camera profile is needed"):
        read_profile_header(weights)


def test_weights_that_do_not_fit(tmp_path: Path) -> None:
    """Weights of another shape than the installed component's are refused."""
    path = tmp_path / "camera.safetensors"
    save_profile(path, PROFILE, translator=nn.Conv2d(3, 3, 5), deblurrer=nn.Conv2d(3, 3, 1))
    with pytest.raises(B2bError, match=r"1 of another shape \(weight\).*b2b-plugin-g 0\.1\.0"):
        load_profile(path, FakeCatalogue(), nothing_published)


def test_description_and_modules_must_agree(tmp_path: Path) -> None:
    """A described translator must be given; a deblurrer is embedded or referred to, not both."""
    path = tmp_path / "camera.safetensors"
    d = nn.Conv2d(3, 3, 1)
    with pytest.raises(ValueError, match="translator"):
        save_profile(path, PROFILE, translator=None, deblurrer=d)
    with pytest.raises(ValueError, match="deblurrer"):
        save_profile(path, PROFILE, translator=d, deblurrer=None)
    with pytest.raises(ValueError, match="plain data"):
        save_profile(path, evolve(PROFILE, config={"a": path}), translator=d, deblurrer=d)
    assert not path.exists()


def test_header_is_read_without_torch(tmp_path: Path) -> None:
    """Showing a profile does not pay for torch."""
    path = tmp_path / "camera.safetensors"
    save_profile(path, PROFILE, translator=nn.Conv2d(3, 3, 3), deblurrer=nn.Conv2d(3, 3, 1))
    code = (
        "import sys; from pathlib import Path; from b2b_core.profile import read_profile_header;"
        "read_profile_header(Path(sys.argv[1])); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 0


@pytest.mark.parametrize("size", range(1, 60))
def test_common_size_fits_both(size: int) -> None:
    """A length that fits the common rule fits every rule it was made of."""
    rules = [SizeRule(multiple_of=4, minimum=20), SizeRule(multiple_of=6), SizeRule(minimum=31)]
    fitted = common_size(*rules).fit(size)
    assert fitted >= size
    assert all(rule.fit(fitted) == fitted for rule in rules)
