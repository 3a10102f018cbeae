from pathlib import Path

from exporter.training.__main__ import default_folder, main


def test_runs_are_kept_in_the_users_cache(monkeypatch, tmp_path):
    assert default_folder() == Path.home() / ".cache" / "sagafoley" / "training"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "sagafoley" / "training"


def test_a_wrong_configuration_is_told_in_one_line(tmp_path, capsys):
    path = tmp_path / "c.toml"
    path.write_text("[sync]\ngates = 1\n")
    assert main(["sync", "--config", str(path), "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "sync.gates is not a key" in error


def test_weights_of_unfinished_stages_are_told(tmp_path, capsys):
    path = tmp_path / "c.toml"
    path.write_text('sizes = "mini"\n')
    assert main(["weights", "--config", str(path), "--out", str(tmp_path)]) == 2
    assert "The stage sync is not finished" in capsys.readouterr().err


def test_the_generator_refuses_other_rates(tmp_path, capsys):
    path = tmp_path / "c.toml"
    path.write_text('sizes = "mini"\n[running]\ndevice = "cpu"\n')
    assert main(["vae", "--config", str(path), "--out", str(tmp_path)]) == 2
    assert "The generator makes sound at 44100 Hz; mini wants 1600." in capsys.readouterr().err
