"""Installing and bringing up to date: the steps of a plan, each of which a kill may interrupt.

The new environment is made beside the one in use, tried, and only then do the launchers turn to it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from checking import Trial
from environment import Pip, check_one_runtime, make_environment, requirement, wheel_of
from faults import InstallError, write_error
from launchers import MODULE
from placing import Put, Wanted, list_tree, listing_of, put_all, remove_tree, summary, take_away
from plan import Plan
from programs import Programs
from record import Entry, Record
from runtimes import CPU
from voice import Voice

_QT_LIBRARIES = "libegl1 libgl1 libxkbcommon0 libfontconfig1 libdbus-1-3"


@dataclass(frozen=True, slots=True)
class Installation:
    """A plan that is carried out.

    Attributes:
        record: of the folder, begun.
        shown: "yes" where pip's progress bars have a terminal.
    """

    plan: Plan
    record: Record
    programs: Programs
    voice: Voice
    shown: str = "no"

    def run(self) -> None:
        """Carry it out.

        Raises:
            InstallError: a step failed; what was in use before still is, and another run goes on from here.
        """
        try:
            self._clear_staging()
            self._stage()
            if self.plan.environment_state() != "whole":
                self._make_environment()
            self._put_files()
            self._turn()
            self._remove_obsolete()
            self._clear_staging()
        except OSError as error:
            raise write_error(Path(error.filename or self.record.root), error) from error

    # -- the environment ---------------------------------------------------------------------------

    def _stage(self) -> None:
        """Our folder for what is needed meanwhile; what was fetched before a kill is still in it."""
        staging = self.plan.places.staging
        self._foresee_folders()
        self.record.add(staging, Entry("tree", state="making"))
        staging.mkdir(exist_ok=True)

    def _foresee_folders(self) -> None:
        """Folders that the product will make when it runs, so that they can go again when they are empty."""
        places = self.plan.places
        own = (places.cache, places.config, places.data)
        coming = {each for folder in own for each in (folder, *folder.parents) if not each.exists()}
        self.record.add_all({folder: Entry("folder") for folder in sorted(coming)})

    def _make_environment(self) -> None:
        plan, tree = self.plan, self.plan.environment
        self._remove_tree(tree)
        self.record.add(plan.places.environments, Entry("folder"))
        self.record.add(tree, Entry("tree", state="making"))
        plan.places.environments.mkdir(exist_ok=True)
        self.voice.say(f"Making an environment in {tree}")
        make_environment(plan.machine, self.programs, tree=tree, staging=plan.places.staging)
        self._fill(tree)
        check_one_runtime(plan.places, tree)
        self._try(tree)
        self._list(tree)
        self.record.add(tree, Entry("tree", state="whole"))

    def _fill(self, tree: Path) -> None:
        plan = self.plan
        pip = Pip(
            machine=plan.machine,
            programs=self.programs,
            python=plan.places.python_of(tree),
            staging=plan.places.staging,
            wheels=plan.choices.wheels,
            shown=self.shown,
        )
        if not plan.product.is_wheel:
            self.voice.say("Building Sagafoley")
        wheel = wheel_of(plan.product, pip)
        runtime = plan.choices.runtime
        self.voice.say(f"Installing Sagafoley {plan.product.version} with onnxruntime ({runtime.title})")
        pip.run("install", requirement(wheel, plan.choices.extras))

    def _try(self, tree: Path) -> None:
        python = self.plan.places.python_of(tree)
        trial = self._trial(str(python), "-I", "-m", MODULE)
        self.voice.say("Checking: the doctor, and a two-second render")
        for note in trial.doctor():
            if not note.startswith(self._of_no_interest()):
                self.voice.note(note)
        trial.render(python)
        fault = trial.panel(python) if self.plan.choices.panel == "yes" else ""
        if fault:
            self.voice.note(f"The panel's window cannot open here: {fault}")
            if self.plan.machine.system == "Linux":
                self.voice.note(f"-> Debian, Ubuntu: sudo apt install {_QT_LIBRARIES}")

    def _of_no_interest(self) -> tuple[str, ...]:
        """How the doctor's notes begin on what was not chosen."""
        choices = self.plan.choices
        gpu = () if choices.runtime is not CPU else ("provider ",)
        return (*gpu, *(() if choices.resolve == choices.panel == "yes" else ("Resolve",)))

    def _trial(self, *start: str) -> Trial:
        folder = self.plan.places.staging / "trial"
        folder.mkdir(exist_ok=True)
        return Trial(self.plan.machine, self.programs, start, folder)

    # -- files -------------------------------------------------------------------------------------

    def _put_files(self) -> None:
        for wanted, became in put_all(self.record, self.plan.files()):
            line = f"{wanted.path}: {became.value}"
            if became in {Put.ASIDE, Put.FOREIGN, Put.REFUSED}:
                self.voice.note(line)
            elif became is not Put.SAME:
                self.voice.detail(line)

    def _list(self, tree: Path) -> None:
        listing = Wanted(listing_of(tree), list_tree(tree))
        ((_, became),) = put_all(self.record, [listing])
        if became is Put.FOREIGN:
            raise InstallError(
                f"{listing.path} is in the way.", remedy="Move it elsewhere and run the installer again."
            )

    def _turn(self) -> None:
        """From here on the new environment is the one in use."""
        plan = self.plan
        if plan.machine.system != "Windows":
            self._trial(str(plan.places.launcher)).answers()
        self.record.settle(
            version=plan.product.version,
            key=plan.key,
            runtime=plan.choices.runtime.name,
            panel=plan.choices.panel,
            resolve=plan.choices.resolve,
            python=str(plan.machine.python.executable),
        )

    # -- what goes ---------------------------------------------------------------------------------

    def _remove_obsolete(self) -> None:
        for path in self.plan.obsolete_files():
            if take_away(self.record, path):
                self.record.drop(path)
            else:
                self.voice.note(f"{path}: no longer needed; kept, because you changed it")
                self.record.drop(path)
        for tree in self.plan.obsolete_trees():
            if tree != self.plan.places.staging:
                self._remove_tree(tree)

    def _remove_tree(self, tree: Path) -> None:
        """Remove an environment; one that another program has open stays until the next run."""
        try:
            kept = remove_tree(self.record, tree)
            take_away(self.record, listing_of(tree))
        except PermissionError as error:
            self.voice.note(f"{tree}: in use ({error.strerror}); close Sagafoley and run the installer again")
            return
        self.record.drop(listing_of(tree))
        self.record.drop(tree)
        for line in summary(kept):
            self.voice.note(f"kept, because it is not as we put it there: {line}")

    def _clear_staging(self) -> None:
        """All but fetched packages, unless everything is done."""
        staging = self.plan.places.staging
        if not staging.is_dir():
            self.record.drop(staging)
            return
        done = self.record.facts.key == self.plan.key
        if done:
            shutil.rmtree(staging)
            self.record.drop(staging)
            return
        for path in _entries(staging):
            if path.name != "fetched":
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _entries(folder: Path) -> Iterator[Path]:
    yield from list(folder.iterdir())
