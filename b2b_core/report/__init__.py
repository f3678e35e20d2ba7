"""What people read: tables in the terminal, and one HTML file that shows what was gained."""

from b2b_core.report.page import Example, write_report
from b2b_core.report.versions import versions

__all__ = ["Example", "versions", "write_report"]
