r"""Where the bridge keeps its files on this machine: one answer for Resolve's Python and for ours.

| file | written by | read by |
|---|---|---|
| `<data>/resolve_menu.json` | the installer | the menu script |
| `<data>/bridge/server.json` | the menu script, new at each start | the panel and the command line |
| `<data>/bridge/panel.log` | the panel that the menu script started | a person |

`<data>` is `~/.local/share/sagafoley` (Linux), `~/Library/Application Support/sagafoley` (macOS) or
`%LOCALAPPDATA%\sagafoley` (Windows), or `$XDG_DATA_HOME/sagafoley` where that is set.
"""

import os
import sys
from typing import Mapping, Optional

APPLICATION = "sagafoley"
MENU_FILE = "resolve_menu.json"
BRIDGE_FOLDER = "bridge"
SERVER_FILE = "server.json"
PANEL_LOG = "panel.log"


def data_folder(platform: str = sys.platform, environ: Optional[Mapping[str, str]] = None) -> str:
    """The product's own folder of this user; it need not exist."""
    variables = os.environ if environ is None else environ
    home = variables.get("USERPROFILE" if platform == "win32" else "HOME") or os.path.expanduser("~")
    chosen = variables.get("XDG_DATA_HOME", "").strip()
    if platform == "win32":
        base = variables.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif chosen:
        base = chosen
    elif platform == "darwin":
        base = os.path.join(home, "Library", "Application Support")
    else:
        base = os.path.join(home, ".local", "share")
    return os.path.join(base, APPLICATION)


def menu_file() -> str:
    """What the installer tells the menu script: where the product is and how its panel is started."""
    return os.path.join(data_folder(), MENU_FILE)


def bridge_folder() -> str:
    """The folder that only this user may enter."""
    return os.path.join(data_folder(), BRIDGE_FOLDER)


def server_file() -> str:
    """Port and token of the menu script that serves now."""
    return os.path.join(bridge_folder(), SERVER_FILE)


def panel_log() -> str:
    """What the panel printed when the menu script started it last."""
    return os.path.join(bridge_folder(), PANEL_LOG)
