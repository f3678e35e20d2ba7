"""JPEG as a layer: the file's own tables, applied by the real codec."""

import io

import numpy as np
import torch
from PIL import Image

from b2b_core.images.jpeg import read_coding, recompress


def test_recompression_with_a_files_own_coding_equals_that_files_codec(tmp_path):
    """Pixels recompressed with the tables of a file equal what that file itself holds."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    pixels = np.array(Image.fromarray(coarse).resize((67, 45), Image.Resampling.BICUBIC))
    for quality, sampling in ((60, 2), (85, 0), (92, 1)):
        path = tmp_path / f"{quality}.jpg"
        Image.fromarray(pixels).save(path, quality=quality, subsampling=sampling)
        coding = read_coding(path)
        assert coding.sampling == sampling
        ours = recompress(torch.from_numpy(pixels).permute(2, 0, 1), coding)
        with Image.open(path) as image:
            np.testing.assert_array_equal(ours.permute(1, 2, 0).numpy(), np.array(image))


def test_other_formats_have_no_coding(tmp_path):
    """A PNG says nothing about compression."""
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    assert read_coding(tmp_path / "a.png") is None


def test_lower_quality_loses_more():
    """The coding really is applied: coarser tables give a larger error."""
    rng = np.random.default_rng(1)
    pixels = torch.from_numpy(rng.integers(0, 256, (3, 64, 64), dtype=np.uint8))
    errors = []
    for quality in (95, 50):
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8)).save(buffer, "JPEG", quality=quality)
        buffer.seek(0)
        errors.append((recompress(pixels, _coding(buffer)).int() - pixels.int()).abs().sum())
    assert errors[0] < errors[1]


def _coding(buffer):
    from b2b_core.images.jpeg import JpegCoding

    with Image.open(buffer) as image:
        tables = tuple(tuple(image.quantization[key]) for key in sorted(image.quantization))
    return JpegCoding(tables, 0)
