"""What the installer left for the menu script: `resolve_menu.json`.

{"schema": 1,
 "inside": "<folder of these modules in the product's environment>",
 "launcher": ["<program>", "<argument>", ...],      starts the panel and stays until it is closed
 "version": "<the product's>"}
"""

import json
import os
from typing import Any, Dict, List

from .own_files import menu_file

SCHEMA = 1


class NotInstalled(Exception):
    """The file is missing, damaged, or names what is not there; its text says which."""


def read_menu_file(path: str = "") -> "Dict[str, Any]":
    """The installer's file, checked.

    Raises:
        NotInstalled: see there.
    """
    path = path or menu_file()
    try:
        with open(path, encoding="utf-8") as stream:
            content = json.load(stream)
    except OSError:
        raise NotInstalled("There is no {}.".format(path)) from None
    except ValueError:
        raise NotInstalled("{} is damaged.".format(path)) from None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise NotInstalled("{} was written by another version of Sagafoley.".format(path))
    launcher = content.get("launcher")
    if not launcher or not isinstance(launcher, list) or not all(isinstance(each, str) for each in launcher):
        raise NotInstalled("{} names no launcher.".format(path))
    if not os.path.isfile(launcher[0]):
        raise NotInstalled("The program {} is not there any more.".format(launcher[0]))
    return content


def menu_text(inside: str, launcher: "List[str]", version: str) -> str:
    """The file's content, for whoever installs."""
    content = {"schema": SCHEMA, "inside": inside, "launcher": launcher, "version": version}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
