import json
import shutil

import pytest

from plugin.controller.views import CueEdit, QueueState, Topic
from plugin.doctor import State
from plugin.errors import OutputError, UsageError
from plugin.settings import load_settings, rows
from tests.unit.controller.conftest import GOLDEN
from tests.unit.controller.waiting import settle, wait_until


def test_every_setting_has_a_row_with_words(desk):
    shown = desk.machine.settings()
    assert [row.key for row in shown] == [row.key for row in rows()]
    assert all(row.title and row.help and row.allowed for row in shown)
    by_key = {row.key: row for row in shown}
    assert by_key["provider"].kind == "choice"
    assert ("cpu", "CPU") in by_key["provider"].choices
    assert ("draft", "draft") in by_key["preview_preset"].choices
    assert (by_key["takes"].lowest, by_key["takes"].highest, by_key["takes"].value) == (1, 99, 1)


def test_settings_are_checked_before_they_are_saved(desk, folders):
    faults = desk.machine.check_settings({"takes": "three", "threads": "4", "preset": "none such", "nope": 1})
    assert {fault.key for fault in faults} == {"takes", "preset", "nope"}
    assert all(fault.message and fault.remedy for fault in faults)
    with pytest.raises(UsageError):
        desk.machine.change_settings({"takes": 1000})
    desk.machine.change_settings({"takes": "3", "idle_minutes": 7})
    saved = load_settings(folders.config)
    assert (saved.takes, saved.idle_minutes, saved.provider) == (3, 7, "cpu")
    assert Topic.SETTINGS in {event.topic for event in desk.poll()}
    assert {row.key: row.value for row in desk.machine.settings()}["takes"] == 3


def test_settings_that_cannot_be_saved_are_told(desk, folders):
    for path in (folders.config / "settings.toml", folders.config / "presets.toml"):
        path.unlink()
    folders.config.rmdir()
    folders.config.write_text("in the way")
    with pytest.raises((OutputError, UsageError)):
        desk.machine.change_settings({"takes": 2})


def test_changed_settings_count_for_the_next_render(opened, timeline):
    desk = opened(timeline.path)
    desk.queue.generate(["001"])
    settle(desk)
    desk.machine.change_settings({"threads": 1, "cache_mb": 0})
    desk.queue.generate(["002"])
    settle(desk)
    assert [row.state for row in desk.queue.rows()] == [QueueState.DONE] * 2


def test_the_doctor_finds_one_thing_after_the_other(desk):
    assert desk.machine.doctor.sentence == "Nothing was looked at yet."
    desk.machine.examine()
    assert desk.machine.doctor.running
    events = wait_until(desk, lambda: not desk.machine.doctor.running)
    desk.poll()
    view = desk.machine.doctor
    subjects = [row.subject for row in view.rows]
    assert {"program", "provider cpu", "timelines", "output folder"} <= set(subjects)
    assert all(row.state is not State.BAD for row in view.rows if row.subject == "provider cpu")
    assert view.sentence
    assert Topic.DOCTOR in {event.topic for event in events}


def test_the_bundle_in_use_is_named_with_its_licence(desk):
    assert "golden" in desk.status().bundle
    page = desk.machine.first_run()
    assert page.installed[0].title == "Sagafoley"
    titles = [row.title for row in page.additions]
    assert titles[0] == "NVIDIA GPU"
    assert any(title.startswith("SAGANet small") for title in titles)
    full = page.additions[1]
    assert "models fetch" in full.how
    assert "Not for paid work" in full.licence
    assert all(row.adds and row.how and row.licence for row in page.additions)


def test_a_published_model_is_present_once_a_bundle_is_made_of_it(desk, folders):
    """A bundle has an id of its own: what counts is the checkpoint that it was made from."""

    def present():
        return {row.title.partition(":")[0] for row in desk.machine.first_run().additions if row.present}

    before = present()
    assert not any(title.startswith(("SAGANet", "SAM")) for title in before)
    made = folders.bundles / "made"
    shutil.copytree(GOLDEN, made)
    content = json.loads((made / "manifest.json").read_text("utf-8"))
    content |= {"id": "saganet_small", "sources": [{"file": "saganet.pth", "sha256": "0" * 64}]}
    (made / "manifest.json").write_text(json.dumps(content), "utf-8")
    assert present() - before == {"SAGANet small, 44 kHz"}


def test_licences_of_program_and_libraries_are_told(desk):
    by_subject = {row.subject.split()[0]: row for row in desk.machine.licences()}
    assert "Permission" in by_subject["Sagafoley"].text or "icen" in by_subject["Sagafoley"].text
    assert by_subject["numpy"].licence


def test_the_first_page_is_shown_once(desk):
    assert desk.machine.first_time
    desk.machine.first_run_seen()
    assert not desk.machine.first_time


def test_a_new_bundle_makes_takes_stale(rendered, tmp_path):
    other = tmp_path / "other bundle"
    shutil.copytree(GOLDEN, other)
    manifest = other / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"id": "golden"', '"id": "golden2"'))
    rendered.machine.change_settings({"bundle": str(other)})
    assert "with another bundle (golden)" in rendered.spots.row("001").note
    assert rendered.status().bundle.startswith("golden2")
    rendered.spots.edit(["001"], CueEdit(prompt="x"))
