"""Laws of the house that speak of text and syntax; those that speak of imports are contracts in
`pyproject.toml`, checked by `make check`."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import PRODUCT, ROOT, Module, modules, texts

FILE_LINES = 400
FUNCTION_LINES = 70
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
BOOKS = "transactions|entries|lots|lot_uses"
ORM_WRITES = {"bulk_create", "bulk_update", "create", "delete", "get_or_create", "save", "update"}


def test_a_file_has_one_subject() -> None:
    """No Python file is longer than 400 lines."""
    lengths = {module.path: module.text.count("\n") for module in product_and_tests()}
    assert [path for path, lines in lengths.items() if lines > FILE_LINES] == []


def test_a_function_fits_on_a_screen() -> None:
    """No function is longer than 70 lines."""
    assert [
        f"{module.at(function)} {function.name}"
        for module in product_and_tests()
        for function in module.functions()
        if (function.end_lineno or 0) - function.lineno > FUNCTION_LINES
    ] == []


def test_imports_stand_at_the_top() -> None:
    """No function imports: what a module needs is seen at its head."""
    assert [
        module.at(node)
        for module in product_and_tests()
        for function in module.functions()
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ] == []


def test_only_the_schema_imports_for_typing_alone() -> None:
    """Outside the schema, whose types refer to each other, no import hides from the contracts."""
    assert [
        module.at(node)
        for module in modules("gateway", "brands")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ] == []


def test_rooms_are_named_after_the_business() -> None:
    """No module is called after nothing in particular, and no package has a room `core`."""
    rooms = [Path(module.path) for module in product_and_tests()]
    assert [str(room) for room in rooms if {room.stem, *room.parent.parts} & VAGUE] == []
    assert [str(room) for room in rooms if room.stem == "core" and len(room.parts) == 2] == []


def test_only_the_ledger_writes_the_books() -> None:
    """Outside the ledger no SQL inserts, updates or deletes what the books are made of."""
    write = re.compile(
        rf"\b(insert\s+into|update|delete\s+from|truncate(\s+table)?)\s+\"?({BOOKS})\b", re.I
    )
    assert [
        f"{module.path}: {match.group()}"
        for module in modules(*PRODUCT)
        if not module.path.startswith("brands/ledger/")
        for match in write.finditer(module.text)
    ] == []


def test_nobody_edits_what_is_append_only() -> None:
    """No SQL in the product updates or deletes rows of an append-only table."""
    tables = "|".join(append_only_tables())
    assert "entries" in tables
    edit = re.compile(rf"\b(update|delete\s+from|truncate(\s+table)?)\s+\"?({tables})\b", re.I)
    assert [
        f"{module.path}: {match.group()}"
        for module in modules(*PRODUCT)
        for match in edit.finditer(module.text)
    ] == []


def test_rows_of_the_books_are_for_reading() -> None:
    """No code creates, saves, updates or deletes rows of the books through the ORM."""
    rows = {
        node.name
        for module in modules("brands")
        if module.path == "brands/tables/books.py"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith("Row")
    }
    assert rows
    assert [
        f"{module.at(call)} {ast.unparse(call.func)}"
        for module in modules(*PRODUCT)
        for call in calls(module)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in ORM_WRITES
        and first_name(call.func) in rows
    ] == []


def test_the_core_is_told_the_time_and_the_ids() -> None:
    """The pure part of the books imports nothing that reads a clock or makes an id."""
    pure = pure_modules()
    assert "brands/ledger/core.py" in pure
    assert [
        f"{module.at(node)} {name.name}"
        for module in modules("brands")
        if module.path in pure
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if name.name.startswith(("now", "new_", "uuid")) or name.name in {"clock", "ids"}
    ] == []


def test_no_float_touches_points_or_money() -> None:
    """The domain never calls `float`: points are integers, money is integer micro-units."""
    assert [
        module.at(call)
        for module in modules("brands")
        for call in calls(module)
        if isinstance(call.func, ast.Name) and call.func.id == "float"
    ] == []


def test_every_test_states_its_law() -> None:
    """Every test has a docstring of one sentence."""
    assert [
        f"{module.at(function)} {function.name}"
        for module in modules("tests")
        for function in module.functions()
        if function.name.startswith("test_")
        and not is_one_sentence(ast.get_docstring(function) or "")
    ] == []


def test_the_repository_names_no_machine() -> None:
    """No file names a home directory or the place where this copy of the repository lies."""
    here_and_home = "|".join(re.escape(str(path)) for path in {ROOT, Path.home()} - {Path("/")})
    place = re.compile(rf"(?<![\w.])(/home/\w|/Users/\w|({here_and_home})/)")
    here = str(Path(__file__).relative_to(ROOT))
    assert [
        f"{path}: {match.group()}"
        for path, text in texts().items()
        if path != here
        for match in place.finditer(text)
    ] == []


def test_links_between_the_documents_lead_somewhere() -> None:
    """Every relative link in a document leads to a file of the repository."""
    link = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
    assert [
        f"{path}: {match.group(1)}"
        for path, text in texts().items()
        if path.endswith(".md")
        for match in link.finditer(text)
        if not is_inside((ROOT / path).parent / match.group(1))
    ] == []


def test_the_lock_pins_versions_and_names_no_address() -> None:
    """Every requirement in the lock has one exact version and a hash, and none has an address."""
    lock = (ROOT / "requirements.lock").read_text()
    lines = [line for line in lock.splitlines() if line and not line.lstrip().startswith("#")]
    pinned = re.compile(r"[a-z0-9][a-z0-9._-]*==[\w.]+( ; .+)? \\")
    hashed = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")

    assert "://" not in lock
    assert [line for line in lines if not (pinned.fullmatch(line) or hashed.fullmatch(line))] == []
    assert [
        requirement
        for requirement, following in zip(lines, [*lines[1:], ""], strict=True)
        if pinned.fullmatch(requirement) and not hashed.fullmatch(following)
    ] == []


def test_the_lock_of_the_node_tools_pins_versions_and_names_no_address() -> None:
    """Every tool for Node.js has one exact version, and every package of theirs a hash and no
    address to get it from."""
    named = json.loads((ROOT / "tests/node/package.json").read_text())
    versions = [*named["devDependencies"].values(), *named["overrides"].values()]
    assert [each for each in versions if not re.fullmatch(r"\d+\.\d+\.\d+", each)] == []
    lock = (ROOT / "tests/node/package-lock.json").read_text()
    assert "://" not in lock  # npm writes whom to fund as well; that is left out
    packages = json.loads(lock)["packages"]
    assert packages.pop("")["devDependencies"] == named["devDependencies"]
    assert [
        name for name, each in packages.items() if "resolved" in each or "integrity" not in each
    ] == []


def product_and_tests() -> list[Module]:
    """Every Python file but the migrations."""
    return [module for module in modules(*PRODUCT, "tests") if not module.is_migration]


def pure_modules() -> set[str]:
    """The paths of the modules that the import contracts keep pure."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = configuration["tool"]["importlinter"]["contracts"]
    pure = next(contract for contract in contracts if contract.get("id") == "pure")
    return {name.replace(".", "/") + ".py" for name in pure["source_modules"]}


def append_only_tables() -> Iterator[str]:
    """The tables that the migrations guard with triggers."""
    for module in modules("brands"):
        for call in calls(module):
            if isinstance(call.func, ast.Name) and call.func.id == "append_only":
                yield from (ast.literal_eval(argument) for argument in call.args)


def calls(module: Module) -> Iterator[ast.Call]:
    """Every call in a module."""
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))


def first_name(node: ast.expr) -> str | None:
    """The name that a chain of attributes and calls begins with: `Row` in `Row.filter().first`."""
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def is_one_sentence(text: str) -> bool:
    """Whether a text ends as a sentence does, and does so once."""
    words = " ".join(text.split())
    return words.endswith(".") and not re.search(r"[.!?]\s+[A-Z]", words)


def is_inside(target: Path) -> bool:
    """Whether a path exists and lies in the repository."""
    return target.exists() and target.resolve().is_relative_to(ROOT)


@pytest.mark.parametrize("floor", ["gateway", "brands"])
def test_every_room_is_on_the_plan(floor: str) -> None:
    """`docs/rooms.md` names every module of a floor in the row of its package, and no other."""
    plan = (ROOT / "docs" / "rooms.md").read_text()
    rows = re.findall(r"^\| (?:`([\w.]+)` )?\| [^|]* \| (`.*`) \|$", plan, re.MULTILINE)
    named, package = [], ""
    for heading, rooms in rows:
        package = heading or package
        named += [f"{package}.{room}" for room in re.findall(r"`(\w+)`", rooms)]
    there = [
        module.path.removesuffix(".py").replace("/", ".")
        for module in modules(floor)
        if not module.path.endswith("__.py")
        and not module.path.startswith(("brands/ledger/", "brands/tables/"))
    ]
    assert sorted(each for each in named if each.startswith(floor)) == sorted(there)
