"""Who may import whom: each room of the house stands on the floors below it, and in no circle."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "course_utils"

# From the ground up. A name is a module, or a package as a whole.
FLOORS = (
    {"quantities"},
    {"facts"},
    {"laws", "hardware"},
    {"transformer", "planning", "fitting", "emergence", "lab", "serving", "tokenization"},
    {"data_wall", "large_runs", "rehearsal", "published", "figures", "sampling", "transfer"},
    {"explorers", "live", "plan"},
    {"checks", "drills", "exam", "release", "build", "doctor", "launch"},
    {"grading"},
    {"cli"},
)
FLOOR = {name: height for height, floor in enumerate(FLOORS) for name in floor}
LAB_STANDS_ON = {"facts", "quantities", "lab"}
"""The lab needs numbers and NumPy alone, so that it can be taken elsewhere."""


def rooms_imported(path: Path) -> set[str]:
    """The modules and packages of course_utils that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "course_utils":
            found |= {alias.name for alias in node.names if not alias.name.startswith("_")}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("course_utils."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            found |= {parts[1] for parts in names if parts[0] == "course_utils" and parts[1:]}
    return found


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem != "__init__"
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    here = room(path)
    assert here in FLOOR, f"{here} has no floor yet: enter it in FLOORS"
    for other in rooms_imported(path) - {here}:
        assert FLOOR[other] <= FLOOR[here], f"{here} imports {other}, which stands above it"
        if here == "lab":
            assert other in LAB_STANDS_ON


def test_no_two_rooms_import_each_other() -> None:
    imports: dict[str, set[str]] = {}
    for path in FILES:
        imports.setdefault(room(path), set()).update(rooms_imported(path) - {room(path)})
    seen: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"a circle: {' -> '.join((*above, name))}"
        if name not in seen:
            for other in imports.get(name, ()):
                visit(other, (*above, name))
            seen.add(name)

    for name in imports:
        visit(name, ())
