"""Results can be read by whoever can read any new file."""

from b2b_core.atomic import replacing


def test_a_private_temporary_file_becomes_an_ordinary_one(tmp_path):
    """A writer that makes its file private does not decide who reads the result."""
    ordinary = tmp_path / "ordinary"
    ordinary.write_text("x")
    with replacing(tmp_path / "result") as temporary:
        temporary.write_text("x")
        temporary.chmod(0o600)
    assert (tmp_path / "result").stat().st_mode == ordinary.stat().st_mode
