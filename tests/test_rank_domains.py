"""`b2b rank-domains`: the domain with the camera's blur comes first; what is missing is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import convolve1d, correlate, uniform_filter
from torch import Tensor, nn

from b2b_core.adaptation.nearness import BATCHES, BatchKernels, Distance, Nearness
from b2b_core.adaptation.settings import DomainSettings
from b2b_core.cli import run
from b2b_core.cli.rank_domains import adapt_line
from b2b_core.data.pictures import load_pictures
from b2b_core.specs import SizeRule
from b2b_core.training.precision import Numerics

#: Of the pictures, in pixels.
SIDE = 144


def texture(seed):
    """Return a picture whose spectrum falls about as a photograph's does, with edges."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)[None])
    falls = (frequency + 1 / SIDE) ** rng.uniform(0.8, 1.4)
    clouds = np.fft.ifft2(np.fft.fft2(rng.normal(size=(SIDE, SIDE))) / falls).real
    cells = int(rng.choice([6, 9, 12, 18]))
    blocks = np.kron(rng.random((cells, cells)), np.ones((SIDE // cells, SIDE // cells)))
    grey = clouds / clouds.std() + rng.uniform(0.5, 4) * blocks
    return np.clip((grey - grey.mean()) / grey.std() * 45 + 128, 0, 255)


def along(picture):
    """Return a picture under motion of 7 pixels along its rows."""
    return convolve1d(picture, np.full(7, 1 / 7), axis=1, mode="mirror")


def wide(picture):
    """Return a picture far out of focus."""
    return uniform_filter(picture, 9, mode="mirror")


def unblurred(picture):
    """Return the picture itself."""
    return picture


def save(path, grey):
    """Write a grey picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.repeat(grey.round().astype(np.uint8)[..., None], 3, -1)).save(path)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Write a camera with motion along the rows, a sharp one, and pairs of both blurs."""
    root = tmp_path_factory.mktemp("rank")
    for blur in (along, wide):
        for number in range(6):
            sharp = texture(200 + number)
            # the layout of GoPro, and that of the starter domain
            for place in ("train/GOPR0001_01_00/{}/{}.png", "{}/scene-{}/1.png"):
                kinds = ("blur", "sharp") if place.startswith("train") else ("blurry", "sharp")
                for kind, made in zip(kinds, (blur(sharp), sharp), strict=True):
                    save(root / blur.__name__ / place.format(kind, number), made)
    for number in range(12):
        save(root / "sharp" / f"{number}.png", texture(number))
        save(root / "blurry" / f"{number}.png", along(texture(100 + number)))
        save(root / "not-blurry" / f"{number}.png", texture(100 + number))
    return root


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Measure few small kernels and few crops, and let only the plugins of the tests in."""
    for name, value in (
        ("adaptation.ranking.KERNELS", 8), ("adaptation.ranking.KERNEL", 11),
        ("adaptation.nearness.BLURRED", 16), ("adaptation.nearness.RESTORED", 4),
        ("spectra.CROPS", 192),
    ):  # fmt: skip
        monkeypatch.setattr(f"b2b_core.{name}", value)
    monkeypatch.setenv("B2B_PLUGINS", "starter,gopro")


def said(data, *options, blurry="blurry"):
    """Return the words of a call."""
    folders = ["--blurry", str(data / blurry), "--sharp", str(data / "sharp")]
    return ["rank-domains", *folders, "--device", "cpu", "--precision", "float32", *options]


def roots(data, starter, gopro):
    """Return the options that give two domains their pairs."""
    return [
        f"--domain-root={name}={data / blur}" for name, blur in
        (("starter", starter), ("gopro", gopro))
    ]  # fmt: skip


def ranked(capsys, *words):
    """Run the command and return its JSON."""
    assert run([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(("first", "second"), [("starter", "gopro"), ("gopro", "starter")])
def test_the_domain_with_the_cameras_blur_is_first(data, capsys, first, second):
    """Whatever its name: its distance is near zero, the other's and that of no blur are not."""
    blurs = {first: "along", second: "wide"}
    made = ranked(capsys, *said(data, *roots(data, blurs["starter"], blurs["gopro"])))
    near, far = made["domains"]
    assert (near["name"], far["name"], made["nearest"]) == (first, second, first)
    assert made["as_near"] == []
    assert near["blur"]["mean"] < 0.2 * min(far["blur"]["mean"], made["no_blur"]["blur"]["mean"])
    assert (near["pairs"], far["pairs"]) == ((5, 6) if first == "starter" else (6, 5))
    folders = f"{data / 'blurry'} {data / 'sharp'}"
    assert made["command"] == (
        f"b2b adapt {folders} --domain {first} --domain-root {data / 'along'} -o runs/mine"
    )


def test_the_table_says_what_to_take(data, capsys):
    """Rows in order of the distance, no blur among them; the last line can be typed."""
    assert run(said(data, *roots(data, "wide", "along"))) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["domain", "blur"]
    order = [line.split("  ")[0] for line in lines[1:4]]
    assert order[0] == "gopro"
    assert sorted(order[1:]) == ["(no blur)", "starter"]
    assert lines[-2].startswith("Take 'gopro': its blur is the nearest")
    assert lines[-1].startswith("  b2b adapt ")
    assert f"--domain gopro --domain-root {data / 'along'} -o" in lines[-1]


def test_no_domain_is_near_a_camera_without_blur(data, capsys):
    """Blurry pictures that are sharp have no blur near them; the yardstick decides."""
    words = said(data, *roots(data, "wide", "along"), blurry="not-blurry")
    made = ranked(capsys, *words)
    assert (made["nearest"], made["command"]) == (None, None)
    assert made["verdict"].startswith("None is near")
    assert made["domains"][0]["blur"]["mean"] > 2 * made["no_blur"]["blur"]["mean"]


def test_the_same_seed_gives_the_same_numbers(data, capsys):
    """Two runs agree in every digit, another seed does not."""
    words = said(data, f"--domain-root=starter={data / 'along'}")
    first = ranked(capsys, *words)
    assert ranked(capsys, *words) == first
    assert ranked(capsys, *words, "--seed", "5")["no_blur"] != first["no_blur"]


def test_what_is_missing_is_said(data, capsys, install, monkeypatch):
    """Domains without pairs, with a broken plugin and without weights are remarks, no failures."""
    source = """
from attrs import frozen
from b2b_core import hookimpl
from b2b_core.specs import DomainSpec

@frozen
class Config:
    pass

class Product:
    def __init__(self, config):
        pass
    def default_root(self):
        raise ValueError("no idea")
    def pairs(self, root, split):
        return []

@hookimpl
def b2b_domains():
    return [DomainSpec(name="odd", config=Config, factory=Product, summary="odd", layout="ROOT")]
"""
    install("acme-odd", source)
    monkeypatch.setenv("B2B_PLUGINS", "starter,gopro,reds,acme-odd")
    monkeypatch.setenv("B2B_CACHE", str(data / "no-cache"))
    made = ranked(capsys, *said(data, f"--domain-root=starter={data / 'along'}"))
    remarks = {domain["name"]: " | ".join(domain["remarks"]) for domain in made["domains"]}
    assert made["nearest"] == "starter"
    assert "ValueError: no idea" in remarks["odd"]
    assert "no deblurrer of its own" in remarks["odd"]
    assert "b2b train deblurrer --domain odd" in remarks["odd"]
    assert "--domain-root gopro=DIR (from https://" in remarks["gopro"]
    assert "b2b weights fetch nafnet.reds-width64" in remarks["reds"]
    # its weights are there, the plugin of the network is not
    assert "b2b-plugin-unet" in remarks["starter"]


def test_the_deblurrers_at_hand_are_measured(data, capsys, monkeypatch):
    """Also that of a domain without pairs; the pictures as they are give the yardstick."""
    monkeypatch.setenv("B2B_PLUGINS", "starter,gopro,unet")
    made = ranked(capsys, *said(data, f"--domain-root=starter={data / 'along'}"))
    found = {domain["name"]: domain for domain in made["domains"]}
    assert found["gopro"]["blur"] is None
    for domain in found.values():
        assert np.isfinite(domain["restored"]["mean"])
    assert found["starter"]["restored"] != made["no_blur"]["restored"]


def test_a_configuration_may_name_root_and_deblurrer(data, tmp_path, capsys):
    """A file for `b2b adapt` counts here; what it insists on and is not there is an error."""
    config = tmp_path / "adapt.toml"
    config.write_text(
        f'run.seed = 4\n[domain]\nname = "gopro"\nroot = "{data / "along"}"\n'
        '[domain.options]\nblur = "blur"\n'
    )
    words = said(data, "--config", str(config), f"--domain-root=starter={data / 'wide'}")
    made = ranked(capsys, *words)
    assert (made["nearest"], made["seed"]) == ("gopro", 4)
    assert "--set 'domain.options.blur=\"blur\"'" in made["command"]
    config.write_text(config.read_text().replace('"blur"', '"blur_gamma"'))
    assert run(words) == 2
    assert "blur_gamma" in capsys.readouterr().err


def test_a_domain_without_a_deblurrer_asks_for_one():
    """The line to type has a place for the file that has to be given."""
    from b2b_core.adaptation.at_hand import KnownDomain
    from b2b_core.adaptation.ranking import RankedDomain
    from b2b_core.adaptation.settings import AdaptSettings, DataSettings

    settings = AdaptSettings(data=DataSettings(blurry=Path("B"), sharp=Path("my S")))
    known = KnownDomain(name="mine", said=DomainSettings(name="mine"), deblurrer=None)
    assert adapt_line(RankedDomain(known=known), settings) == (
        "b2b adapt B 'my S' --domain mine --deblurrer FILE -o runs/mine"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--blurry=nowhere"], "there is no such folder (nowhere)"),
        (["--domain-root=gopro"], "'gopro' is not like NAME=DIR"),
        (["--domain-root=gpro=x"], "did you mean 'gopro'?"),
        (["--domain-root=gopro=nowhere"], "no such folder for domain 'gopro'"),
    ],
)
def test_wrong_use_is_one_line(data, capsys, options, message):
    """Folders that are not there, misspelt names and options: exit code 2."""
    assert run(said(data, *options)) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err


def test_small_pictures_are_refused(data, tmp_path, capsys):
    """A picture that no crop fits in is named."""
    save(tmp_path / "tiny.png", texture(0)[:60])
    assert run(said(data, "--sharp", str(tmp_path))) == 2
    assert "1 sharp picture(s) smaller than the 64 pixels" in capsys.readouterr().err


def test_few_pictures_are_pointed_out(data, tmp_path, capsys):
    """The numbers are there, with a line that says what makes them doubtful."""
    for number in range(3):
        save(tmp_path / f"{number}.png", along(texture(100 + number)))
    assert (
        run(said(data, "--blurry", str(tmp_path), f"--domain-root=starter={data / 'along'}")) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("Mind: only 3 blurry pictures")]
    assert not [line for line in lines if "sharp pictures: the scenes" in line]


def test_no_domain_at_hand_is_an_error(data, capsys, monkeypatch):
    """Without any pairs there is nothing to rank; the line says how to give them."""
    monkeypatch.setenv("B2B_PLUGINS", "gopro")
    assert run(said(data)) == 2
    assert "--domain-root gopro=DIR" in capsys.readouterr().err


def test_pairs_without_a_measurable_blur_are_an_error(data, tmp_path, capsys, monkeypatch):
    """Where no kernel explains any pair, and no other domain is there, the reason is given."""
    monkeypatch.setenv("B2B_PLUGINS", "gopro")
    monkeypatch.setattr("b2b_core.adaptation.ranking.KERNELS", 1)
    for kind, number in (("blur", 1), ("sharp", 2)):
        save(tmp_path / "train/GOPR0001_01_00" / kind / "1.png", texture(number))
    assert run(said(data, f"--domain-root=gopro={tmp_path}")) == 2
    assert "no patch of the pairs of 'gopro'" in capsys.readouterr().err


def test_mean_and_error_of_a_distance():
    """As numpy says, and the difference of two is taken batch by batch."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 8))
    made = Distance(tuple(first))
    assert made.mean == pytest.approx(first.mean())
    assert made.error == pytest.approx(first.std(ddof=1) / 8**0.5)
    assert made.beyond(Distance(tuple(second))).batches == pytest.approx(first - second)


def test_each_batch_has_its_own_kernels():
    """No kernel is in two batches, each is used once as it is and then mirrored."""
    rng = np.random.default_rng(1)
    bank = rng.random((2 * BATCHES, 5, 5))
    source = BatchKernels(torch.from_numpy(bank))
    pictures = rng.random((4, 1, 24, 24))
    for step in (0, 3):
        own = [bank[step], bank[step + BATCHES]]
        kernels = [*own, *(kernel[:, ::-1] for kernel in own)]
        expected = [
            correlate(p[0], k, mode="mirror") for p, k in zip(pictures, kernels, strict=True)
        ]
        made = source.blur(torch.from_numpy(pictures), step)
        assert np.allclose(made[:, 0].numpy(), np.stack(expected))


class Seen(nn.Module):
    """Gives back what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: set[tuple[int, ...]] = set()

    def forward(self, image: Tensor) -> Tensor:
        self.sizes.add(tuple(image.shape[-2:]))
        return image


def test_a_deblurrer_that_does_nothing_leaves_the_yardstick(data):
    """It gets sizes that it takes; its distance is that of the pictures as they are."""
    pictures = [load_pictures(data / role, role, 1) for role in ("blurry", "sharp")]
    nearness = Nearness(*pictures, 0, Numerics("cpu", "float32"))
    network = Seen()
    made = nearness.of_deblurrer(network, SizeRule(multiple_of=64))
    assert network.sizes == {(128, 128)}
    assert made.batches == nearness.unrestored().batches
    assert made.mean > 0.3
