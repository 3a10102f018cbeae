"""Installing, running again, bringing up to date and removing, with stand-ins for venv and pip."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from faults import InstallError

from tests.installer.fake_machine import NO_FONTS, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.make(tmp_path)


def test_install_and_uninstall_leave_the_home_as_it_was(desk: Desk) -> None:
    (desk.home / ".config").mkdir()
    (desk.home / ".config/other.toml").write_text("a = 1\n")
    before = desk.listing()
    desk.run("--gpu", "no")
    assert len(desk.listing()) > len(before) + 20
    desk.run("--uninstall")
    assert desk.listing() == before


def test_everything_is_where_it_belongs(desk: Desk) -> None:
    said = desk.run()
    (environment,) = desk.environments()
    assert environment.startswith("1.2.0-")
    launcher = desk.root / "bin/sagafoley"
    assert os.access(launcher, os.X_OK)
    assert f"'{desk.root}/app/{environment}/bin/python' -I -m plugin.cli" in launcher.read_text()
    assert str(launcher) in (desk.home / ".local/bin/sagafoley").read_text()
    assert (desk.home / ".local/share/applications/sagafoley.desktop").is_file()
    scripts = desk.home / ".local/share/DaVinciResolve/Fusion/Scripts/Utility"
    assert (scripts / "Sagafoley.py").read_text() == "print('in the menu')\n"
    assert not (desk.root / "installing").exists()
    assert "is installed and works" in said
    assert ".local/bin to your PATH" in said


def test_the_menu_script_is_told_what_it_reads(desk: Desk) -> None:
    from resolve_bridge.inside.menu_file import read_menu_file

    desk.run()
    told = read_menu_file(str(desk.root / "resolve_menu.json"))
    assert told["launcher"] == [str(desk.root / "bin/sagafoley"), "panel", "--host", "resolve"]
    assert told["version"] == "1.2.0"
    assert (Path(told["inside"]) / "Sagafoley.py").is_file()


def test_running_twice_changes_nothing(desk: Desk) -> None:
    desk.run()
    before = {path: path.stat().st_mtime_ns for path in desk.home.rglob("*")}
    calls = len(desk.programs.calls)
    said = desk.run()
    assert said == "Sagafoley 1.2.0 is installed as asked; nothing was changed.\n"
    assert {path: path.stat().st_mtime_ns for path in desk.home.rglob("*")} == before
    assert len(desk.programs.calls) == calls


def test_a_dry_run_changes_nothing_and_says_what_would_be_done(desk: Desk) -> None:
    said = desk.run("--dry-run")
    assert desk.listing() == {}
    assert "would make environment (missing)" in said
    assert f"would put {desk.home}/.local/bin/sagafoley" in said
    assert "about 225 MB to fetch" in said
    desk.run()
    before = desk.listing()
    desk.new_version()
    said = desk.run("--dry-run")
    assert "would be brought up to date" in said
    assert f"would remove {desk.root}/app/1.2.0-" in said
    said = desk.run("--uninstall", "--dry-run")
    assert f"would remove environment: {desk.root}/app/1.2.0-" in said
    assert desk.listing() == before


def test_a_new_version_takes_the_place_of_the_old(desk: Desk) -> None:
    desk.run()
    settings = desk.home / ".config/sagafoley/settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("takes = 3\n")
    fetched = desk.root / "bundles/saganet/manifest.json"
    fetched.parent.mkdir(parents=True)
    fetched.write_text("{}")
    desk.new_version()
    desk.run()
    (environment,) = desk.environments()
    assert environment.startswith("1.3.0-")
    assert environment in (desk.root / "bin/sagafoley").read_text()
    assert settings.read_text() == "takes = 3\n"
    assert fetched.read_text() == "{}"


def test_what_is_the_users_stays_and_is_named(desk: Desk) -> None:
    desk.run()
    settings = desk.home / ".config/sagafoley/settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("takes = 3\n")
    fetched = desk.root / "bundles"
    (fetched / "saganet").mkdir(parents=True)
    (fetched / "saganet/flow.onnx").write_text("x")
    said = desk.run("--uninstall")
    assert f"kept, because it is yours: {settings}" in said
    assert f"kept, because it is yours: {fetched}" in said
    assert settings.is_file()
    assert (fetched / "saganet/flow.onnx").is_file()


def test_purge_removes_what_is_the_users_too(desk: Desk) -> None:
    desk.run()
    (desk.home / ".config/sagafoley").mkdir(parents=True)
    (desk.home / ".config/sagafoley/settings.toml").write_text("takes = 3\n")
    (desk.root / "bundles/saganet").mkdir(parents=True)
    (desk.root / "bundles/saganet/flow.onnx").write_text("x")
    desk.run("--uninstall", "--purge")
    assert desk.listing() == {}


def test_what_the_product_made_for_itself_goes(desk: Desk) -> None:
    desk.run()
    for name in (".cache/sagafoley/features/a.npz", ".local/share/sagafoley/bridge/server.json"):
        (desk.home / name).parent.mkdir(parents=True)
        (desk.home / name).write_text("x")
    (desk.root / "resolve/placements").mkdir(parents=True)  # where records were that are no more
    site = next(desk.root.glob("app/*/lib/python3.12/site-packages/plugin"))
    (site / "__pycache__").mkdir()
    (site / "__pycache__/cli.cpython-312.pyc").write_text("x")
    assert "kept" not in desk.run("--uninstall")
    assert desk.listing() == {}


def test_a_changed_file_stays_and_is_named(desk: Desk) -> None:
    desk.run()
    entry = desk.home / ".local/share/applications/sagafoley.desktop"
    entry.write_text("[Desktop Entry]\nName=Mine\n")
    said = desk.run("--uninstall")
    assert f"kept, because you changed it: {entry}" in said
    assert [name for name in desk.listing() if not name.endswith("/")] == [str(entry.relative_to(desk.home))]


def test_a_changed_file_is_set_aside_by_a_new_version(desk: Desk) -> None:
    desk.run()
    launcher = desk.root / "bin/sagafoley"
    launcher.write_text("#!/bin/sh\necho mine\n")
    desk.new_version()
    said = desk.run()
    assert "what you had changed there was kept beside it" in said
    assert (desk.root / "bin/sagafoley.kept").read_text() == "#!/bin/sh\necho mine\n"
    assert "1.3.0-" in launcher.read_text()


def test_what_was_put_into_the_environment_stays(desk: Desk) -> None:
    desk.run()
    (environment,) = desk.environments()
    added = desk.root / "app" / environment / "lib/python3.12/site-packages/mine.py"
    added.write_text("x = 1\n")
    changed = added.with_name("plugin") / "cli.py"
    changed.write_text("x = 2\n")
    said = desk.run("--uninstall")
    assert str(added) in said
    assert str(changed) in said
    files = {name for name in desk.listing() if not name.endswith("/")}
    assert files == {str(path.relative_to(desk.home)) for path in (added, changed)}


def test_a_foreign_file_is_left_alone(desk: Desk) -> None:
    script = desk.home / ".local/share/DaVinciResolve/Fusion/Scripts/Utility/Sagafoley.py"
    script.parent.mkdir(parents=True)
    script.write_text("# somebody else's\n")
    said = desk.run()
    assert f"{script}: left alone" in said
    assert desk.run().endswith("nothing was changed.\n")
    desk.run("--uninstall")
    assert script.read_text() == "# somebody else's\n"


def test_a_lost_record_is_told_before_anything_is_done(desk: Desk) -> None:
    desk.run()
    (desk.root / "installed.json").unlink()
    desk.new_version()
    before = desk.listing()
    with pytest.raises(InstallError, match="is in the way"):
        desk.run()
    assert desk.listing() == before


def test_a_damaged_record_is_told(desk: Desk) -> None:
    desk.run()
    for text in ("{", "[]", '{"schema": 1, "facts": {}, "entries": {"/x": 3}}', '{"schema": 1}'):
        (desk.root / "installed.json").write_text(text)
        with pytest.raises(InstallError, match="is damaged"):
            desk.run()


def test_a_damaged_environment_is_made_again(desk: Desk) -> None:
    desk.run()
    clean = desk.listing()
    (environment,) = desk.environments()
    shutil.rmtree(desk.root / "app" / environment / "lib")
    (desk.home / ".local/bin/sagafoley").unlink()
    said = desk.run()
    assert "make environment (damaged)" in said
    assert desk.listing().keys() == clean.keys()
    assert desk.run().endswith("nothing was changed.\n")


def test_nothing_is_ours_before_the_new_version_passed_its_check(desk: Desk) -> None:
    """An update that does not work leaves the earlier one in use."""
    desk.run()
    launcher = (desk.root / "bin/sagafoley").read_text()
    desk.new_version()
    desk.programs.samples = 5
    with pytest.raises(InstallError, match="two-second test render failed"):
        desk.run()
    assert (desk.root / "bin/sagafoley").read_text() == launcher
    assert any(name.startswith("1.2.0-") for name in desk.environments())
    desk.programs.samples = 96_000
    desk.run()
    assert len(desk.environments()) == 1


def test_a_doctor_who_is_not_content_is_told(desk: Desk) -> None:
    bad = {"subject": "video", "state": "bad", "found": "no av", "remedy": "Install the av package again."}
    desk.programs.doctor = {"ready": False, "findings": [bad]}
    with pytest.raises(InstallError, match="video: no av") as told:
        desk.run()
    assert told.value.remedy == "Install the av package again."


def test_a_home_that_is_read_only_is_a_note(desk: Desk) -> None:
    bad = {"subject": "config folder", "state": "bad", "found": "read-only", "remedy": "Make it writable."}
    desk.programs.doctor = {"ready": False, "findings": [bad]}
    assert "note: config folder: read-only -> Make it writable." in desk.run()
    desk.programs.doctor = {"findings": []}
    desk.new_version()
    with pytest.raises(InstallError, match="not content"):
        desk.run()


def test_notes_of_the_doctor_are_told_but_for_the_gpu_on_a_cpu(desk: Desk) -> None:
    cuda = {"subject": "provider cuda", "state": "note", "found": "not there", "remedy": "Get one."}
    desk.programs.doctor = {"findings": [cuda, NO_FONTS]}
    said = desk.run()
    assert "fonts: none -> Get some." in said
    assert "provider cuda" not in said


def test_with_a_prefix_only_the_desktop_and_resolve_get_files_elsewhere(desk: Desk, tmp_path: Path) -> None:
    prefix = tmp_path / "another disk" / "saga"
    desk.run("--prefix", str(prefix))
    assert (prefix / "bin/sagafoley").is_file()
    files = sorted(path.name for path in desk.home.rglob("*") if path.is_file())
    assert files == ["Sagafoley.py", "resolve_menu.json", "sagafoley.desktop", "sagafoley.svg"]
    desk.run("--uninstall", "--prefix", str(prefix))
    assert desk.listing() == {}
    assert not prefix.parent.exists()


def test_what_may_not_be_written_outside_the_prefix_is_left_out(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Path.mkdir

    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        if self.is_relative_to(desk.home):
            raise PermissionError(13, "Permission denied", str(self))
        make(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InstallError, match="does not allow it") as told:
        desk.run()
    assert "--prefix" in told.value.remedy
    said = desk.run("--prefix", str(tmp_path / "saga"))
    assert said.count("left out: the folder does not allow it") == 4
    assert desk.listing() == {}
    desk.run("--uninstall", "--prefix", str(tmp_path / "saga"))
    assert not (tmp_path / "saga").exists()


def test_without_panel_and_resolve(desk: Desk) -> None:
    desk.run("--no-panel")
    assert (
        "[cpu]" in desk.programs.calls[[("install" in call) for call in desk.programs.calls].index(True)][-1]
    )
    assert not (desk.home / ".local/share/applications").exists()
    assert not (desk.home / ".local/share/DaVinciResolve").exists()
    desk.new_version()
    desk.run()
    assert not (desk.home / ".local/share/applications").exists(), "an update keeps what was chosen"
    assert not (desk.home / ".local/share/icons").exists()
    desk.run("--panel")
    assert (desk.home / ".local/share/applications/sagafoley.desktop").is_file()
    desk.run("--no-resolve")
    assert not (desk.home / ".local/share/DaVinciResolve/Fusion/Scripts/Utility/Sagafoley.py").exists()
    desk.run("--uninstall")
    assert desk.listing() == {}


def test_removing_what_is_not_installed(desk: Desk) -> None:
    assert "is not installed" in desk.run("--uninstall")
    assert desk.listing() == {}


def test_the_copy_of_the_installer_removes_without_a_source_tree(desk: Desk) -> None:
    desk.run()
    shutil.rmtree(desk.tree)
    assert f"--uninstall --prefix '{desk.root}'" in (desk.root / "bin/sagafoley-uninstall").read_text()
    copied = {path.name for path in (desk.root / "installer").iterdir()}
    assert {"install.py", "removal.py", "record.py"} <= copied
    desk.run("--uninstall", "--prefix", str(desk.root))
    assert desk.listing() == {}


def test_no_source_and_no_wheel(desk: Desk) -> None:
    shutil.rmtree(desk.tree)
    with pytest.raises(InstallError, match="no Sagafoley source") as told:
        desk.run()
    assert "--wheel" in told.value.remedy


def test_a_given_wheel_is_installed_as_it_is(desk: Desk, tmp_path: Path) -> None:
    desk.run("--collect", str(tmp_path / "wheels"))
    (wheel,) = (tmp_path / "wheels").glob("sagafoley-*.whl")
    shutil.rmtree(desk.tree)
    calls = desk.programs.count("wheel")
    desk.run("--wheel", str(wheel))
    assert desk.programs.count("wheel") == calls
    assert (desk.home / ".local/share/DaVinciResolve/Fusion/Scripts/Utility/Sagafoley.py").is_file()
    wheel.write_bytes(b"not a zip")
    with pytest.raises(InstallError, match="cannot be read"):
        desk.run("--wheel", str(wheel))
    with pytest.raises(InstallError, match="not a Sagafoley wheel"):
        desk.run("--wheel", str(tmp_path / "other.whl"))


def test_offline_reads_only_the_folder(desk: Desk, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels ü"
    desk.run("--collect", str(wheels))
    assert not (wheels / ".collecting").exists()
    desk.programs.calls.clear()
    desk.programs.environments.clear()
    desk.on(environment={"PIP_EXTRA_INDEX_URL": "https://example.org", "PATH": ""})
    said = desk.run("--offline", str(wheels))
    assert "nothing to fetch" in said
    (install,) = (i for i, call in enumerate(desk.programs.calls) if "install" in call)
    call, environment = desk.programs.calls[install], desk.programs.environments[install]
    assert call[call.index("--find-links") + 1] == str(wheels)
    assert "--no-index" in call
    assert "PIP_EXTRA_INDEX_URL" not in environment
    assert environment["PIP_CONFIG_FILE"] == os.devnull
    assert desk.programs.count("wheel") == 0, "the wheel in the folder is taken, nothing is built"


def test_pip_is_kept_from_other_places(desk: Desk) -> None:
    desk.run()
    for call, environment in zip(desk.programs.calls, desk.programs.environments, strict=True):
        if "pip" in call:
            assert environment["PIP_CACHE_DIR"].startswith(str(desk.root))
            assert environment["TMPDIR"].startswith(str(desk.root))
            assert "PIP_USER" not in environment
        if call[0].endswith("python"):
            assert "PYTHONPATH" not in environment


def test_the_record_names_every_file_with_its_hash(desk: Desk) -> None:
    desk.run()
    entries = json.loads((desk.root / "installed.json").read_text())["entries"]
    trees = [Path(path) for path, entry in entries.items() if entry["kind"] == "tree"]
    for path in desk.home.rglob("*"):
        if path.name == "installed.json" or any(path.is_relative_to(tree) for tree in trees):
            continue
        assert str(path) in entries, path
        if path.is_file():
            assert len(entries[str(path)]["hashes"]) == 1
