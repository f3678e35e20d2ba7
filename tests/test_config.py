"""Settings: what is accepted, and in which words the rest is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest
from attrs import field, frozen, validators

from b2b_core.config import apply_overrides, read_toml, structure, unstructure, write_toml
from b2b_core.errors import UsageError


@frozen
class Layer:
    width: int = 3
    act: Literal["relu", "gelu"] = "relu"


@frozen
class Settings:
    channels: int = field(default=32, validator=validators.ge(1))
    rate: float = 0.1
    on: bool = True
    root: Path | None = None
    inner: Layer = Layer()
    scales: tuple[float, ...] = (0.5, 1.0)
    pair: tuple[int, int] = (1, 2)
    layers: tuple[Layer, ...] = ()
    weights: Mapping[str, float] = field(factory=dict)
    free: Mapping[str, object] = field(factory=dict)
    either: int | str = 3
    maybe: Literal["a"] | None = None


FULL = {
    "channels": 4,
    "rate": 1,
    "on": False,
    "root": "a/b",
    "inner": {"width": 5, "act": "gelu"},
    "scales": [1, 0.5],
    "pair": [3, 4],
    "layers": [{"act": "gelu"}, {}],
    "weights": {"gan": 2},
    "free": {"any": [1, {"thing": "x"}]},
    "either": "text",
    "maybe": "a",
}


def test_every_type_is_structured():
    """Nested classes, tuples, paths, literals, unions and tables come out as declared."""
    assert structure(Settings, FULL) == Settings(
        channels=4,
        rate=1.0,
        on=False,
        root=Path("a/b"),
        inner=Layer(5, "gelu"),
        scales=(1.0, 0.5),
        pair=(3, 4),
        layers=(Layer(act="gelu"), Layer()),
        weights={"gan": 2.0},
        free={"any": [1, {"thing": "x"}]},
        either="text",
        maybe="a",
    )


def test_nothing_said_means_defaults():
    """An empty mapping gives the class's defaults."""
    assert structure(Settings, {}) == Settings()


def test_an_instance_inside_the_mapping_is_taken_as_it_is():
    """A value that already is the nested class needs no conversion."""
    layer = Layer(7)
    assert structure(Settings, {"inner": layer}).inner is layer


def test_whole_numbers_become_floats():
    """`rate = 1` in TOML is a float to code that asks for one."""
    assert isinstance(structure(Settings, {"rate": 1}).rate, float)


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ({"chanels": 1}, ["unknown setting 'chanels'", "did you mean 'channels'?"]),
        ({"inner": {"wdth": 1}}, ["unknown setting 'inner.wdth'", "did you mean 'width'?"]),
        ({"layers": [{}, {"wid": 1}]}, ["unknown setting 'layers[1].wid'", "'width'"]),
        ({"channels": "a"}, ["'channels' is 'a', not a whole number"]),
        ({"channels": 1.5}, ["'channels' is 1.5, not a whole number"]),
        ({"channels": True}, ["'channels' is True, not a whole number"]),
        ({"channels": 0}, ["'channels' must be >= 1"]),
        ({"rate": "1"}, ["'rate' is '1', not a number"]),
        ({"rate": True}, ["'rate' is True, not a number"]),
        ({"on": 1}, ["'on' is 1, not true or false"]),
        ({"inner": 3}, ["'inner' is 3, not a table"]),
        ({"inner": {"act": "tanh"}}, ["'inner.act' is 'tanh', not 'relu' or 'gelu'"]),
        ({"layers": [{}, {"width": "x"}]}, ["'layers[1].width' is 'x', not a whole number"]),
        ({"scales": "abc"}, ["'scales' is 'abc', not a list, each a number"]),
        ({"scales": [1, "a"]}, ["'scales[1]' is 'a', not a number"]),
        ({"pair": [1]}, ["'pair' is [1], not a list [a whole number, a whole number]"]),
        ({"weights": {"gan": "q"}}, ["'weights.gan' is 'q', not a number"]),
        ({"weights": 1}, ["'weights' is 1, not a table"]),
        ({"either": 1.5}, ["'either' is 1.5, not a whole number or text"]),
        ({"maybe": "b"}, ["'maybe' is 'b', not 'a' or nothing"]),
        ({"root": 3}, ["'root' is 3, not a path or nothing"]),
    ],
)
def test_what_does_not_fit_is_refused_in_words(said, parts):
    """The error names where, key, value and expected type, or the closest known key."""
    with pytest.raises(UsageError) as caught:
        structure(Settings, said, where="translator unet")
    assert "(translator unet)" in str(caught.value)
    assert "\n" not in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


def test_something_else_than_a_table_is_refused():
    """`translator = 3` is an error, not a crash."""
    with pytest.raises(UsageError, match=r"3 is not a table of settings \(strategy x\)"):
        structure(Settings, 3, where="strategy x")  # type: ignore[arg-type]


def test_an_error_of_the_config_class_is_passed_on():
    """A class may refuse combinations with an error of b2b; it reaches the user unchanged."""

    @frozen
    class Picky:
        low: int = 1

        def __attrs_post_init__(self) -> None:
            if self.low > 3:
                raise UsageError("low is too high", mend="lower it")

    with pytest.raises(UsageError, match=r"^low is too high; lower it$"):
        structure(Picky, {"low": 4})


def test_unstructured_settings_are_plain_and_come_back():
    """`unstructure` gives TOML data, from which `structure` makes an equal instance."""
    settings = structure(Settings, FULL)
    plain = unstructure(settings)
    assert plain["root"] == str(Path("a/b"))
    assert plain["scales"] == [1.0, 0.5]
    assert plain["inner"] == {"width": 5, "act": "gelu"}
    assert structure(Settings, plain) == settings


def test_settings_survive_a_file(tmp_path):
    """Written and read TOML is the same data, without the entries that are None."""
    path = tmp_path / "config.toml"
    write_toml(path, unstructure(Settings()) | {"root": None})
    assert "root" not in read_toml(path)
    assert structure(Settings, read_toml(path)) == Settings()


def test_none_is_dropped_at_every_depth(tmp_path):
    """TOML has no null; nested tables and arrays lose their None entries too."""
    path = tmp_path / "x.toml"
    write_toml(path, {"a": {"b": None, "c": [1, None, {"d": None, "e": Path("p")}]}})
    assert read_toml(path) == {"a": {"c": [1, {"e": "p"}]}}


def test_a_failed_write_leaves_the_old_file(tmp_path):
    """What cannot be written as TOML changes nothing and leaves nothing behind."""
    path = tmp_path / "x.toml"
    write_toml(path, {"a": 1})
    with pytest.raises(TypeError):
        write_toml(path, {"a": object()})
    assert read_toml(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_syntax_error_names_file_and_line(tmp_path):
    """The user is told which line of which file to mend."""
    path = tmp_path / "bad.toml"
    path.write_text("a = 1\nb = = 2\n")
    with pytest.raises(UsageError, match=r"line 2.*bad\.toml"):
        read_toml(path)


def test_missing_and_binary_files_are_refused(tmp_path):
    """Neither ends in a traceback."""
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not a UTF-8 text file"):
        read_toml(tmp_path / "binary.toml")
    with pytest.raises(UsageError, match="no such file"):
        read_toml(tmp_path / "absent.toml")
    with pytest.raises(UsageError, match="is a directory"):
        read_toml(tmp_path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("0.5", 0.5),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ('"quoted"', "quoted"),
        ("unet", "unet"),
        ("a/b c", "a/b c"),
        ("x=y", "x=y"),
        ("", ""),
        ("1\nz = 2", "1\nz = 2"),
        ("{ p = 1 }", {"p": 1}),
    ],
)
def test_an_override_is_toml_or_else_text(text, value):
    """Numbers, booleans, arrays and tables are read; everything else is the text itself."""
    assert apply_overrides({}, [f"a.b={text}"]) == {"a": {"b": value}}


def test_overrides_return_a_new_mapping():
    """The given mapping keeps its values; later overrides win; siblings stay."""
    given = {"a": {"b": 1, "c": 2}}
    assert apply_overrides(given, ["a.b=5", "a.b=6", "d = 7"]) == {"a": {"b": 6, "c": 2}, "d": 7}
    assert given == {"a": {"b": 1, "c": 2}}


def test_a_part_named_anew_keeps_no_options_of_another():
    """Whatever the order; what the overrides say for it stays, and so do other tables."""
    given = {"a": {"name": "one", "width": 8, "in": {"name": "x", "k": 1}}, "b": {"width": 8}}
    assert apply_overrides(given, ["a.depth=3", "a.name=two"]) == {
        "a": {"depth": 3, "name": "two"},
        "b": {"width": 8},
    }
    inner = apply_overrides(given, ["a.in.name=y"])
    assert inner["a"] == {"name": "one", "width": 8, "in": {"name": "y"}}
    assert apply_overrides(given, ["a.name=one"]) == given, "the same part keeps its options"
    assert apply_overrides(given, ["b.name=two"])["b"] == {"name": "two", "width": 8}, "unnamed"
    assert given["a"]["width"] == 8


@pytest.mark.parametrize("override", ["a", "=1", "a.=1", ".a=1", "a..b=1", ""])
def test_an_unreadable_override_is_refused(override):
    """An override without key or `=` is an error that shows it."""
    with pytest.raises(UsageError, match="key=value"):
        apply_overrides({}, [override])


def test_an_override_below_a_value_is_refused():
    """`a.b.c=1` where `a.b` is a number says so."""
    with pytest.raises(UsageError, match="'b' is 3, not a table"):
        apply_overrides({"a": {"b": 3}}, ["a.b.c=1"])
