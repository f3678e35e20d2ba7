"""The kit as tests of pytest: a base class; each check of each component is an item of its own."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from b2b_core.testing.cases import PluginCase, found_named, isolated_catalogue
from b2b_core.testing.probe import SECONDS
from b2b_core.testing.run import AnyItem, items

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue

#: The subject of the last check: what it keeps in memory is freed when another one begins.
_LAST: list[Any] = []


class PluginConformance:
    """Checks an installed plugin; derive a class from it and name the distribution.

    Example:
        class TestPlugin(PluginConformance):
            distribution = "b2b-plugin-tiny"

    Checks that a spec expects to fail are strict: passing them is a failure. Nothing has to be
    installed into pytest, and no plugin of pytest is loaded for it.
    """

    #: The distribution, as it is installed in the environment of the tests.
    distribution: ClassVar[str]
    #: 0 static, 1 build, 2 behaviour, 3 published weights.
    levels: ClassVar[Collection[int]] = (0, 1, 2)
    #: Only components of this kind; None for all.
    kind: ClassVar[str | None] = None
    #: Seconds that importing the plugin's light modules may take.
    seconds: ClassVar[float] = SECONDS

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one item of each check of each subject."""
        if "conformance_item" not in metafunc.fixturenames:
            return
        if not hasattr(self, "distribution"):
            pytest.fail(f"write {type(self).__name__}.distribution = 'NAME'", pytrace=False)
        case = PluginCase(found_named(self.distribution), self.seconds)
        parameters = [_parameter(item) for item in items(case, self.levels, self.kind)]
        if not parameters:
            pytest.fail(f"{self.distribution} has nothing to check here", pytrace=False)
        metafunc.parametrize("conformance_item", parameters)

    def test_conforms(self, conformance_item: AnyItem) -> None:
        """The plugin passes the check, or fails it where its spec says so."""
        while _LAST and _LAST[-1] is not conformance_item.case:
            _LAST.pop().forget()
        _LAST[:] = [conformance_item.case]
        result = conformance_item.made()
        if result.status == "skipped":
            pytest.skip(result.reason)
        # what was expected to fail and passes is left to pytest, whose mark is strict
        if result.status in ("failed", "expected-failure"):
            pytest.fail(f"{result.subject}: {result.message}", pytrace=False)

    @pytest.fixture
    def isolated_catalogue(self) -> Catalogue:
        """Give the catalogue of this distribution and nothing else."""
        return isolated_catalogue(self.distribution)


def _parameter(item: AnyItem) -> Any:  # noqa: ANN401 - pytest's type is private
    strict = pytest.mark.xfail(strict=True, reason=item.reason or "")
    return pytest.param(item, id=item.id, marks=[strict] if item.reason is not None else [])
