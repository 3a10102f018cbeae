"""The command line's words: commands, options, their help, and what a wrong one is answered with."""

from __future__ import annotations

import argparse
import difflib
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NoReturn, cast

from plugin import __version__
from plugin.cli.mask_options import SUMMARY, TEXT, USAGE, add_mask_options
from plugin.cli.values import (
    frame_rate,
    mask_track,
    positive_seconds,
    real_number,
    seconds,
    whole_number,
)
from plugin.cues import MAX_GUIDANCE, MAX_STEPS, MatteChannel, Resize
from plugin.settings import add_arguments

PROGRAM = "sagafoley"
EXIT_CODES = "exit codes: 0 done, 1 some cues failed, 2 wrong usage or input, 130 cancelled"
EXAMPLES = {
    "render": f"{PROGRAM} render film.otio -o stems",
    "spots": f"{PROGRAM} spots film.otio --write cues.toml",
    "generate": f"{PROGRAM} generate shot.mp4 --mask matte.mp4 --prompt violin",
    "mask": f"{PROGRAM} mask shot.mp4 --label violin --box 600,300,760,420",
    "resolve": f"{PROGRAM} resolve status",
    "panel": f"{PROGRAM} panel film.otio",
    "models": f"{PROGRAM} models list",
    "doctor": f"{PROGRAM} doctor",
}
_AddParser = Callable[..., argparse.ArgumentParser]


class SayWhatToType(argparse.ArgumentParser):
    """A parser whose complaints end with a line that works."""

    def error(self, message: str) -> NoReturn:
        """Print the complaint and what to type instead; exit with 2."""
        command = self.prog.removeprefix(PROGRAM).strip().split(" ")[0]
        example = EXAMPLES.get(command, EXAMPLES["render"])
        wrong = f"{self.prog}: {_with_suggestion(message)}\n"
        self.exit(2, f"{wrong}Type for example: {example}\nAll options: {self.prog} --help\n")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of one command line; exits with 2 (or 0 after help) when there is nothing to run."""
    parser = _parser()
    options = parser.parse_args(arguments)
    options.typed = tuple(sys.argv[1:] if arguments is None else arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        parser.exit(2)
    if options.command == "render" and options.timeline is None and options.host is None:
        parser.error("render: the following arguments are required: TIMELINE (or --host resolve)")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = SayWhatToType(
        prog=PROGRAM,
        description="The synchronised sound of one chosen object in a shot, as a stem on a new audio track.",
        epilog="first steps:\n"
        f"  {EXAMPLES['doctor']:<58} is everything there?\n"
        f"  {EXAMPLES['spots']:<58} what would be rendered?\n"
        f"  {EXAMPLES['render']:<58} render it\n\n{EXIT_CODES}",
        formatter_class=_help_format,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=SayWhatToType)
    for add in (
        _add_render,
        _add_spots,
        _add_generate,
        _add_mask,
        _add_resolve,
        _add_panel,
        _add_models,
        _add_doctor,
    ):
        add(commands.add_parser)
    return parser


def _help_format(prog: str) -> argparse.HelpFormatter:
    width = min(shutil.get_terminal_size().columns, 110)
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=width)


def _with_suggestion(message: str) -> str:
    """Add "did you mean" to argparse's complaint about an unknown command."""
    match = re.match(r"argument COMMAND: invalid choice: '(.*?)'", message)
    if match is None:
        return message
    near = difflib.get_close_matches(match[1], EXAMPLES, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f" (there are: {', '.join(EXAMPLES)})"
    return f"no command {match[1]!r}{hint}"


def _common() -> argparse.ArgumentParser:
    """What every command takes."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="Print one JSON document instead of text.")
    group.add_argument("-v", "--verbose", action="store_true", help="Details, warnings, tracebacks.")
    return parser


def _command(
    add_parser: _AddParser, name: str, *, usage: str, summary: str, text: str
) -> argparse.ArgumentParser:
    return add_parser(
        name,
        usage=f"{PROGRAM} {name} {usage}",
        help=summary,
        description=text,
        parents=[_common()],
        formatter_class=_help_format,
        epilog=f"example: {EXAMPLES[name]}\n{EXIT_CODES}",
        allow_abbrev=False,
    )


def _add_render(add_parser: _AddParser) -> None:
    parser = _command(
        add_parser,
        "render",
        summary="render the spots of a timeline to stems and put them on new tracks",
        usage="{TIMELINE | --host resolve} [-o FOLDER] [options]",
        text="Render every spot of a timeline. Writes WAV stems with sidecars and\n"
        "<timeline>_foley.otio: your timeline plus our audio tracks. Run the same line\n"
        "again to finish an interrupted render; nothing whole is rendered twice.",
    )
    parser.add_argument(
        "timeline", nargs="?", type=Path, metavar="TIMELINE", help="OTIO, OTIOZ, EDL, XML or AAF file."
    )
    parser.add_argument(
        "--host", choices=("resolve",), help="Read and fill the timeline that is open in DaVinci Resolve."
    )
    _add_output(parser)
    _add_choice_of_cues(parser)
    parser.add_argument("--dry-run", action="store_true", help="Check everything, render nothing.")
    _add_reading(parser)
    _add_sound(parser, "takes")
    _add_engine(parser)
    _add_written(parser)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FOLDER",
        help="Where results go (default: the setting output_folder, else <timeline>_foley beside the "
        "timeline).",
    )


def _add_choice_of_cues(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which cues")
    group.add_argument(
        "--cues",
        type=Path,
        metavar="cues.toml",
        help="Cue sheet, made by `spots --write`; what it says wins.",
    )
    group.add_argument(
        "--only", nargs="+", default=(), metavar="CUE", help="Cue numbers or labels, e.g. 001 003 violin."
    )
    group.add_argument(
        "--within",
        choices=("all", "marks", "selection"),
        default="all",
        help="With Resolve: only between the in and out points, or under the selected clips (default all).",
    )


def _add_reading(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("reading the timeline")
    group.add_argument(
        "--mask-track",
        type=mask_track,
        action="append",
        default=[],
        metavar="N=WORDS",
        help="Video track N (1 is the lowest) holds mattes, whatever its name: `2=violin | not trumpet`.",
    )
    group.add_argument(
        "--alpha", action="store_true", help="Take the alpha channel of pictures that have one as matte."
    )
    group.add_argument(
        "--drop-frame",
        action=argparse.BooleanOptionalAction,
        help="Timecode is drop-frame, or is not (default: as the document says or suggests).",
    )
    group.add_argument(
        "--edl-rate", type=frame_rate, metavar="FPS", help="Frame rate of an EDL, which does not say it."
    )
    group.add_argument("--timeline-name", metavar="NAME", help="Which timeline of a file that holds several.")


def _add_written(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the written timeline")
    _add_settings(group, ("flavour",))
    _add_conflict(group)
    group.add_argument("--otioz", action="store_true", help="Also write a package with all media inside.")


def _add_sound(parser: argparse.ArgumentParser, *settings: str) -> None:
    group = parser.add_argument_group("sound")
    _add_settings(group, ("preset", "seed", *settings))
    group.add_argument(
        "--steps", type=whole_number(1, MAX_STEPS), metavar="N", help="Solver steps in place of the preset's."
    )
    group.add_argument(
        "--guidance",
        type=real_number(0, MAX_GUIDANCE),
        metavar="G",
        help=f"How strictly words and picture are followed, in place of the preset's: 0 to {MAX_GUIDANCE:g}; "
        "1 and below is off.",
    )


def _add_engine(parser: argparse.ArgumentParser) -> None:
    _add_settings(
        parser.add_argument_group("model and machine"), ("bundle", "provider", "threads", "memory_mb")
    )


def _add_spots(add_parser: _AddParser) -> None:
    parser = _command(
        add_parser,
        "spots",
        summary="list what would be rendered, and what is wrong with it",
        usage="TIMELINE [--write cues.toml] [options]",
        text="List the spots of a timeline: clips on mask tracks (video tracks named like\n"
        "`MASK violin`, `MASK: violin | not trumpet`) and markers named `FOLEY ...`.",
    )
    parser.add_argument("timeline", type=Path, metavar="TIMELINE", help="OTIO, OTIOZ, EDL, XML or AAF file.")
    parser.add_argument(
        "--cues", type=Path, metavar="cues.toml", help="Show the cues as this cue sheet has them."
    )
    parser.add_argument("--write", type=Path, metavar="cues.toml", help="Write an editable cue sheet.")
    _add_reading(parser)


def _add_generate(add_parser: _AddParser) -> None:
    parser = _command(
        add_parser,
        "generate",
        summary="sound for one video file, without a timeline",
        usage="VIDEO [--mask MATTE] [--prompt WORDS] [options]",
        text="Make one stem for one video, and a preview MP4 with it whose picture is copied,\n"
        "not encoded again.",
    )
    parser.add_argument("video", type=Path, metavar="VIDEO", help="Movie file.")
    parser.add_argument(
        "--mask",
        type=Path,
        metavar="MATTE",
        help="Matte: a movie, a folder of numbered images or a pattern such as m.%%04d.png; white marks "
        "the object (default: the whole frame).",
    )
    parser.add_argument(
        "--mask-channel",
        choices=[str(channel) for channel in MatteChannel],
        default="luma",
        help="Which values of the matte mark the object (default luma).",
    )
    parser.add_argument("--invert-mask", action="store_true", help="Black marks the object.")
    parser.add_argument(
        "--resize",
        choices=[str(way) for way in Resize],
        help="squash: the model sees the whole picture, its shape not kept; center_crop: only the middle, "
        "its shape kept (default: as the bundle says, usually squash).",
    )
    parser.add_argument("--prompt", default="", metavar="WORDS", help="What should sound, e.g. violin.")
    parser.add_argument("--negative", default="", metavar="WORDS", help="What should not, e.g. trumpet.")
    parser.add_argument(
        "--start",
        type=seconds,
        default=Fraction(0),
        metavar="TIME",
        help="From here; seconds or [H:]M:S (default 0).",
    )
    parser.add_argument(
        "--duration",
        type=positive_seconds,
        metavar="TIME",
        help="This long; seconds or [H:]M:S (default: to the end).",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FOLDER",
        help="Where results go (default: the setting output_folder, else <video>_foley beside the video).",
    )
    _add_sound(parser)
    _add_engine(parser)


def _add_mask(add_parser: _AddParser) -> None:
    add_mask_options(_command(add_parser, "mask", summary=SUMMARY, usage=USAGE, text=TEXT))


def _add_conflict(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--conflict",
        choices=("replace", "new-track", "skip"),
        default="replace",
        help="What becomes of stems that an earlier run placed: they give way, they stay and the new ones "
        "get further tracks, or they stay and only what is missing is added (default replace).",
    )


def _add_resolve(add_parser: _AddParser) -> None:
    parser = _command(
        add_parser,
        "resolve",
        summary="the timeline that is open in DaVinci Resolve: status, spots, place, remove",
        usage="{status,spots,place,remove} [options]",
        text="status: is there a connection, and if not, why. spots: list what would be rendered.\n"
        "place: put the newest takes on the open timeline (`render --host resolve` renders first).\n"
        "remove: take our last placement away again; nothing of yours is touched.",
    )
    parser.add_argument("action", choices=("status", "spots", "place", "remove"), help="What to do.")
    parser.add_argument("--write", type=Path, metavar="cues.toml", help="spots: write an editable cue sheet.")
    _add_output(parser)
    _add_choice_of_cues(parser)
    _add_reading(parser)
    _add_conflict(parser.add_argument_group("placing"))


def _add_panel(add_parser: _AddParser) -> None:
    parser = _command(
        add_parser,
        "panel",
        summary="the window: see spots, generate, choose and place takes",
        usage="[TIMELINE] [--host resolve]",
        text="Open the window beside the editor. Needs PySide6: pip install 'sagafoley[panel]'.",
    )
    parser.add_argument("timeline", nargs="?", metavar="TIMELINE", help="OTIO, OTIOZ, EDL, XML or AAF file.")
    parser.add_argument("--host", choices=("resolve",), help="Open what is open in DaVinci Resolve.")


def _add_models(add_parser: _AddParser) -> None:
    parser = _command(
        add_parser,
        "models",
        summary="list, verify, locate, fetch or remove models",
        usage="{list,verify,path,fetch,remove} [NAME|FOLDER] [options]",
        text="list: every bundle found, and what can be fetched. verify: read and hash every file.\n"
        "path: print a bundle's folder. fetch: published checkpoints, to make a bundle of with\n"
        "sagafoley-export. remove: fetched checkpoints, or a bundle of yours.",
    )
    actions = ("list", "verify", "path", "fetch", "remove")
    parser.add_argument("action", choices=actions, help="What to do.")
    parser.add_argument(
        "bundle",
        nargs="?",
        metavar="NAME|FOLDER",
        help="One bundle (verify: default all; path: default the one in use); fetch and remove: a set.",
    )
    group = parser.add_argument_group("fetching")
    group.add_argument("--accept-licence", action="store_true", help="Accept the licences that are shown.")
    group.add_argument(
        "--from",
        dest="source",
        metavar="FOLDER|URL",
        help="Take files from a folder or a mirror instead of where they were published.",
    )
    group.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FOLDER",
        help="Where checkpoints are kept (default: the data folder).",
    )


def _add_doctor(add_parser: _AddParser) -> None:
    _command(
        add_parser,
        "doctor",
        summary="check this machine: versions, memory, providers, bundles, disk, fonts",
        usage="[options]",
        text="Check everything that a render needs, and say what to do about what is missing.",
    )


def _add_settings(group: argparse._ArgumentGroup, keys: Sequence[str]) -> None:
    """Options of the settings table, shown in one group; a group takes arguments as a parser does."""
    add_arguments(cast("argparse.ArgumentParser", group), keys)
