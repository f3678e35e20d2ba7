"""Tests of reading and writing pictures: depth, colour, orientation, metadata, damage."""

import io
import struct
from pathlib import Path

import kornia_rs.io
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from b2b_core.errors import B2bError, UsageError
from b2b_core.images.exif import PREFIX, turn_upright, upright
from b2b_core.images.read import Picture, read_picture
from b2b_core.images.write import write_picture


def noise(height=9, width=7, channels=3, dtype=np.uint8, seed=0):
    """Random pixels over the whole range of `dtype`."""
    high = np.iinfo(dtype).max + 1
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(seed).integers(0, high, shape, dtype=dtype)


def smooth(height=64, width=48):
    """Colour ramps."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows * 3, columns * 4, 128 + rows - columns], 2).astype(np.uint8)


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif_bytes(orientation=6):
    """EXIF with camera, exposure time and a maker note."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[271] = "Acme"
    exif[272] = "Shaky 1"
    exif.get_ifd(0x8769).update({0x829A: 0.25, 0x927C: b"maker's secret"})
    exif[0x8769] = exif.get_ifd(0x8769)
    return exif.tobytes()


def parsed(exif: bytes):
    """EXIF as Pillow reads it."""
    result = Image.Exif()
    result.load(PREFIX + exif)
    return result


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".tiff"])
def test_eight_bit_round_trip(tmp_path: Path, suffix: str) -> None:
    """Lossless formats give back what was written, and independent readers agree."""
    pixels = noise()
    path = tmp_path / f"a{suffix}"
    write_picture(path, pixels)
    assert np.array_equal(read_picture(path).pixels, pixels)
    assert np.array_equal(np.asarray(Image.open(path)), pixels)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_round_trip(tmp_path: Path, suffix: str) -> None:
    """All 16 bits survive writing and reading; kornia_rs and tifffile read the same."""
    pixels = noise(dtype=np.uint16, height=5, width=300)
    path = tmp_path / f"a{suffix}"
    write_picture(path, pixels)
    read = read_picture(path).pixels
    assert read.dtype == np.uint16
    assert np.array_equal(read, pixels)
    if suffix == ".png":
        other = kornia_rs.io.read_image_png_u16(str(path), "rgb")
    else:
        other = tifffile.imread(path)
    assert np.array_equal(other, pixels)


def test_sixteen_bit_files_of_others(tmp_path: Path) -> None:
    """16-bit files by kornia_rs and tifffile (any byte order, Deflate) are read whole."""
    pixels = noise(dtype=np.uint16)
    kornia_rs.io.write_image_png_u16(str(tmp_path / "a.png"), pixels, "rgb")
    tifffile.imwrite(tmp_path / "b.tif", pixels, photometric="rgb", byteorder=">")
    tifffile.imwrite(tmp_path / "c.tif", pixels, photometric="rgb", compression="zlib", predictor=2)
    for name in ("a.png", "b.tif", "c.tif"):
        assert np.array_equal(read_picture(tmp_path / name).pixels, pixels), name


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_grey_becomes_rgb(tmp_path: Path, suffix: str) -> None:
    """A 16-bit grey picture is read as three equal 16-bit channels."""
    grey = noise(channels=0, dtype=np.uint16)
    path = tmp_path / f"grey{suffix}"
    Image.fromarray(grey).save(path)
    assert np.array_equal(read_picture(path).pixels, np.stack([grey] * 3, 2))


def test_sixteen_bit_alpha(tmp_path: Path) -> None:
    """A 16-bit RGBA PNG keeps colour and opacity apart, and both at 16 bits."""
    rgba = noise(channels=4, dtype=np.uint16)
    picture = Picture(rgba[..., :3], alpha=rgba[..., 3])
    write_picture(tmp_path / "a.png", rgba[..., :3], picture)
    assert np.array_equal(kornia_rs.io.read_image_png_u16(str(tmp_path / "a.png"), "rgba"), rgba)
    read = read_picture(tmp_path / "a.png")
    assert np.array_equal(read.pixels, rgba[..., :3])
    assert np.array_equal(read.alpha, rgba[..., 3])
    write_picture(tmp_path / "a.tif", rgba[..., :3], picture)
    assert np.array_equal(tifffile.imread(tmp_path / "a.tif"), rgba)


@pytest.mark.parametrize("planar", [True, False])
def test_sixteen_bit_layouts_that_would_lose(tmp_path: Path, planar: bool) -> None:
    """A 16-bit TIFF that no reader here gets right is refused, with what to save instead."""
    path = tmp_path / "odd.tif"
    if planar:
        planes = noise(3, 9, 7, np.uint16)
        tifffile.imwrite(path, planes, photometric="rgb", planarconfig="separate")
    else:
        tifffile.imwrite(path, noise(channels=4, dtype=np.uint16), photometric="rgb")
    with pytest.raises(B2bError, match=r"odd\.tif.*16-bit RGB or RGBA PNG"):
        read_picture(path)


def test_float_pictures_are_refused(tmp_path: Path) -> None:
    """A float TIFF has no known white; it is refused rather than guessed."""
    tifffile.imwrite(tmp_path / "f.tif", np.zeros((4, 4), np.float32))
    with pytest.raises(B2bError, match="no known white"):
        read_picture(tmp_path / "f.tif")


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "RGB"])
def test_colour_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    """Bilevel, grey, palette and CMYK pictures are read as Pillow converts them to RGB."""
    image = Image.fromarray(smooth()).convert(mode)
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    image.save(path)
    picture = read_picture(path)
    assert picture.alpha is None
    assert np.array_equal(picture.pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_alpha_is_kept(tmp_path: Path, mode: str) -> None:
    """Opacity, also of grey and palette pictures, is read and written back."""
    rgba = np.dstack([smooth(), (smooth()[..., 0] > 90).astype(np.uint8) * 255])
    image = Image.fromarray(rgba)
    image = image.quantize(8) if mode == "P" else image.convert(mode)
    image.save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    assert np.array_equal(picture.alpha, np.asarray(image.convert("RGBA"))[..., 3])
    for suffix in ("png", "webp", "tif"):
        path = tmp_path / f"b.{suffix}"
        write_picture(path, picture.pixels, picture)
        assert np.array_equal(read_picture(path).alpha, picture.alpha), suffix


def test_translucent_jpeg_is_refused(tmp_path: Path) -> None:
    """JPEG cannot hold opacity: refused unless the picture is opaque everywhere."""
    pixels = smooth()
    opaque = np.full(pixels.shape[:2], 255, np.uint8)
    write_picture(tmp_path / "a.jpg", pixels, Picture(pixels, alpha=opaque))
    with pytest.raises(UsageError, match=r"translucent.*PNG"):
        write_picture(tmp_path / "b.jpg", pixels, Picture(pixels, alpha=opaque - 1))
    assert not (tmp_path / "b.jpg").exists()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    """All eight EXIF orientations are turned as Pillow's exif_transpose turns them."""
    exif = exif_bytes(orientation)
    Image.fromarray(noise()).save(tmp_path / "a.png", exif=exif)
    picture = read_picture(tmp_path / "a.png")
    expected = ImageOps.exif_transpose(Image.open(tmp_path / "a.png"))
    assert np.array_equal(picture.pixels, np.asarray(expected))
    assert parsed(picture.exif)[0x0112] == 1


def test_orientation_applies_to_sixteen_bits_and_alpha(tmp_path: Path) -> None:
    """A 16-bit picture and its opacity are turned together."""
    rgba = noise(channels=4, dtype=np.uint16)
    like = Picture(rgba[..., :3], alpha=rgba[..., 3], exif=exif_bytes(6).removeprefix(PREFIX))
    write_picture(tmp_path / "a.png", rgba[..., :3], like)
    picture = read_picture(tmp_path / "a.png")
    assert np.array_equal(picture.pixels, np.rot90(rgba[..., :3], -1))
    assert np.array_equal(picture.alpha, np.rot90(rgba[..., 3], -1))


def test_unknown_orientation_is_ignored() -> None:
    """An orientation outside 1 to 8 leaves the pixels as they are."""
    pixels = noise()
    assert np.array_equal(turn_upright(pixels, 0), pixels)
    assert np.array_equal(turn_upright(pixels, 9), pixels)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_metadata_survives(tmp_path: Path, suffix: str, dtype) -> None:
    """Camera, exposure, maker note and colour profile go from file to file, orientation reset."""
    Image.fromarray(smooth()).save(tmp_path / "a.jpg", exif=exif_bytes(), icc_profile=SRGB)
    picture = read_picture(tmp_path / "a.jpg")
    path = tmp_path / f"b{suffix}"
    write_picture(path, picture.pixels.astype(dtype), picture)
    read = read_picture(path)
    assert read.icc == SRGB
    assert read.pixels.shape == (48, 64, 3)
    exif = parsed(read.exif)
    assert (exif[271], exif[272]) == ("Acme", "Shaky 1")
    assert exif.get_ifd(0x8769)[0x829A] == 0.25
    assert exif.get_ifd(0x8769)[0x927C] == b"maker's secret"
    assert exif.get(0x0112, 1) == 1
    with Image.open(path) as image:
        assert image.getexif().get(0x0112, 1) == 1
        assert image.info["icc_profile"] == SRGB


@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize(("order", "mark"), [("<", b"II*\0"), (">", b"MM\0*")])
def test_exif_is_patched_in_place(kind: int, order: str, mark: bytes) -> None:
    """Only orientation, of any type, and the thumbnail's pointer change; all else stays."""
    turned = struct.pack(order + "HHI", 0x0112, kind, 1)
    turned += struct.pack(order + ("HH" if kind == 3 else "I"), *((8, 0) if kind == 3 else (8,)))
    other = struct.pack(order + "HHII", 0x0100, 4, 1, 77)
    head = mark + struct.pack(order + "IH", 8, 2) + other
    before = head + turned + struct.pack(order + "I", 99) + b"rest"
    upright_entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, 1, 0)
    assert upright(PREFIX + before) == head + upright_entry + b"\0\0\0\0" + b"rest"


@pytest.mark.parametrize(
    "broken",
    [b"", b"II", b"XXXXXXXX", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\0\x09", b"MM\0*"],
)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_broken_exif_spoils_nothing(tmp_path: Path, broken: bytes, suffix: str) -> None:
    """A picture with damaged EXIF is read and written as one without."""
    path = tmp_path / f"a{suffix}"
    Image.fromarray(smooth()).save(path, exif=PREFIX + broken)
    picture = read_picture(path)
    assert picture.exif is None
    assert picture.pixels.shape == smooth().shape
    write_picture(path, picture.pixels, picture)


def test_exif_with_damaged_entries_is_written(tmp_path: Path) -> None:
    """EXIF whose entries point nowhere does not keep a picture from being written."""
    entry = struct.pack("<HHII", 271, 2, 100, 0xFFFF0000)
    exif = b"II*\0" + struct.pack("<IH", 8, 1) + entry + b"\0\0\0\0"
    for suffix in ("jpg", "png", "webp", "tif"):
        path = tmp_path / f"a.{suffix}"
        write_picture(path, smooth(), Picture(smooth(), exif=exif))
        assert read_picture(path).pixels.shape == smooth().shape


def test_profile_of_other_colours_is_dropped(tmp_path: Path) -> None:
    """The profile of a grey picture is not written into the RGB picture made of it."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    Image.fromarray(smooth()[..., 0]).save(tmp_path / "a.png", icc_profile=lab)
    assert read_picture(tmp_path / "a.png").icc is None


def test_jpeg_quality(tmp_path: Path) -> None:
    """JPEG is written with quality 95 and full colour resolution."""
    write_picture(tmp_path / "a.jpg", smooth())
    reference = io.BytesIO()
    Image.fromarray(smooth()).save(reference, "JPEG", quality=95, subsampling=0)
    with Image.open(tmp_path / "a.jpg") as image, Image.open(reference) as expected:
        assert image.quantization == expected.quantization
        assert {layer[1:3] for layer in image.layer} == {(1, 1)}


def test_sixteen_bits_are_rounded_for_jpeg(tmp_path: Path) -> None:
    """Formats without 16 bits get the nearest 8-bit value."""
    levels = np.array([0, 128, 129, 257, 65535 - 128, 65535 - 129, 65535], np.uint16)
    pixels = np.repeat(levels, 3).reshape(1, -1, 3)
    write_picture(tmp_path / "a.bmp", pixels)
    expected = np.rint(levels / 257).astype(np.uint8)
    assert np.array_equal(read_picture(tmp_path / "a.bmp").pixels[0, :, 0], expected)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".bmp"])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.9])
def test_truncated(tmp_path: Path, suffix: str, part: float) -> None:
    """A truncated file raises one line that names it and says how to mend it; no grey half."""
    path = tmp_path / f"broken{suffix}"
    write_picture(path, noise(64, 64))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(B2bError, match=f"broken.{suffix[1:]}.*; .*(again|convert)") as caught:
        read_picture(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.9])
def test_truncated_sixteen_bits(tmp_path: Path, suffix: str, part: float) -> None:
    """The 16-bit reader refuses truncated files too."""
    path = tmp_path / f"broken{suffix}"
    write_picture(path, noise(64, 64, dtype=np.uint16))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(B2bError, match="broken"):
        read_picture(path)


def test_no_picture(tmp_path: Path) -> None:
    """Text with a picture's suffix, an empty file, a folder and nothing are told apart."""
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(B2bError, match="not a picture that b2b can read"):
        read_picture(tmp_path / "text.png")
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(B2bError, match="not a picture that b2b can read"):
        read_picture(tmp_path / "empty.jpg")
    with pytest.raises(UsageError, match="folder, not a picture"):
        read_picture(tmp_path)
    with pytest.raises(UsageError, match="no such picture"):
        read_picture(tmp_path / "none.png")


def test_unknown_suffix(tmp_path: Path) -> None:
    """A suffix that names no format is refused with those that do."""
    with pytest.raises(UsageError, match=r"'\.gif'.*\.png"):
        write_picture(tmp_path / "a.gif", smooth())


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8), noise(channels=4)]
)
def test_wrong_pixels(tmp_path: Path, pixels) -> None:
    """Float, grey and RGBA arrays are a programming error."""
    with pytest.raises(ValueError, match="must be"):
        write_picture(tmp_path / "a.png", pixels)


def test_write_is_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails leaves the old file whole and no temporary file."""
    path = tmp_path / "a.png"
    write_picture(path, smooth())
    before = path.read_bytes()

    def fail(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(B2bError, match=r"No space left on device.*a\.png"):
        write_picture(path, 255 - smooth())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made(tmp_path: Path) -> None:
    """Missing folders of the output are made."""
    write_picture(tmp_path / "new" / "deep" / "a.png", smooth())
    assert (tmp_path / "new" / "deep" / "a.png").is_file()
