"""Fail when a test was skipped that the committed list does not name: `check_skips.py LIST JUNIT_XML...`."""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def skipped(report: Path) -> dict[str, str]:
    """Return the skipped tests of a JUnit report with their reasons."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        skip = case.find("skipped")
        if skip is not None:
            found[f"{case.get('classname')}::{case.get('name')}"] = skip.get("message", "")
    return found


def main() -> int:
    allowed_file, *reports = (Path(argument) for argument in sys.argv[1:])
    allowed = {
        line.strip() for line in allowed_file.read_text().splitlines() if line.strip() and line[0] != "#"
    }
    found = {name: why for report in reports for name, why in skipped(report).items()}
    new = {name: why for name, why in found.items() if name not in allowed}
    for name, why in sorted(new.items()):
        print(f"skipped, and not in {allowed_file}: {name}: {why}", file=sys.stderr)
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
