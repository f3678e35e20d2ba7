"""Configuration: plain data to typed settings and back, TOML files, overrides."""

from b2b_core.config.overrides import apply_overrides
from b2b_core.config.structuring import structure, unstructure
from b2b_core.config.toml_files import read_toml, write_toml

__all__ = ["apply_overrides", "read_toml", "structure", "unstructure", "write_toml"]
