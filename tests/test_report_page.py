"""Tests of the HTML report."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio

from b2b_core.report.page import Example, write_report
from b2b_core.report.pictures import WIDEST, Crop, data_uri, most_detail
from b2b_core.report.table import number, plain_table
from b2b_core.report.versions import versions


class Page(HTMLParser):
    """What a browser would see: tags with attributes, and the text between them."""

    VOID = ("meta", "img", "br")

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == []

    def handle_starttag(self, tag, attrs) -> None:
        """Note a tag and that it is open."""
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        """Note that a tag is closed, the innermost first."""
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        """Note text, without that of the style sheet."""
        if "style" not in self.open:
            self.words.append(data)

    def text(self) -> str:
        """Return all text with single spaces."""
        return " ".join(" ".join(self.words).split())

    def pictures(self) -> list[dict[str, str]]:
        """Return the attributes of all pictures."""
        return [attributes for tag, attributes in self.tags if tag == "img"]


def scene(height=90, width=120, seed=0):
    """Make a sharp and a blurry picture."""
    rng = np.random.default_rng(seed)
    sharp = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    return sharp, ndimage.gaussian_filter(sharp, (1, 1, 0))


def decode(uri: str) -> Image.Image:
    """Return the picture in a data URI."""
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


@pytest.fixture
def page(tmp_path: Path) -> Page:
    """Write a whole report and parse it."""
    sharp, blurry = scene()
    path = tmp_path / "new" / "report.html"
    write_report(
        path,
        title="Camera <script>alert(1)</script> & co",
        rows=[
            {"method": "blurry", "PSNR": 25.1234, "SSIM": 0.71236},
            {"method": "b2b", "PSNR": float("inf"), "SSIM": None},
        ],
        protocol="PSNR rgb-uint8",
        notes=["It was a <b>dark</b> night."],
        examples=[
            Example("scene 1", {"blurry": blurry, "sharp": sharp}, reference="sharp"),
            Example('"quoted"', {"blurry": blurry, "b2b": sharp}),
        ],
        made={"command": "b2b adapt --blurry 'a <b>'", "config": "[run]\nsteps = 1"},
    )
    return Page(path)


def test_page_is_whole_and_escaped(page: Page) -> None:
    """Every tag is closed, and no text of the user becomes a tag."""
    names = {tag for tag, _ in page.tags}
    assert "script" not in names
    assert "b" not in names
    assert "Camera <script>alert(1)</script> & co" in page.text()
    assert "It was a <b>dark</b> night." in page.text()
    assert any('"quoted"' in picture["alt"] for picture in page.pictures())


def test_page_needs_nothing_else(page: Page, tmp_path: Path) -> None:
    """No script, no link, no address: the pictures are inside."""
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "iframe", "object"})
    assert all(picture["src"].startswith("data:image/jpeg;base64,") for picture in page.pictures())
    text = (tmp_path / "new" / "report.html").read_text(encoding="utf-8")
    assert re.findall(r"https?:|url\(|@import", text) == []
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["report.html"]


def test_page_has_light_and_dark(page: Page, tmp_path: Path) -> None:
    """The page follows the reader's choice of light or dark."""
    assert ("meta", {"name": "color-scheme", "content": "light dark"}) in page.tags
    assert "prefers-color-scheme: dark" in (tmp_path / "new" / "report.html").read_text()


def test_numbers(page: Page) -> None:
    """The table has the rows' columns, readable numbers and the protocol."""
    assert "method PSNR SSIM blurry 25.12 0.7124 b2b ∞ –" in page.text()
    assert "Protocol: PSNR rgb-uint8" in page.text()


def test_pictures_are_side_by_side_and_enlarged(page: Page) -> None:
    """Each state of a scene is shown whole and as the same square, with what it is as text."""
    assert len(page.pictures()) == 8
    assert [picture["alt"] for picture in page.pictures()[:4]] == [
        "scene 1, blurry",
        "scene 1, sharp",
        "scene 1, blurry, enlarged",
        "scene 1, sharp, enlarged",
    ]
    assert [decode(picture["src"]).size for picture in page.pictures()[:4]] == [
        (120, 90),
        (120, 90),
        (64, 64),
        (64, 64),
    ]


def test_captions(page: Page) -> None:
    """Under a picture stands its PSNR against the reference; without reference, none."""
    sharp, blurry = scene()
    expected = f"blurry {peak_signal_noise_ratio(sharp, blurry):.2f} dB PSNR (rgb-uint8)"
    assert expected in page.text()
    assert "sharp reference" in page.text()
    assert page.text().count("dB PSNR") == 1


def test_how_it_was_made(page: Page) -> None:
    """Command and configuration are shown as they are."""
    assert "b2b adapt --blurry 'a <b>'" in page.text()
    assert "[run] steps = 1" in page.text()


def test_smallest_report(tmp_path: Path) -> None:
    """Sections without content are left out."""
    write_report(tmp_path / "r.html", title="Nothing", rows=[])
    page = Page(tmp_path / "r.html")
    assert page.text() == "Nothing Nothing"
    assert {tag for tag, _ in page.tags}.isdisjoint({"table", "section", "img"})


def test_pictures_must_fit_together(tmp_path: Path) -> None:
    """Pictures of two sizes or of another type cannot be compared side by side."""
    sharp, blurry = scene()
    for pictures, words in (
        ({"a": sharp, "b": blurry[1:]}, "differ in size"),
        ({"a": sharp.astype(np.uint16)}, "must be uint8"),
    ):
        with pytest.raises(ValueError, match=words):
            write_report(tmp_path / "r.html", title="", rows=[], examples=[Example("x", pictures)])
    assert list(tmp_path.iterdir()) == []


def test_wide_pictures_are_shrunk() -> None:
    """A picture wider than the page is embedded smaller, in its proportions."""
    assert decode(data_uri(np.zeros((100, 2 * WIDEST, 3), np.uint8))).size == (WIDEST, 50)
    assert decode(data_uri(np.zeros((1, 3 * WIDEST, 3), np.uint8))).size == (WIDEST, 1)


def test_detail_is_found() -> None:
    """The enlarged square is where the edges are."""
    pixels = np.full((200, 300, 3), 90, np.uint8)
    pixels[120:140, 210:230] = scene(20, 20)[0]
    crop = most_detail(pixels)
    assert crop.side == 64
    assert crop.top <= 120
    assert crop.left <= 210
    assert crop.top + 64 >= 140
    assert crop.left + 64 >= 230
    assert np.array_equal(crop.of(pixels), pixels[crop.top : crop.top + 64, crop.left :][:, :64])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 90), (64, 64), (65, 70)])
def test_small_pictures_have_a_square_too(height: int, width: int) -> None:
    """The square never leaves the picture."""
    crop = most_detail(scene(height, width)[0])
    assert crop.side == min(64, height, width)
    assert crop.of(scene(height, width)[0]).shape == (crop.side, crop.side, 3)
    assert isinstance(crop, Crop)


def test_versions() -> None:
    """Python, torch and b2b itself are named."""
    assert {"python", "torch", "numpy"} <= versions().keys()
    assert all(versions().values())


def test_plain_table() -> None:
    """Text stands flush left and numbers flush right, without trailing spaces."""
    table = plain_table(
        ["way", "PSNR", "note", ""],
        [["blurry", "7.5", "", ""], ["b2b", "-", "best of all", "x"], ["∞", "28.12", "a", ""]],
    )
    assert table.splitlines() == [
        "way      PSNR  note",
        "blurry    7.5",
        "b2b         -  best of all  x",
        "∞       28.12  a",
    ]


def test_numbers_for_people() -> None:
    """Decibels get two decimals, ratios four, nothing a dash."""
    values = [28.126, 0.97126, -3.0, float("inf"), float("-inf"), float("nan"), None, 7, "text"]
    shown = ["28.13", "0.9713", "-3.0000", "∞", "−∞", "not a number", "–", "7", "text"]
    assert [number(value) for value in values] == shown
