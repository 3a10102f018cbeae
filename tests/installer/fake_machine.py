"""A machine whose venv, pip and product are stand-ins that only make files, in milliseconds."""

from __future__ import annotations

import io
import json
import re
import wave
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from front import Front, _parser
from machine import Machine, Python
from programs import Ran
from voice import Voice

TREE_FILES = {
    "pyproject.toml": "[project]\nname = 'sagafoley'\n",
    "README.md": "# Sagafoley\n",
    "plugin/__init__.py": '__version__ = "1.2.0"\n',
    "plugin/cli.py": "print('hello')\n",
    "models_onnx/bundles/embedded/flow.onnx": "graph\n",
    "resolve_bridge/inside/Sagafoley.py": "print('in the menu')\n",
}
NO_FONTS = {"subject": "fonts", "state": "note", "found": "none", "remedy": "Get some."}
READY = {"ready": True, "findings": [NO_FONTS]}
SMI = "NVIDIA GeForce RTX 4090, {driver}, 8.9, 24564\n"


@dataclass
class FakePrograms:
    """Does what venv, pip and the product would leave behind.

    Attributes:
        smi: what `nvidia-smi` prints; "" when there is none.
        doctor: what the doctor says.
        answers: instead of the stand-in's, by a word of the command line.
        samples: length of the stem that a render leaves.
        calls: every command line.
    """

    smi: str = ""
    doctor: Mapping[str, object] = field(default_factory=lambda: READY)
    answers: dict[str, Ran] = field(default_factory=dict)
    samples: int = 96_000
    calls: list[list[str]] = field(default_factory=list)
    environments: list[dict[str, str]] = field(default_factory=list)

    def run(
        self,
        words: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path | None = None,
        timeout: float | None = None,
        shown: str = "no",
    ) -> Ran:
        self.calls.append(list(words))
        self.environments.append(dict(environment))
        for word, ran in self.answers.items():
            if word in words:
                return ran
        for word, act in self._acts().items():
            if word in words:
                return act(list(words), folder)
        if words[0].endswith("nvidia-smi"):
            return Ran(0, self.smi) if self.smi else Ran(127, "not there")
        return Ran(0, "")

    def count(self, word: str) -> int:
        return sum(word in call for call in self.calls)

    def _acts(self) -> dict[str, Callable[[list[str], Path | None], Ran]]:
        return {
            "venv": self._venv,
            "wheel": self._wheel,
            "install": self._install,
            "download": self._download,
            "doctor": lambda _words, _folder: Ran(0, json.dumps(self.doctor)),
            "generate": self._generate,
        }

    def _venv(self, words: list[str], _folder: Path | None) -> Ran:
        for name in ("bin/python", "bin/pip", "pyvenv.cfg"):
            path = Path(words[-1], name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        return Ran(0, "")

    def _wheel(self, words: list[str], _folder: Path | None) -> Ran:
        source, built = Path(words[-1]), Path(words[words.index("--wheel-dir") + 1])
        built.mkdir(parents=True, exist_ok=True)
        version = re.search('"(.*)"', (source / "plugin/__init__.py").read_text())
        assert version is not None
        with zipfile.ZipFile(built / f"sagafoley-{version[1]}-py3-none-any.whl", "w") as wheel:
            for path in sorted(source.rglob("*")):
                if path.is_file():
                    wheel.write(path, path.relative_to(source).as_posix())
        return Ran(0, "")

    def _install(self, words: list[str], _folder: Path | None) -> Ran:
        environment = Path(words[0]).parents[1]
        site = environment / "lib" / "python3.12" / "site-packages"
        wheel, extras = _asked(words[-1])
        with zipfile.ZipFile(wheel) as opened:
            opened.extractall(site)
        name = "onnxruntime" if "cpu" in extras else "onnxruntime_gpu"
        (site / f"{name}-1.31.1.dist-info").mkdir()
        (site / f"{name}-1.31.1.dist-info" / "METADATA").write_text("Name: onnxruntime\n")
        return Ran(0, "")

    def _download(self, words: list[str], _folder: Path | None) -> Ran:
        wheel, extras = _asked(words[-1])
        folder = Path(words[words.index("--dest") + 1])
        (folder / "numpy-2.0-py3-none-any.whl").write_text(",".join(extras))
        (folder / wheel.name).write_bytes(wheel.read_bytes())
        return Ran(0, "")

    def _generate(self, words: list[str], _folder: Path | None) -> Ran:
        stems = Path(words[words.index("-o") + 1])
        stems.mkdir(parents=True, exist_ok=True)
        path = stems / "flash_001_sound_t01.wav"
        sound = io.BytesIO()
        with wave.open(sound, "wb") as written:
            written.setparams((1, 3, 48_000, 0, "NONE", ""))
            written.writeframes(bytes(3 * self.samples))
        path.write_bytes(sound.getvalue())
        return Ran(0, "note: {one}\n" + json.dumps({"stems": [{"path": str(path)}]}) + "\nnote: two\n")


def _asked(requirement: str) -> tuple[Path, list[str]]:
    """The wheel and the extras that pip is asked for."""
    found = re.fullmatch(r"sagafoley\[(.*)\] @ (file://.*)", requirement)
    assert found is not None, requirement
    return Path(unquote(urlsplit(found[2]).path)), found[1].split(",")


@dataclass
class Desk:
    """A home, a source tree, and the installer in front of both."""

    home: Path
    tree: Path
    machine: Machine
    programs: FakePrograms
    out: io.StringIO = field(default_factory=io.StringIO)
    typed: str | None = None

    @classmethod
    def make(cls, folder: Path, *, system: str = "Linux", home: str = "hö me") -> Desk:
        at_home = folder / home
        at_home.mkdir(parents=True)
        tree = folder / "the source"
        for name, text in TREE_FILES.items():
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        machine = Machine(
            system=system,
            processor="x86_64",
            environment={"PATH": "/usr/bin", "PYTHONPATH": "/opt/resolve", "PIP_USER": "1"},
            home=at_home,
            python=Python(Path("/usr/bin/python3.12"), "3.12.3"),
            system_root=folder / "no driver",
        )
        return cls(at_home, tree, machine, FakePrograms())

    def run(self, *words: str) -> str:
        """What one run says; a failure passes through."""
        self.out = io.StringIO()
        answers = None if self.typed is None else io.StringIO(self.typed)
        voice = Voice(self.out, answers, "yes" if "-v" in words else "no")
        assert Front(self.machine, self.programs, voice, self.tree).run(_parser().parse_args(words)) == 0
        return self.out.getvalue()

    def on(self, **changes: object) -> None:
        """Change the machine."""
        self.machine = replace(self.machine, **changes)  # type: ignore[arg-type]

    def new_version(self, version: str = "1.3.0") -> None:
        (self.tree / "plugin/__init__.py").write_text(f'__version__ = "{version}"\n')

    @property
    def root(self) -> Path:
        return self.home / ".local/share/sagafoley"

    def listing(self) -> dict[str, bytes]:
        """Everything in the home: folders with a slash, files with their bytes."""
        return {
            str(path.relative_to(self.home)) + ("/" if path.is_dir() else ""): b""
            if path.is_dir()
            else path.read_bytes()
            for path in sorted(self.home.rglob("*"))
        }

    def environments(self) -> list[str]:
        return sorted(path.name for path in (self.root / "app").iterdir() if path.is_dir())
