"""The repository as the laws read it: its files, and its Python as syntax trees."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("gateway", "schema", "brands")

_GENERATED = {
    *(".git", ".venv", "build", "dist", "var", "__pycache__", ".hypothesis", ".ruff_cache"),
    *(".mypy_cache", ".pytest_cache", ".import_linter_cache", "node_modules"),
}
_TEXT = {"", ".csv", ".css", ".graphql", ".html", ".js", ".lock", ".md", ".py", ".sql", ".toml"}
_TEXT |= {".txt", ".yaml", ".yml"}


@dataclass(frozen=True)
class Module:
    """A Python file: where it is, what it says, and how that parses."""

    path: str
    text: str
    tree: ast.Module

    @property
    def is_migration(self) -> bool:
        """Whether the limits on length spare it: a migration is SQL, and never edited again."""
        return "/migrations/" in self.path

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function, methods and nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def at(self, node: ast.expr | ast.stmt) -> str:
        """Where a node stands, as an editor opens it."""
        return f"{self.path}:{node.lineno}"


def modules(*packages: str) -> list[Module]:
    """The Python files below these packages."""
    return [module for module in _modules() if module.path.split("/")[0] in packages]


@cache
def texts() -> dict[str, str]:
    """Every text file that belongs to the repository, by its path."""
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in sorted(_files(ROOT))
        if path.suffix in _TEXT
    }


@cache
def _modules() -> list[Module]:
    return [
        Module(path, text, ast.parse(text, path))
        for path, text in texts().items()
        if path.endswith(".py")
    ]


def _files(directory: Path) -> Iterator[Path]:
    for path in directory.iterdir():
        if path.is_symlink() or path.name in _GENERATED:
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path
