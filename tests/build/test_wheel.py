"""The wheel: it is built from the checkout, holds what it needs, and works where nothing else is installed."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

import stanch

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "src" / "stanch"
# A browser loads what these name: attributes of elements, imports of styles and modules.
_LOADS: Final = re.compile(
    r"""(?:\b(?:src|href|action)\s*=\s*|\burl\(\s*|@import\s+|\bimport\s*\(?\s*|\bfrom\s+)["']?(?:https?:)?//(?P<host>[^/"'\s)]+)"""
)
_LINK: Final = re.compile(r"<a\s[^>]*>")

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the wheel, built without asking any index."""
    folder = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the commands of a fresh environment with the wheel and the runtime lock, no more."""
    home = tmp_path_factory.mktemp("fresh") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    into = ("--python", str(home / "bin" / "python"), "install", "--no-compile", "--no-deps")
    _pip(*into, "--require-hashes", "-r", str(ROOT / "requirements.lock"))
    _pip(*into, str(wheel))
    _pip("--python", str(home / "bin" / "python"), "check")
    return home / "bin"


def _pip(*arguments: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    """Everything under src/stanch is in the wheel: code, templates, pictures, scripts, styles."""
    expected = {
        f"stanch/{path.relative_to(PACKAGE)}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert expected == {name for name in _names(wheel) if name.startswith("stanch/")}


def test_wheel_holds_its_licence(wheel: Path) -> None:
    """The licence travels with the wheel."""
    assert f"stanch-{stanch.__version__}.dist-info/licenses/LICENSE" in _names(wheel)


def test_wheel_loads_nothing_from_elsewhere(wheel: Path) -> None:
    """No page, style or script of the wheel loads anything from another host."""
    found = []
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if Path(name).suffix in {".html", ".j2", ".css", ".js", ".svg"}:
                # A link is followed by a person, not loaded by the page; SVG names its namespace.
                text = _LINK.sub("", archive.read(name).decode()).replace("http://www.w3.org/", "")
                found += [f"{name}: {match['host']}" for match in _LOADS.finditer(text)]

    assert found == []


def test_installed_command_tells_its_version(installed: Path) -> None:
    """In a fresh environment, `stanch version` tells the version of the sources."""
    ran = subprocess.run([installed / "stanch", "version"], capture_output=True, text=True, check=False, cwd="/")

    assert (ran.returncode, ran.stderr) == (0, "")
    assert stanch.__version__ in ran.stdout


def test_installed_command_has_help(installed: Path) -> None:
    """In a fresh environment, `stanch --help` works."""
    ran = subprocess.run([installed / "stanch", "--help"], capture_output=True, text=True, check=False, cwd="/")

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Usage" in ran.stdout
