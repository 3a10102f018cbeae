from pathlib import Path

import pytest

import exporter.training
from exporter.training.config import Config, WrongConfig, described, make_config, read_config

SHIPPED = sorted(Path(exporter.training.__file__).parent.glob("*.toml"))


def test_an_empty_file_is_the_defaults():
    assert make_config({}, name="x") == Config()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_configurations_are_whole(path):
    assert read_config(path).model.sample_rate == 44100


def test_a_table_changes_only_what_it_says():
    config = make_config({"vae": {"optimisation": {"steps": 7}, "kl": 1}}, name="x")
    assert config.vae.optimisation.steps == 7
    assert config.vae.optimisation.rate == Config().vae.optimisation.rate == 1e-2
    assert config.vae.kl == 1.0
    assert described(config) != described(Config())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"sink": {}}, "x: sink is not a key. Use one of: data, "),
        ({"sync": {"optimisation": {"step": 3}}}, "x: sync.optimisation.step is not a key. Use one of: "),
        (
            {"sync": {"optimisation": {"steps": "many"}}},
            "sync.optimisation.steps is 'many'. Give a whole number.",
        ),
        ({"running": {"plots": 1}}, "running.plots is 1. Give true or false."),
        ({"sync": {"gate": True}}, "sync.gate is True. Give a number."),
        ({"flow": 3}, "flow must be a table. Write [flow]."),
        (
            {"sync": {"optimisation": {"betas": [0.9]}}},
            "sync.optimisation.betas is [0.9]. Give a list of the right",
        ),
        ({"mattes": {"hold": 1.5}}, "mattes.hold is 1.5; it must lie between 0 and 1."),
        ({"sizes": "huge"}, "sizes is 'huge'; known are small_44k_sa"),
        ({"vae": {"optimisation": {"rate": 0}}}, "vae.optimisation.rate is 0.0; it must be above 0."),
        ({"flow": {"optimisation": {"ema": 1}}}, "flow.optimisation.ema is 1.0; it must lie between 0 and 1"),
        (
            {"flow": {"optimisation": {"schedule": "up"}}},
            "flow.optimisation.schedule is 'up'; known are constant",
        ),
        ({"features": {"revoiced": 0.9, "full_mask": 0.2}}, "the shares of features add up to more than 1."),
        ({"running": {"precision": "fp8"}}, "running.precision is 'fp8'; known are auto, fp32, bf16."),
    ],
)
def test_mistakes_are_named(content, message):
    with pytest.raises(WrongConfig) as caught:
        make_config(content, name="x")
    assert message in str(caught.value)


def test_a_file_that_is_no_toml(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text("steps = = 3")
    with pytest.raises(WrongConfig, match=r"c\.toml cannot be read .* Name a TOML file"):
        read_config(path)
    with pytest.raises(WrongConfig, match="cannot be read"):
        read_config(tmp_path / "none.toml")
