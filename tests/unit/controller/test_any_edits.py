"""Any sequence of edits: undone completely, made again completely, and there next time."""

import random
from dataclasses import replace

import pytest

from plugin.controller.desk import Desk
from plugin.controller.views import CueEdit
from plugin.errors import UsageError
from tests.unit.controller.waiting import settle

EDITS = 60


def decisions(desk):
    """All that was decided, in an order of its own."""
    book = desk._board.session.book
    return replace(book, dismissed=tuple(sorted(book.dismissed, key=lambda cue: cue.id)))


def some_edit(desk, chance):
    """One edit as a person might make it; some are refused."""
    ids = [row.id for row in desk.spots.rows()]
    some = chance.sample(ids, chance.randint(0, len(ids)))
    takes = [take.name for cue_id in ids for take in desk.takes.rows(cue_id)]
    fields = {
        "prompt": chance.choice(["", 'a "quoted" \\ prompt', "ünï\ncode\t\x7f", "violin"]),
        "negative_prompt": chance.choice(["", "wind"]),
        "label": chance.choice(["violin", "fiddle", "Tür"]),
        "preset": chance.choice(["draft", "standard", "fine", "nope"]),
        "steps": chance.choice([0, 1, 7, 1000]),
        "guidance": chance.choice([0, 3.5, 50, 51]),
        "seed": chance.choice([0, 2**63 - 1, 4]),
        "takes": chance.choice([1, 99]),
        "matte": chance.choice(["none", "luma", "alpha", "r"]),
        "invert": chance.choice([True, False]),
        "handle_in": chance.choice([0, 3, 50]),
        "handle_out": chance.choice([0, 2, 40]),
    }
    chosen = {name: fields[name] for name in chance.sample(sorted(fields), chance.randint(1, 3))}
    start = chance.randint(0, 30)
    acts = [
        lambda: desk.spots.edit(some, CueEdit(**chosen)),
        lambda: desk.spots.edit(some, CueEdit(**chosen), gesture=chance.choice(["", "g"])),
        lambda: desk.spots.remove(some[:1]),
        lambda: desk.spots.add_range(f"01:00:00:{start:02}", f"01:00:00:{start + 1:02}", label="door"),
        lambda: desk.takes.star(chance.choice(takes), on=chance.choice([True, False])),
        lambda: desk.takes.rename(chance.choice(takes), chance.choice(["", "good", "ü"])),
        lambda: desk.takes.set_level(chance.choice(takes), gain_db=chance.uniform(-70, 30), fade_in=0.1),
        lambda: desk.takes.delete([chance.choice(takes)]),
        lambda: desk.takes.choose(chance.choice(ids), chance.choice(takes)),
        lambda: desk.takes.step(chance.choice(ids), 1),
        desk.undo,
        desk.redo,
    ]
    try:
        chance.choice(acts)()
    except (UsageError, IndexError):  # refused, or nothing to choose from
        return


@pytest.mark.parametrize("seed", range(6))
def test_any_edits(rendered, open_on, folders, seed):
    desk, chance = rendered, random.Random(seed)  # noqa: S311 - nobody hides anything here
    folder = desk.timeline.folder
    first, files = decisions(desk), sorted(path.name for path in folder.glob("film_*"))
    for _ in range(EDITS):
        some_edit(desk, chance)
        desk.poll()
        desk.spots.rows()
        desk.placing.summary()
    last, steps = decisions(desk), len(desk._board.session.history.done)
    while desk.history().undo:
        desk.undo()
    assert decisions(desk) == first
    assert sorted(path.name for path in folder.glob("film_*")) == files, "every take is back"
    for _ in range(steps):
        desk.redo()
    assert decisions(desk) == last
    settle(desk)
    desk.close()
    again = open_on(Desk.open(folders=folders), desk_path(folder))
    reopened = decisions(again)
    for cue, was in zip(reopened.sheet.cues, last.sheet.cues, strict=True):
        assert said(cue) == said(was)
    assert {cue.id for cue in reopened.dismissed} == {cue.id for cue in last.dismissed}
    assert (reopened.notes, reopened.chosen) == (last.notes, last.chosen)
    again.close()


def said(cue):
    """A cue without the words that its spot began with: of an added spot, only those of today are kept."""
    return replace(cue, spot=replace(cue.spot, prompt=""))


def desk_path(folder):
    return folder.parent / "film.otio"
