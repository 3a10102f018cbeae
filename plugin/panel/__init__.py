"""The panel: a window beside the editor. Widgets build, bind and show; `controller` decides what."""
