"""The size of a picture from its header is that of the pixels that are read."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageFile

from b2b_core.errors import B2bError, UsageError
from b2b_core.images.exif import turn_upright
from b2b_core.images.read import picture_size, read_picture

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
#: Behind these orientations the sides are exchanged; Exif 2.32, section 4.6.4.
SIDEWAYS = (5, 6, 7, 8)


def exif(orientation: int) -> Image.Exif:
    """Return EXIF with an orientation."""
    made = Image.Exif()
    made[0x0112] = orientation
    return made


@pytest.fixture
def _blind(monkeypatch: pytest.MonkeyPatch):
    """Refuse to decode any pixel."""

    def load(*_: object) -> None:
        raise AssertionError("a picture was decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)


@pytest.mark.parametrize("orientation", [*range(1, 9), 0, 9])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_orientation_is_honoured(tmp_path: Path, suffix: str, orientation: int) -> None:
    """Whatever EXIF says, the header tells the height and width of the upright pixels."""
    path = tmp_path / f"a{suffix}"
    Image.fromarray(PIXELS).save(path, exif=exif(orientation))
    expected = (7, 9) if orientation in SIDEWAYS else (9, 7)
    assert picture_size(path) == expected
    assert read_picture(path).pixels.shape == (*expected, 3)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "I;16"])
def test_every_kind_of_pixels_has_a_size(tmp_path: Path, mode: str) -> None:
    """Grey, palette, opacity, one bit and 16 bits: as read."""
    image = Image.fromarray(PIXELS)
    image = (
        Image.fromarray(PIXELS[..., 0].astype(np.uint16)) if ";" in mode else image.convert(mode)
    )
    image.save(tmp_path / "a.png")
    assert picture_size(tmp_path / "a.png") == read_picture(tmp_path / "a.png").pixels.shape[:2]


@pytest.mark.usefixtures("_blind")
def test_nothing_is_decoded(tmp_path: Path) -> None:
    """Not even of a PNG, whose EXIF Pillow looks for behind the pixels."""
    for suffix in ("jpg", "png", "tif", "bmp"):
        Image.fromarray(PIXELS).save(tmp_path / f"a.{suffix}")
        assert picture_size(tmp_path / f"a.{suffix}") == (9, 7)
    with pytest.raises(AssertionError, match="decoded"):
        read_picture(tmp_path / "a.png")


def test_orientation_behind_the_pixels_of_a_png_is_read_with_them(tmp_path: Path) -> None:
    """The header does not tell it, as the function says; reading does."""
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    body = exif(6).tobytes().removeprefix(b"Exif\0\0")
    chunk = b"eXIf" + body
    late = struct.pack(">I", len(body)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[:-12] + late + whole[-12:])
    assert picture_size(tmp_path / "a.png") == (9, 7)
    assert read_picture(tmp_path / "a.png").pixels.shape == (7, 9, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["rgb", "grey"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_plain_tiffs_are_turned(tmp_path: Path, dtype: type, kind: str, orientation: int) -> None:
    """Decoded by Pillow or not, mapped into memory or not: upright, as the header tells."""
    pixels = PIXELS.astype(dtype) * (200 if dtype == np.uint16 else 1)
    stored = pixels if kind == "rgb" else pixels[..., 0]
    photometric = "rgb" if kind == "rgb" else "minisblack"
    tags = [(0x0112, "H", 1, orientation, True)]
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric=photometric, extratags=tags)
    read = read_picture(tmp_path / "a.tif").pixels
    shown = pixels if kind == "rgb" else np.repeat(stored[..., None], 3, 2)
    np.testing.assert_array_equal(read, turn_upright(shown, orientation))
    assert picture_size(tmp_path / "a.tif") == read.shape[:2]


def test_what_has_no_size_is_refused(tmp_path: Path) -> None:
    """The same errors as for reading: missing, a folder, no picture, a header cut off."""
    with pytest.raises(UsageError, match=r"no such picture.*gone\.png"):
        picture_size(tmp_path / "gone.png")
    with pytest.raises(UsageError, match="this is a folder"):
        picture_size(tmp_path)
    (tmp_path / "text.png").write_text("text")
    with pytest.raises(B2bError, match=r"not a picture that b2b can read.*text\.png"):
        picture_size(tmp_path / "text.png")
    for suffix in ("png", "jpg", "tif"):
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(PIXELS).save(path)
        path.write_bytes(path.read_bytes()[:12])
        with pytest.raises(B2bError, match=rf"a\.{suffix}"):
            picture_size(path)
