"""The installer's command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collecting import collect
from faults import InstallError
from gpu import find_gpu
from installation import Installation
from locking import locked
from machine import Machine
from places import Places, places_of
from placing import Put
from plan import Choices, Plan
from product import product_of
from programs import Programs, RealPrograms
from record import Record, clear_beginning
from removal import Removal
from runtimes import CPU, RUNTIMES, Fitting, Runtime, fitting
from voice import Voice

HERE = Path(__file__).resolve().parent
DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code."""
    options = _parser().parse_args(arguments)
    voice = Voice.standard(verbose="yes" if options.verbose else "no")
    try:
        return Front(Machine.this(), RealPrograms(), voice, HERE.parent).run(options)
    except InstallError as error:
        print(f"error: {error.message}\n  -> {error.remedy}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("\nStopped. Run the same line to go on.", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 (the outermost edge: a user never meets a traceback)
        print(f"error: Something unforeseen happened: {type(error).__name__}: {error}.", file=sys.stderr)
        print("  -> Run the same line again; if it stays so, send this to the makers.", file=sys.stderr)
        return FAILED


@dataclass(frozen=True, slots=True)
class Front:
    """The installer on one machine.

    Attributes:
        tree: where Sagafoley's source would be.
    """

    machine: Machine
    programs: Programs
    voice: Voice
    tree: Path

    def run(self, options: argparse.Namespace) -> int:
        """Do what the options say.

        Raises:
            InstallError: it cannot be done.
        """
        prefix = Path(os.path.abspath(options.prefix.expanduser())) if options.prefix else None  # noqa: PTH100 (no `..` in the record, and links as they are)
        places = places_of(self.machine, prefix)
        if options.uninstall:
            return self._remove(places, options)
        self.machine.check()
        if options.collect:
            return self._collect(options)
        return self._install(places, options)

    # -- installing --------------------------------------------------------------------------------

    def _install(self, places: Places, options: argparse.Namespace) -> int:
        record = Record.load(places.root)
        plan = self._plan(places, record, options)
        if plan.is_done():
            self.voice.say(f"Sagafoley {plan.product.version} is installed as asked; nothing was changed.")
            return DONE
        _check_way(plan)
        self._tell(plan, options)
        if options.dry_run:
            return DONE
        if plan.room > plan.free():
            raise InstallError(
                f"Not enough room: about {_size(plan.room)} are needed in {places.root}, "
                f"{_size(plan.free())} are free.",
                remedy="Free some space, or choose another disk with --prefix FOLDER.",
            )
        if record is None:
            clear_beginning(places.root)
            record = Record.begin(places.root)
        with locked(places.root):
            record = Record.load(places.root) or record  # another installer may just have ended
            plan = Plan(plan.machine, places, plan.product, plan.choices, record)
            shown = "yes" if self.voice.answers is not None else "no"
            Installation(plan, record, self.programs, self.voice, shown).run()
        self._farewell(plan)
        return DONE

    def _plan(self, places: Places, record: Record | None, options: argparse.Namespace) -> Plan:
        wheels = options.offline.expanduser().absolute() if options.offline else None
        if wheels is not None and not wheels.is_dir():
            raise InstallError(f"There is no folder {wheels}.", remedy="Name the folder of the wheels.")
        product = product_of(options.wheel.absolute() if options.wheel else None, wheels, self.tree)
        facts = record.facts if record else None
        choices = Choices(
            runtime=self._runtime(options, facts.runtime if facts else ""),
            panel=options.panel or (facts.panel if facts else "yes"),
            resolve=options.resolve or (facts.resolve if facts else "yes"),
            wheels=wheels,
        )
        return Plan(self.machine, places, product, choices, record)

    def _runtime(self, options: argparse.Namespace, earlier: str) -> Runtime:
        """The onnxruntime: as named, as it was, or as this machine and the user's answer have it."""
        if options.gpu in RUNTIMES:
            return RUNTIMES[options.gpu]
        if options.gpu == "no":
            return CPU
        if options.gpu == "ask" and earlier in RUNTIMES:
            return RUNTIMES[earlier]
        fits = fitting(self.machine, find_gpu(self.machine, self.programs))
        if options.gpu == "yes":
            return _forced(fits)
        return self._offer(fits, "no" if options.dry_run else "yes")

    def _offer(self, fits: Fitting, asking: str) -> Runtime:
        if fits.pack is None:
            self.voice.say(f"{fits.reason} Sagafoley will render on the CPU.")
            return CPU
        size = _size(fits.pack.download(self.machine.system))
        self.voice.say(f"{fits.reason} {fits.pack.title}: a download of about {size}.")
        if asking == "yes" and self.voice.agrees(f"Fetch the GPU pack ({size})?"):
            return fits.pack
        self.voice.say("Without it Sagafoley renders on the CPU; `--gpu yes` adds the pack at any time.")
        return CPU

    def _tell(self, plan: Plan, options: argparse.Namespace) -> None:
        would = "would " if options.dry_run else ""
        self.voice.say(f"Sagafoley {plan.product.version}, from {plan.product.path}")
        self.voice.say(f"  Python       {plan.machine.python.executable} ({plan.machine.python.version})")
        self.voice.say(f"  onnxruntime  {plan.choices.runtime.title}")
        self.voice.say(f"  panel        {plan.choices.panel}")
        fetched = f"about {_size(plan.download)} to fetch" if plan.download else "nothing to fetch"
        self.voice.say(f"  room         {fetched}, {_size(plan.room)} needed, {_size(plan.free())} free")
        state = plan.environment_state()
        if state != "whole":
            self.voice.say(f"  {would}make environment ({state}): {plan.environment}")
        self._tell_files(plan, would)
        for path in (*plan.obsolete_files(), *plan.obsolete_trees()):
            going_on = path == plan.places.staging
            self.voice.say("  going on after an interruption" if going_on else f"  {would}remove {path}")
        if options.dry_run:
            self.voice.say("Nothing was changed (--dry-run).")

    def _tell_files(self, plan: Plan, would: str) -> None:
        """Every file but the installer's own copy, which is told as one."""
        copies = 0
        for wanted, became in plan.file_states():
            if became is Put.NEW and wanted.path.parent == plan.places.installer:
                copies += 1
            elif became is Put.NEW:
                self.voice.say(f"  {would}put {wanted.path}")
            elif became is not Put.SAME:
                self.voice.say(f"  {wanted.path}: {would and 'would be '}{became.value}")
        if copies:
            self.voice.say(f"  {would}put {plan.places.installer}: this installer, {copies} files")

    def _farewell(self, plan: Plan) -> None:
        places = plan.places
        self.voice.say(f"Sagafoley {plan.product.version} is installed and works.")
        command = places.command or places.launcher
        folders = self.machine.environment.get("PATH", "").split(
            ";" if self.machine.system == "Windows" else ":"
        )
        if str(command.parent) in folders:
            self.voice.say("  command line:  sagafoley doctor")
        else:
            self.voice.say(f"  command line:  {command} doctor   (add {command.parent} to your PATH)")
        if places.menu_entry.exists():
            self.voice.say(f"  panel:         Sagafoley in the menu of applications ({places.menu_entry})")
        if places.menu_note.exists():
            self.voice.say(
                "  DaVinci Resolve: Workspace > Scripts > Sagafoley, after Resolve was started again"
            )
        self.voice.say(f"  remove it:     {places.remover}")

    # -- the other ways ----------------------------------------------------------------------------

    def _remove(self, places: Places, options: argparse.Namespace) -> int:
        clear_beginning(places.root)
        record = Record.load(places.root)
        if record is None:
            self.voice.say(f"Sagafoley is not installed in {places.root}; nothing was changed.")
            return DONE
        removal = Removal(record, places, self.voice, "yes" if options.purge else "no")
        if options.dry_run:
            removal.preview()
            self.voice.say("Nothing was changed (--dry-run).")
            return DONE
        with locked(places.root):
            removal.run()
        self.voice.say("Sagafoley was removed.")
        return DONE

    def _collect(self, options: argparse.Namespace) -> int:
        wheel = options.wheel.absolute() if options.wheel else None
        product = product_of(wheel, None, self.tree)
        choices = Choices(self._runtime(options, CPU.name), panel=options.panel or "yes")
        collect(self.machine, self.programs, product, choices, options.collect.expanduser().absolute())
        self.voice.say(f'All wheels are in {options.collect}; install with --offline "{options.collect}"')
        return DONE


def _check_way(plan: Plan) -> None:
    for wanted, state in plan.file_states():
        if state is Put.FOREIGN and wanted.path.is_relative_to(plan.places.root):
            raise InstallError(
                f"{wanted.path} is in the way: it is not ours, or its record is gone.",
                remedy="Move it elsewhere, or choose another place with --prefix FOLDER.",
            )


def _forced(fits: Fitting) -> Runtime:
    if fits.pack is None:
        raise InstallError(
            f"No GPU pack fits this machine. {fits.reason}",
            remedy="Leave out --gpu yes, or name a pack: --gpu cuda13 or --gpu cuda12.",
        )
    return fits.pack


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="install.py",
        description="Install Sagafoley for this user, bring it up to date, or remove it. Needs no root.",
        epilog="Run it again at any time: it goes on after an interruption, repairs, brings up to date, "
        "and changes nothing when all is as it should be.",
        allow_abbrev=False,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--uninstall", action="store_true", help="Remove exactly what was put there.")
    what.add_argument("--collect", type=Path, metavar="FOLDER", help="Fetch all wheels for --offline.")
    parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and do nothing.")
    parser.add_argument(
        "--gpu",
        choices=("ask", "yes", "no", "cuda13", "cuda12"),
        default="ask",
        help="The GPU pack for NVIDIA: ask when one fits (default), yes, no, or one by name.",
    )
    parser.add_argument("--offline", type=Path, metavar="WHEELS", help="Take all packages from this folder.")
    parser.add_argument("--wheel", type=Path, metavar="FILE", help="Install this wheel, not the source here.")
    parser.add_argument("--prefix", type=Path, metavar="FOLDER", help="Where the environment goes.")
    parser.add_argument(
        "--no-panel", dest="panel", action="store_const", const="no", help="Without the window."
    )
    parser.add_argument(
        "--panel", dest="panel", action="store_const", const="yes", help="With it, after all."
    )
    parser.add_argument(
        "--no-resolve", dest="resolve", action="store_const", const="no", help="No script in Resolve's menu."
    )
    parser.add_argument(
        "--resolve", dest="resolve", action="store_const", const="yes", help="With it, after all."
    )
    parser.add_argument(
        "--purge", action="store_true", help="With --uninstall: also settings and fetched bundles."
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="Tell every file.")
    return parser
