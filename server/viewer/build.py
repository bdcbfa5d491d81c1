"""Build the viewer if its sources changed since the last time; `--check` also tests it.

Uses the system's Node.js where it is new enough, else the one that a wheel put into this
environment.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
STAMP = HERE / "dist" / ".built-from"
INSTALLED = HERE / "node_modules" / ".installed-from"
NODE_AT_LEAST = (20, 19)


def main() -> None:
    """Install what is missing, build what is stale."""
    environment = {**os.environ, "PATH": search_path()}
    lock = digest([HERE / "package.json", HERE / "package-lock.json"])
    if not is_from(INSTALLED, lock):
        print("installing the viewer's packages", flush=True)
        npm(environment, "ci", "--no-audit", "--no-fund", "--loglevel=error")
        INSTALLED.write_text(lock)
    sources = digest(source_files())
    if not is_from(STAMP, sources):
        print("building the viewer", flush=True)
        npm(environment, "run", "--silent", "build")
        STAMP.write_text(sources)
    if "--check" in sys.argv:
        npm(environment, "run", "--silent", "typecheck")
        npm(environment, "run", "--silent", "test")


def search_path() -> str:
    """PATH, with this environment's own Node.js in front where the system's is missing or old."""
    node = shutil.which("node")
    if node is not None and shutil.which("npm") is not None:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        version = tuple(int(part) for part in re.findall(r"\d+", said.stdout)[:2])
        if version >= NODE_AT_LEAST:
            return os.environ["PATH"]
    own = Path(sys.executable).parent
    if not (own / "node").exists():
        sys.exit("Node.js 20.19 or newer is needed; run `make viewer`, which installs it")
    return f"{own}{os.pathsep}{os.environ['PATH']}"


def source_files() -> list[Path]:
    """Everything the build depends on."""
    pages = [HERE / name for name in ("index.html", "office.html", "renewal.html", "checkup.html")]
    tracked = [*pages, *(HERE / name for name in ("package.json", "package-lock.json"))]
    return [*tracked, *HERE.glob("*.ts"), *HERE.glob("tsconfig*.json"), *(HERE / "src").rglob("*")]


def digest(paths: list[Path]) -> str:
    """One hash over the names and contents of files."""
    whole = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        whole.update(str(path.relative_to(HERE)).encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def is_from(stamp: Path, wanted: str) -> bool:
    """Whether a stamp file bears a hash."""
    return stamp.is_file() and stamp.read_text() == wanted


def npm(environment: dict[str, str], *arguments: str) -> None:
    """Run npm in the viewer's folder; its failure is ours."""
    executable = shutil.which("npm", path=environment["PATH"]) or "npm"
    done = subprocess.run([executable, *arguments], cwd=HERE, env=environment, check=False)
    if done.returncode != 0:
        sys.exit(f"npm {' '.join(arguments)} failed; its message is above")


if __name__ == "__main__":
    main()
