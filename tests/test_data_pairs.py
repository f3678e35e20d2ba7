"""Sets of pairs: what is drawn, what is decoded for it, what is kept, what is refused."""

import struct
import weakref
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from b2b_core.catalogue import discover
from b2b_core.cli import run
from b2b_core.contracts import Pair
from b2b_core.data import decoded
from b2b_core.data.domains import open_domain
from b2b_core.data.pairs import LoadedPair, PairSet, load_pairs
from b2b_core.data.seeding import numpy_rng
from b2b_core.errors import B2bError, UsageError
from b2b_core.images.read import read_picture
from b2b_core.images.write import write_picture
from b2b_core.synthesis.kernels import kernel_bank
from b2b_core.training.extractor import ExtractorTraining, draw_windows

HEIGHT, WIDTH = 40, 48
#: Bytes of one decoded picture.
PICTURE = 3 * HEIGHT * WIDTH


def save(path: Path, pixels: np.ndarray) -> None:
    """Write a picture, 16-bit where the pixels are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_picture(path, pixels)


def tree(root: Path, count: int = 6, height: int = HEIGHT, width: int = WIDTH) -> list[Pair]:
    """Write random pairs, two of each scene."""
    rng = np.random.default_rng(0)
    pairs = []
    for number in range(count):
        blurry, sharp = (root / f"{side}/{number}.png" for side in ("blurry", "sharp"))
        for path in (blurry, sharp):
            save(path, rng.integers(0, 256, (height, width, 3), np.uint8))
        pairs.append(Pair(blurry, sharp, f"scene{number // 2}"))
    return pairs


def plainly(path: Path) -> Tensor:
    """Decode a file as every set of pairs did when all of it was held in memory."""
    pixels = read_picture(path).pixels
    white = 255 if pixels.dtype == np.uint8 else 65535
    planes = torch.as_tensor(np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32))
    return (planes.div_(white) * 255).round().to(torch.uint8)


def held(pairs: list[Pair]) -> PairSet:
    """Return the set with all of it in memory."""
    return PairSet([LoadedPair(plainly(p.blurry), plainly(p.sharp), p.scene) for p in pairs], "toy")


def expected(pairs: list[Pair], crop: int, size: int, seed: int, stream: str, step: int):
    """Return the batch by its definition: pair, row and column of every slot, in this order."""
    cut = {"sharp": [], "blurry": []}
    for slot in range(size):
        rng = numpy_rng(seed, stream, step, slot)
        pair = pairs[int(rng.integers(len(pairs)))]
        height, width = plainly(pair.sharp).shape[1:]
        y, x = int(rng.integers(height - crop + 1)), int(rng.integers(width - crop + 1))
        for side, crops in cut.items():
            crops.append(plainly(getattr(pair, side))[:, y : y + crop, x : x + crop])
    return tuple(torch.stack(crops).float() / 255 for crops in cut.values())


class Spy:
    """Notes which files are decoded, and which of their pixels are still in memory."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files: list[Path] = []
        self._alive = weakref.WeakSet[Tensor]()
        self._decode = decoded.decode
        monkeypatch.setattr(decoded, "decode", self)

    def __call__(self, path: Path) -> Tensor:
        """Decode a file."""
        pixels = self._decode(path)
        self.files.append(path)
        self._alive.add(pixels)
        return pixels

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels that something holds."""
        return sum(pixels.nbytes for pixels in self._alive)


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    """Watch the decoder."""
    return Spy(monkeypatch)


def budget(monkeypatch: pytest.MonkeyPatch, pictures: float) -> None:
    """Let sets keep so many pictures."""
    monkeypatch.setattr("b2b_core.data.pairs.decoded_budget", lambda: int(pictures * PICTURE))


@pytest.mark.parametrize("pictures", [0, 1, 2.5, 5, 1000])
def test_batches_are_those_of_a_set_in_memory(tmp_path, monkeypatch, pictures):
    """Whatever is kept, in whatever order steps come, every crop is the same bit for bit."""
    budget(monkeypatch, pictures)
    files = tree(tmp_path)
    lazy = load_pairs(files, "toy", 16, tmp_path)
    for step in (0, 7, 3, 7, 0):
        wanted = expected(files, 16, 5, 1, "a", step)
        for made, other, crops in zip(
            lazy.batch(16, 5, 1, "a", step), held(files).batch(16, 5, 1, "a", step), wanted,
            strict=True,
        ):  # fmt: skip
            assert made.dtype == torch.float32
            assert torch.equal(made, crops)
            assert torch.equal(other, crops)


def test_files_of_all_sorts_have_the_pixels_that_they_had(tmp_path):
    """JPEG, a turned one, 16 bits, grey, a single pixel: as when all were decoded at the start."""
    rng = np.random.default_rng(1)
    exif = Image.Exif()
    exif[0x0112] = 6
    colour = Image.fromarray(rng.integers(0, 256, (21, 33, 3), np.uint8))
    colour.save(tmp_path / "a.jpg", quality=70)
    colour.save(tmp_path / "turned.jpg", exif=exif)
    colour.convert("L").save(tmp_path / "grey.png")
    save(tmp_path / "deep.png", rng.integers(0, 65536, (300, 251, 3), np.uint16))
    save(tmp_path / "all.png", np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3))
    Image.new("RGB", (1, 1), (1, 2, 3)).save(tmp_path / "one.png")
    shapes = {}
    for path in sorted(tmp_path.iterdir()):
        (pair,) = load_pairs([Pair(path, path, "a")], "toy", 1, tmp_path)
        assert pair.sharp.dtype == torch.uint8
        assert torch.equal(pair.sharp, plainly(path)), path.name
        assert torch.equal(pair.blurry, plainly(path)), path.name
        shapes[path.name] = tuple(pair.sharp.shape)
    assert (shapes["a.jpg"], shapes["turned.jpg"]) == ((3, 21, 33), (3, 33, 21))


def test_windows_of_extractors_and_kernels_are_those_of_a_set_in_memory(tmp_path, monkeypatch):
    """What is drawn besides batches does not depend on what is kept, either."""
    budget(monkeypatch, 3)
    files = tree(tmp_path)
    lazy, whole = load_pairs(files, "toy", 16, tmp_path), held(files)
    config = ExtractorTraining(batch=6, crop=16)
    for step in (0, 4):
        made, wanted = (draw_windows(s, config, 3, "w", step) for s in (lazy, whole))
        for name in ("source_sharp", "source_blurry", "sharp", "blurry"):
            assert torch.equal(getattr(made, name), getattr(wanted, name))
    blurred = tree(tmp_path / "other", 5, 72, 80)
    for pair in blurred:
        save(pair.blurry, np.roll(read_picture(pair.sharp).pixels, 1, axis=1))
    banks = [
        kernel_bank(s, 5, 6, 2) for s in (load_pairs(blurred, "toy", 1, tmp_path), held(blurred))
    ]
    assert torch.equal(*banks)


def test_a_set_is_a_sequence(tmp_path):
    """Length, indices from either end, order of a loop, slices, scenes: as of a list."""
    files = tree(tmp_path, 21)
    lazy = load_pairs(files, "toy", 16, tmp_path)
    assert (len(lazy), lazy.domain) == (21, "toy")
    for index in (0, 5, -1):
        assert torch.equal(lazy[index].blurry, plainly(files[index].blurry))
        assert lazy[index].scene == files[index].scene
    for pair, file in zip(lazy, files, strict=True):
        assert torch.equal(pair.sharp, plainly(file.sharp))
    with pytest.raises(IndexError):
        lazy[21]
    for part, wanted in (
        (lazy[3:9:2], files[3:9:2]),
        (lazy[-2:], files[-2:]),
        (lazy.of_scenes({"scene1", "scene4"}), [*files[2:4], *files[8:10]]),
        (PairSet(lazy[:4], "other"), files[:4]),
        (lazy[30:], []),
    ):
        assert isinstance(part, PairSet)
        for pair, file in zip(part, wanted, strict=True):
            assert torch.equal(pair.sharp, plainly(file.sharp))
    assert lazy.scenes == sorted({file.scene for file in files})
    assert PairSet(lazy[:4], "other").domain == "other"
    assert held(files).scenes == lazy.scenes
    assert [p.scene for p in held(files).of_scenes({"scene2"})] == ["scene2"] * 2


def test_a_small_set_is_decoded_once(tmp_path, spy):
    """Where all of it fits, every file is decoded once, by batches, loops and parts together."""
    lazy = load_pairs(tree(tmp_path), "toy", 16, tmp_path)
    assert spy.files == []
    for step in range(40):
        lazy.batch(16, 4, 0, "a", step)
    assert len(list(lazy)) == 6
    assert len(list(lazy[2:].of_scenes({"scene1"}))) == 2
    assert sorted(spy.files) == sorted(set(spy.files))
    assert len(spy.files) == 12
    assert spy.nbytes == 12 * PICTURE


@pytest.mark.parametrize("pictures", [0, 1, 4, 5.9])
def test_no_more_is_kept_than_the_budget(tmp_path, monkeypatch, spy, pictures):
    """After every batch, in a loop and in parts, only so many bytes of pixels are alive."""
    budget(monkeypatch, pictures)
    lazy = load_pairs(tree(tmp_path, 10), "toy", 16, tmp_path)
    for step in range(12):
        lazy.batch(16, 3, 0, "a", step)
        assert spy.nbytes <= pictures * PICTURE
        lazy[5:].batch(16, 3, 0, "b", step)
        assert spy.nbytes <= pictures * PICTURE
    assert spy.nbytes == int(pictures) * PICTURE
    alive = []
    for pair in lazy:
        alive.append(spy.nbytes)
        del pair
    assert max(alive) <= (pictures + 2 * decoded.WORKERS) * PICTURE
    assert len(spy.files) > 20


def test_the_picture_that_was_asked_for_least_recently_goes_first(tmp_path, monkeypatch, spy):
    """With room for two pairs, the one that was used again stays when a third comes."""
    budget(monkeypatch, 4)
    files = tree(tmp_path)
    lazy = load_pairs(files, "toy", 16, tmp_path)
    for index in (0, 1, 0, 2, 0, 1):
        lazy.load([index])
    assert [int(path.stem) for path in spy.files[::2]] == [0, 1, 2, 1]


def test_one_call_decodes_a_file_once(tmp_path, monkeypatch, spy):
    """A batch that draws a pair several times decodes it once, and shared originals as well."""
    budget(monkeypatch, 0)
    files = tree(tmp_path, 2)
    shared = [Pair(file.blurry, files[0].sharp, file.scene) for file in files]
    load_pairs(shared, "toy", 16, tmp_path).load([0, 1, 0, 1, 1])
    assert sorted(spy.files) == sorted([files[0].blurry, files[1].blurry, files[0].sharp])


def test_threads_may_share_a_set(tmp_path, monkeypatch, spy):
    """Batches that are drawn from several threads at once are those drawn one by one."""
    budget(monkeypatch, 3)
    files = tree(tmp_path)
    lazy, whole = load_pairs(files, "toy", 16, tmp_path), held(files)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda step: lazy.batch(16, 4, 0, "a", step), range(40)))
    for step, (sharp, blurry) in enumerate(made):
        wanted = whole.batch(16, 4, 0, "a", step)
        assert torch.equal(sharp, wanted[0])
        assert torch.equal(blurry, wanted[1])
    assert spy.nbytes <= 3 * PICTURE


def header_only(path: Path, width: int, height: int) -> None:
    """Write a PNG that ends where its pixels should begin."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 1000) + b"IDAT")


def test_thousands_of_files_are_opened_by_their_headers(tmp_path, spy):
    """A tree of files without pixels opens, tells its scenes and is split; drawing names a file."""
    for sequence in range(30):
        for number in range(50):
            for kind in ("blur", "sharp"):
                place = tmp_path / f"train/GOPR{sequence:04d}_01_00/{kind}/{number:06d}.png"
                header_only(place, 1280, 720)
    pairs = open_domain(discover(), "gopro", tmp_path, "train", 256)
    assert len(pairs) == 1500
    assert len(pairs.scenes) == 30
    assert len(pairs.of_scenes(pairs.scenes[:3])) == 150
    assert len(pairs[10:40]) == 30
    assert spy.files == []
    with pytest.raises(B2bError, match=r"cannot be read.*000007\.png.*copy it again"):
        pairs.load([7])


def test_sizes_are_checked_from_the_headers(tmp_path, spy):
    """Pairs of two sizes and pairs smaller than the crop are refused by name, nothing decoded."""
    header_only(tmp_path / "b.png", 64, 48)
    header_only(tmp_path / "s.png", 64, 50)
    pair = Pair(tmp_path / "b.png", tmp_path / "s.png", "a")
    with pytest.raises(UsageError, match=r"pair of b\.png has two sizes, 64x48 blurry and 64x50"):
        load_pairs([pair], "toy", 16, tmp_path)
    small = Pair(tmp_path / "b.png", tmp_path / "b.png", "a")
    with pytest.raises(UsageError, match=r"64x48 pixels is smaller than the crop of 49.*b\.png"):
        load_pairs([small], "toy", 49, tmp_path)
    assert len(load_pairs([small], "toy", 48, tmp_path)) == 1
    with pytest.raises(UsageError, match=r"domain 'toy' has no pairs here.*--domain-root"):
        load_pairs([], "toy", 16, tmp_path)
    with pytest.raises(UsageError, match=r"no such picture.*gone\.png"):
        load_pairs([Pair(tmp_path / "gone.png", tmp_path / "b.png", "a")], "toy", 1, tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(B2bError, match=r"not a picture.*text\.png"):
        load_pairs([Pair(tmp_path / "b.png", tmp_path / "text.png", "a")], "toy", 1, tmp_path)
    assert spy.files == []


def test_what_changes_later_is_named(tmp_path):
    """A file that goes, breaks or gets another size after the start is one clear error."""
    files = tree(tmp_path)
    lazy = load_pairs(files, "toy", 16, tmp_path)
    files[0].sharp.unlink()
    with pytest.raises(B2bError, match=r"no longer there.*sharp/0\.png") as found:
        lazy.load([0])
    assert found.value.exit_code == 1
    whole = files[1].blurry.read_bytes()
    files[1].blurry.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(B2bError, match=r"cannot be read.*blurry/1\.png"):
        lazy.load([2, 1])
    save(files[2].blurry, np.zeros((HEIGHT, WIDTH + 1, 3), np.uint8))
    with pytest.raises(B2bError, match=r"49x40 and 48x40 pixels.*blurry/2\.png"):
        lazy.load([2])
    files[1].blurry.write_bytes(whole)
    assert torch.equal(lazy[1].blurry, plainly(files[1].blurry))


def test_a_training_that_meets_a_damaged_file_says_which(tmp_path, capsys):
    """`b2b train deblurrer` ends with one line and exit code 1."""
    for split in ("train", "test"):
        for kind in ("blur", "sharp"):
            header_only(tmp_path / f"data/{split}/GOPR1_{split}/{kind}/000001.png", 64, 64)
    said = ["train", "deblurrer", "--domain", "gopro", "--domain-root", str(tmp_path / "data")]
    said += ["--set", "width=8", "--set", "train.crop=32", "--device", "cpu", "--steps", "1"]
    assert run([*said, "-o", str(tmp_path / "out.safetensors")]) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "GOPR1_train" in error
    assert "000001.png" in error
    assert "Traceback" not in error


def test_small_pairs_can_be_left_out(tmp_path, spy):
    """By their headers; those in memory by their pixels."""
    pairs = [*tree(tmp_path / "large", 2, 60, 80), *tree(tmp_path / "small", 3, 40, 90)]
    files, memory = load_pairs(pairs, "toy", 1, tmp_path), held(pairs)
    spy.files.clear()
    for side, count in ((40, 5), (41, 2), (100, 0)):
        assert len(files.at_least(side)) == len(memory.at_least(side)) == count
    assert not spy.files
    assert [pair.sharp.shape[1:] for pair in files.at_least(41)] == 2 * [(60, 80)]
