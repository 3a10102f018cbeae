"""A folder of wheels, fetched where there is a network, for machines where there is none."""

from __future__ import annotations

import shutil
from pathlib import Path

from environment import Pip, make_environment, requirement, wheel_of
from faults import write_error
from machine import Machine
from places import places_of
from plan import Choices
from product import Product
from programs import Programs


def collect(machine: Machine, programs: Programs, product: Product, choices: Choices, folder: Path) -> None:
    """Fill `folder` with the product's wheel and all that it needs on a machine like this one.

    Raises:
        InstallError: something cannot be fetched or written.
    """
    staging = folder / ".collecting"
    try:
        staging.mkdir(parents=True, exist_ok=True)
        tree = staging / "environment"
        make_environment(machine, programs, tree=tree, staging=staging)
        python = places_of(machine, staging).python_of(tree)
        pip = Pip(machine, programs, python, staging, wheels=None, shown="yes")
        wheel = wheel_of(product, pip)
        pip.run("download", "--dest", str(folder), requirement(wheel, choices.extras))
        if not (folder / wheel.name).exists():
            shutil.copy(wheel, folder)
        shutil.rmtree(staging)
    except OSError as error:
        raise write_error(Path(error.filename or folder), error) from error
