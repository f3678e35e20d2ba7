"""Files laid out as published, with random weights: opened, converted, refused, written."""

from __future__ import annotations

import os
from collections import Counter

import pytest
import torch
from safetensors.torch import load_file, save_file

from b2b_core.catalogue import discover
from b2b_core.errors import B2bError, UsageError
from b2b_core.hashing import sha256_of
from b2b_core.importing.opening import open_published, write_network
from b2b_core.networks import fingerprint, load_network, read_network_header

NAFNET = {"width": 4, "middle": 1, "encoders": [1, 1], "decoders": [1, 1]}
RESTORMER = {"dim": 8, "blocks": [1, 1, 1, 1], "refinement": 1, "heads": [1, 2, 4, 8]}
MIMO = {"width": 8, "blocks": 1}
EXTRACTOR = {
    "width": 8, "code_channels": 16, "front_blocks": 1, "back_blocks": 1, "code_blocks": 1,
    "downsamplings": 2,
}  # fmt: skip
OPTIMISER = {"state": {0: {"step": torch.ones(1)}}, "param_groups": [{"lr": 1e-3}]}


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """Keep cache and preferences of this machine out, and draw the same numbers in every test."""
    monkeypatch.setenv("B2B_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path / "config"))
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def catalogue():
    """Return the installed plugins."""
    return discover()


def random_state(catalogue, kind, component, options):
    """Return the state dict of a network, all of it random."""
    state = catalogue.build(kind, component, options).state_dict()
    return {name: torch.randn_like(value) for name, value in state.items()}


def as_params(state, path):
    """Write NAFNet's and Restormer's files."""
    torch.save({"params": state}, path)


def as_old_model(state, path):
    """Write MIMO-UNet's files: a pickle of old, with what the training needs."""
    scheduler = {"milestones": Counter([500]), "last_epoch": 3}
    content = {"model": state, "optimizer": OPTIMISER, "scheduler": scheduler, "epoch": 3}
    torch.save(content, path, _use_new_zipfile_serialization=False)


def bare(state, path):
    """Write the files of Blur2Blur's G, KernelWizard and torchvision."""
    torch.save(state, path)


def doubly_wrapped(state, path):
    """Write Blur2Blur's D: one `module.` is left over."""
    torch.save({f"module.{name}": value for name, value in state.items()}, path)


def lightning(state, path):
    """Write a checkpoint of PyTorch Lightning."""
    state = {f"net.{name}": value for name, value in state.items()}
    torch.save({"state_dict": state, "epoch": 1, "optimizer_states": [OPTIMISER]}, path)


def mirrored(state, path):
    """Write a safetensors file as third parties do."""
    save_file(state, path, metadata={"format": "pt"})


FILES = {
    "NAFNet-GoPro.pth": (as_params, "deblurrer", "nafnet", NAFNET),
    "nafnet.ckpt": (lightning, "deblurrer", "nafnet", NAFNET),
    "nafnet.safetensors": (mirrored, "deblurrer", "nafnet", NAFNET),
    "motion_deblurring.pth": (as_params, "deblurrer", "restormer", RESTORMER),
    "MIMO-UNet.pkl": (as_old_model, "deblurrer", "mimo-unet", MIMO),
    "MIMO-UNetPlus.pkl": (as_old_model, "deblurrer", "mimo-unet", {"width": 8, "plus": True}),
    "latest_net_G.pth": (bare, "translator", "mimo-unet", MIMO),
    "latest_net_D.pth": (doubly_wrapped, "discriminator", "patchgan", {"width": 4}),
    "GOPRO_woVAE.pth": (bare, "kernel-extractor", "kernel-space", EXTRACTOR),
    "GOPRO_wVAE.pth": (bare, "kernel-extractor", "kernel-space", EXTRACTOR | {"vae": True}),
    "unet.pt": (bare, "deblurrer", "unet", {"width": 4, "levels": 2, "blocks": 1}),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_laid_out_as_published_is_imported(tmp_path, catalogue, name):
    """From the container of its publisher to a network file: weights and options are the same."""
    write, kind, component, options = FILES[name]
    state = random_state(catalogue, kind, component, options)
    path, out = tmp_path / name, tmp_path / "new" / "out.safetensors"
    write(state, path)
    opened = open_published(path, catalogue, kind=None if kind == "deblurrer" else kind)
    assert opened.parameters == sum(value.numel() for value in state.values())
    write_network(opened, out, catalogue)
    header, network = load_network(out, catalogue, kind)
    assert header.component == component
    assert {key: header.options[key] for key in options} == options
    assert header.distribution == catalogue.owner(kind, component).distribution
    assert header.facts["source"] == name
    assert header.facts["source_sha256"] == sha256_of(path) == fingerprint(out)
    assert header.facts["licence"] == "unknown; see where you got it"
    loaded = network.state_dict()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[key], state[key]) for key in state)


@pytest.mark.parametrize("name", FILES)
def test_damaged_copies_are_refused_with_the_names(tmp_path, catalogue, name):
    """The same file with a key missing, added or of another shape is refused; the key is named."""
    write, kind, component, options = FILES[name]
    state = random_state(catalogue, kind, component, options)
    key = list(state)[-1]
    for changed in (
        {k: v for k, v in state.items() if k != key},
        {**state, "zzz.weight": torch.zeros(1)},
        {**state, key: torch.zeros(7, 7)},
    ):
        write(changed, tmp_path / name)
        wrong = "zzz.weight" if "zzz.weight" in changed else key
        with pytest.raises(UsageError, match=rf"knows this network; nearest: .*{wrong}"):
            open_published(tmp_path / name, catalogue)


@pytest.mark.parametrize(("variant", "extra"), [("vgg16", 2), ("vgg19", 3)])
def test_torchvision_files_are_imported_without_what_is_not_used(
    tmp_path, catalogue, variant, extra
):
    """Classifier and layers behind the deepest tap are left out, which is said."""
    whole = catalogue.build(
        "feature-extractor", variant, {"taps": ["pool5"], "layer_weights": [1.0]}
    ).state_dict()
    state = {name: torch.ones(1).expand(value.shape) for name, value in whole.items()}
    for place, size in ((0, (4096, 25088)), (3, (4096, 4096)), (6, (1000, 4096))):
        state[f"classifier.{place}.weight"] = torch.ones(1).expand(size)
        state[f"classifier.{place}.bias"] = torch.ones(size[0])
    torch.save(state, tmp_path / f"{variant}.pth")
    opened = open_published(tmp_path / f"{variant}.pth", catalogue)
    assert opened.match.offer.spec.name == variant
    (remark,) = opened.remarks
    assert remark.startswith(f"{6 + 2 * extra} tensors left out that this network does not use")
    deeper = {"taps": ["pool5"], "layer_weights": [1.0]}
    opened = open_published(tmp_path / f"{variant}.pth", catalogue, options=deeper)
    assert opened.tensors.keys() == whole.keys()
    out = tmp_path / "out.safetensors"
    write_network(opened, out, catalogue)
    built = catalogue.build("feature-extractor", variant, {"weights": str(out)})
    assert all(bool((value == 1).all()) for value in built.state_dict().values())
    torch.save({**state, "features.1.weight": torch.ones(1)}, tmp_path / "odd.pth")
    with pytest.raises(UsageError, match=r"1 unexpected \(features\.1\.weight\)"):
        open_published(tmp_path / "odd.pth", catalogue)


@pytest.fixture
def state(catalogue):
    """Return the weights of a tiny NAFNet."""
    return random_state(catalogue, "deblurrer", "nafnet", NAFNET)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_number_formats_become_float32(tmp_path, catalogue, state, dtype):
    """The numbers are those of the file, in float32; a remark says so."""
    stored = {name: value.to(dtype) for name, value in state.items()}
    torch.save(stored, tmp_path / "a.pth")
    opened = open_published(tmp_path / "a.pth", catalogue)
    assert all(torch.equal(opened.tensors[name], stored[name].float()) for name in state)
    assert {value.dtype for value in opened.tensors.values()} == {torch.float32}
    words = str(dtype).removeprefix("torch.")
    assert opened.remarks == (f"{len(state)} tensors converted from {words} to float32",)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e300])
def test_weights_that_are_no_numbers(tmp_path, catalogue, state, bad):
    """A value that is not finite, or not in float32, is refused with the tensor's name."""
    state["middle_blks.0.conv3.bias"] = state["middle_blks.0.conv3.bias"].double()
    state["middle_blks.0.conv3.bias"][1] = bad
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(B2bError, match=r"'middle_blks\.0\.conv3\.bias' has values that are no fin"):
        open_published(tmp_path / "a.pth", catalogue)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.to(torch.int8),
        lambda x: x.to_sparse(),
        lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.qint8),
        lambda x: x.to("meta"),
        lambda x: x.to(torch.complex64),
    ],
    ids=["int8", "sparse", "quantised", "without numbers", "complex"],
)
@pytest.mark.filterwarnings("ignore")
def test_numbers_of_another_kind(tmp_path, catalogue, state, change):
    """Quantised and sparse weights are refused with the tensor's name, not guessed at."""
    state["intro.weight"] = change(state["intro.weight"])
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(UsageError, match=r"'intro\.weight' holds .*float32, neither quantised"):
        open_published(tmp_path / "a.pth", catalogue)


def test_the_moving_average_and_the_other(tmp_path, catalogue, state):
    """Of `params` and `params_ema` the average is taken unless another member is said."""
    zeros = {name: torch.zeros_like(value) for name, value in state.items()}
    torch.save({"params": zeros, "params_ema": state}, tmp_path / "a.pth")
    average = open_published(tmp_path / "a.pth", catalogue)
    assert torch.equal(average.tensors["intro.weight"], state["intro.weight"])
    assert "taken from 'params_ema'" in average.remarks[0]
    other = open_published(tmp_path / "a.pth", catalogue, member="params")
    assert not other.tensors["intro.weight"].any()


def test_options_that_shapes_do_not_show(tmp_path, catalogue, state):
    """A test-time window is set by name; options that the file contradicts are refused."""
    torch.save(state, tmp_path / "a.pth")
    opened = open_published(tmp_path / "a.pth", catalogue, options={"tlc_window": 384})
    assert opened.match.options["tlc_window"] == 384
    with pytest.raises(UsageError, match=r"with these options it does not fit.*of another shape"):
        open_published(tmp_path / "a.pth", catalogue, options={"width": 8})
    with pytest.raises(UsageError, match=r"'tlc_windw'.*did you mean 'tlc_window'"):
        open_published(tmp_path / "a.pth", catalogue, options={"tlc_windw": 384})


def test_our_own_files_need_no_import(tmp_path, catalogue, state):
    """A network file is named as such, under whatever ending."""
    torch.save(state, tmp_path / "a.pth")
    write_network(open_published(tmp_path / "a.pth", catalogue), tmp_path / "b.pth", catalogue)
    with pytest.raises(UsageError, match="is a network file of b2b already and needs no import"):
        open_published(tmp_path / "b.pth", catalogue)


@pytest.mark.parametrize("ending", [".pth", ".pkl", ".ckpt", ".safetensors"])
def test_a_bomb_beside_the_weights_is_not_run(tmp_path, catalogue, state, ending):
    """Good weights do not make a file harmless: it is refused whole, and nothing is written."""

    class Bomb:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'sentinel'}",)

    path = tmp_path / f"a{ending}"
    for new in (True, False):
        content = {"params": state, "hook": Bomb()}
        torch.save(content, path, _use_new_zipfile_serialization=new)
        with pytest.raises(UsageError, match="wants to run code"):
            open_published(path, catalogue)
    assert not (tmp_path / "sentinel").exists()
    assert {entry.name for entry in tmp_path.iterdir()} == {path.name}


ROW = """
[[weights]]
name = "nafnet.test"
kind = "translator"
component = "nafnet"
source = "https://example.org/nafnet"
format = "torch"
licence = "LicenseRef-Academic"
trained_on = "test pictures"
summary = "for a test"
"""


def test_a_file_that_the_index_knows(tmp_path, catalogue, state, monkeypatch):
    """By its hash a file gets its name, its kind, its licence and what it was trained on."""
    monkeypatch.chdir(tmp_path)
    torch.save(state, tmp_path / "a.pth")
    (tmp_path / "b2b.toml").write_text(f'{ROW}sha256 = "{sha256_of(tmp_path / "a.pth")}"\n')
    opened = open_published(tmp_path / "a.pth", catalogue)
    assert opened.match.kind == "translator"
    assert opened.licence == "LicenseRef-Academic"
    write_network(opened, tmp_path / "b.safetensors", catalogue)
    facts = read_network_header(tmp_path / "b.safetensors").facts
    assert facts["published_as"] == "nafnet.test"
    assert facts["trained_on"] == "test pictures"
    assert facts["licence"] == "LicenseRef-Academic"
    changed = open_published(tmp_path / "a.pth", catalogue, options={"tlc_window": 384})
    assert "published_as" not in changed.facts
    assert changed.facts["licence"] == "LicenseRef-Academic"


def test_a_published_name_is_for_its_file_only(tmp_path, catalogue, state, monkeypatch):
    """Another file under a published name is refused; one without a hash is pinned at first."""
    monkeypatch.chdir(tmp_path)
    torch.save(state, tmp_path / "a.pth")
    torch.save({"params": state}, tmp_path / "other.pth")
    (tmp_path / "b2b.toml").write_text(f'{ROW}sha256 = "{"0" * 64}"\n')
    with pytest.raises(UsageError, match="is the name of published weights, and this file is not"):
        open_published(tmp_path / "a.pth", catalogue, name="nafnet.test")
    (tmp_path / "b2b.toml").write_text(ROW)
    assert open_published(tmp_path / "a.pth", catalogue).row is None
    opened = open_published(tmp_path / "a.pth", catalogue, name="nafnet.test")
    assert opened.facts["published_as"] == "nafnet.test"
    assert open_published(tmp_path / "a.pth", catalogue).row == opened.row
    with pytest.raises(UsageError, match="not theirs"):
        open_published(tmp_path / "other.pth", catalogue, name="nafnet.test")


@pytest.mark.parametrize("name", ["unet.mine", "nafnet", "nafnet.", "nafnet.Mine", "nafnet.a/b"])
def test_names_that_are_none(tmp_path, catalogue, state, name):
    """A name is the component's and a tag, in lower case."""
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(UsageError, match=r"is no name for these weights.*nafnet\.mine"):
        open_published(tmp_path / "a.pth", catalogue, name=name)


def test_the_networks_load_as_they_are_written(tmp_path, catalogue, state):
    """The file that is written holds float32 tensors under the network's names, nothing else."""
    as_params({name: value.half() for name, value in state.items()}, tmp_path / "a.pth")
    write_network(open_published(tmp_path / "a.pth", catalogue), tmp_path / "b.st", catalogue)
    stored = load_file(tmp_path / "b.st")
    assert stored.keys() == state.keys()
    assert all(torch.equal(stored[name], state[name].half().float()) for name in state)
