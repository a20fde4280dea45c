"""Programs for Node.js that look at the API from outside: installed once, run in bounded time."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

NODE = Path(__file__).parents[1] / "node"
ROOT = NODE.parents[1]

_INSTALL_SECONDS = 180
_RUN_SECONDS = 60


def is_there() -> bool:
    """Whether Node.js and its package manager are on this machine."""
    return shutil.which("node") is not None and shutil.which("npm") is not None


def install() -> None:
    """Installs what the lock names, unless that was done. One at a time, whoever else runs."""
    lock = NODE / "package-lock.json"
    done = NODE / "node_modules" / ".installed"
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        wanted = sha256(held.read()).hexdigest()
        if done.is_file() and done.read_text() == wanted:
            return
        quietly = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        said = subprocess.run(
            ("npm", "ci", *quietly),
            cwd=NODE,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=False,
        )
        assert said.returncode == 0, said.stdout + said.stderr
        done.write_text(wanted)


def run(
    script: str, *arguments: object, more: Mapping[str, str] | None = None, at: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Runs a script of `tests/node` to its end, in the root of the repository or elsewhere."""
    return subprocess.run(
        ("node", str(NODE / script), *map(str, arguments)),
        cwd=at,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **(more or {})},
        capture_output=True,
        text=True,
        timeout=_RUN_SECONDS,
        check=False,
    )
