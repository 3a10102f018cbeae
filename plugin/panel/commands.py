"""Everything the window can do, in one table: menus, tool bar, keys and shortcut sheet are made from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do.

    Attributes:
        key: names the window's method that does it.
        menu: where it stands.
        title: its words, `&` before the letter for the keyboard.
        shortcuts: keys, the first one is shown.
        icon: one of `icons.names()`, "" for none.
        tells: one sentence for tips and the shortcut sheet.
        bar: words of its button on the tool bar; "-" is one without words, "" none.
        switch: it is on or off.
        needs: what must be there: "", "timeline", "spot".
    """

    key: str
    menu: str
    title: str
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    tells: str = ""
    bar: str = ""
    switch: bool = False
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line between groups of a menu."""

    menu: str


COMMANDS: tuple[Command | Line, ...] = (
    Command("open_file", "&File", "&Open timeline...", ("Ctrl+O",), "open", "Open an OTIO, OTIOZ, EDL, XML or AAF file.", bar="Open"),
    Command("open_editor", "&File", "Take the &editor's timeline", ("Ctrl+Shift+O",), "host", "Open the timeline that is open in DaVinci Resolve.", bar="-"),
    Command("refresh", "&File", "&Read again", ("F5",), "reload", "Read the timeline again; all that was decided stays.", needs="timeline"),
    Command("close_timeline", "&File", "&Close timeline", ("Ctrl+W",), "", "Save and put the timeline away.", needs="timeline"),
    Line("&File"),
    Command("export", "&File", "E&xport...", ("Ctrl+E",), "export", "Write stems and a timeline with them into a folder.", bar="-", needs="timeline"),
    Line("&File"),
    Command("show_settings", "&File", "&Settings...", ("Ctrl+,",), "settings", "Change bundle, provider, presets, folders."),
    Command("quit", "&File", "&Quit", ("Ctrl+Q",), "", "Close the panel."),
    Command("undo", "&Edit", "&Undo", ("Ctrl+Z",), "undo", "Take the last edit back.", bar="-"),
    Command("redo", "&Edit", "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "redo", "Make the edit again.", bar="-"),
    Line("&Edit"),
    Command("select_all", "&Edit", "Select &all spots", ("Ctrl+A",), "selection", "Select every spot in the list.", needs="timeline"),
    Command("find", "&Edit", "&Find", ("Ctrl+F",), "search", "Go to the search field of the list.", needs="timeline"),
    Command("remove_spots", "&Edit", "Re&move spots", ("Ctrl+Delete",), "trash", "Remove the selected spots; their takes stay.", needs="spot"),
    Command("empty_trash", "&Edit", "&Empty trash of takes", (), "", "Remove deleted takes for good.", needs="timeline"),
    Command("add_range", "&Spot", "Add from &in and out points...", ("Ctrl+I",), "add", "Add a spot between two timecodes.", needs="timeline"),
    Command("add_marker", "&Spot", "Add from &marker...", ("Ctrl+M",), "", "Add the spot of a marker.", needs="timeline"),
    Command("add_track", "&Spot", "Add from mas&k track...", ("Ctrl+Shift+M",), "", "Take a video track as mattes.", needs="timeline"),
    Line("&Spot"),
    Command("make_matte", "&Spot", "Make a ma&tte...", ("Ctrl+D",), "lasso", "Mark the object in the picture of the spot and track it.", bar="-", needs="spot"),
    Command("make_clip_matte", "&Spot", "Make a matte of a &clip...", ("Ctrl+Shift+D",), "", "Mark an object in any picture clip; it becomes a spot.", needs="timeline"),
    Command("make_film_matte", "&Spot", "Make a matte of a mo&vie...", (), "", "Mark an object in a movie file; no timeline is needed, and the matte is only written."),
    Line("&Spot"),
    Command("next_spot", "&Spot", "&Next spot", ("Ctrl+Down",), "down", "Go to the next spot of the list.", needs="timeline"),
    Command("previous_spot", "&Spot", "&Previous spot", ("Ctrl+Up",), "up", "Go to the spot before.", needs="timeline"),
    Command("show_in_editor", "&Spot", "&Show in the editor", ("Ctrl+Shift+E",), "host", "Move the editor's playhead to the spot.", needs="spot"),
    Command("generate", "&Generate", "&This spot", ("Ctrl+G",), "generate", "Render takes of the spot that is looked at.", bar="Generate", needs="spot"),
    Command("generate_selection", "&Generate", "The &selection", ("Ctrl+Shift+G",), "selection", "Render takes of all selected spots.", bar="Selection", needs="spot"),
    Command("generate_stale", "&Generate", "&Everything new or stale", ("Ctrl+Alt+G",), "generate-all", "Render every spot without a take that fits.", bar="All stale", needs="timeline"),
    Line("&Generate"),
    Command("preview_first", "&Generate", "&Preview quality", ("Ctrl+Shift+P",), "", "Render with few steps, to judge timing.", switch=True),
    Line("&Generate"),
    Command("cancel_current", "&Generate", "&Cancel what is rendered", ("Ctrl+.",), "stop", "Stop after the solver step; twice: at once.", needs="timeline"),
    Command("cancel_all", "&Generate", "Cancel a&ll", ("Ctrl+Shift+.",), "cancel", "Cancel everything that waits or runs.", needs="timeline"),
    Command("place", "&Place", "&Place chosen takes...", ("Ctrl+Return",), "place", "Put the chosen takes on new audio tracks.", bar="Place", needs="timeline"),
    Command("remove_placement", "&Place", "&Remove our last placement...", ("Ctrl+Shift+Backspace",), "remove", "Take our tracks away again; nothing else is touched.", bar="-", needs="timeline"),
    Command("go_spots", "&View", "&Spots", ("Ctrl+1",), "", "Go to the list of spots.", needs="timeline"),
    Command("go_viewer", "&View", "&Viewer", ("Ctrl+2",), "", "Go to the picture.", needs="timeline"),
    Command("go_takes", "&View", "&Takes", ("Ctrl+3",), "", "Go to the takes.", needs="timeline"),
    Command("go_sound", "&View", "S&ound", ("Ctrl+4",), "", "Go to the prompt.", needs="timeline"),
    Command("go_queue", "&View", "&Queue", ("Ctrl+5",), "", "Go to the render queue.", needs="timeline"),
    Command("go_problems", "&View", "&Problems", ("Ctrl+6",), "problem", "Go to the problems.", needs="timeline"),
    Line("&View"),
    Command("show_shortcuts", "&Help", "&Keyboard shortcuts", ("F1",), "keys", "Show all keys."),
    Command("show_installed", "&Help", "What is &installed", (), "page", "What is there, what could be added, licences."),
    Command("show_doctor", "&Help", "&Check this machine", ("F2",), "doctor", "Look at everything a render needs."),
    Line("&Help"),
    Command("show_about", "&Help", "&About Sagafoley", (), "about", "Version and licences."),
)  # fmt: skip
