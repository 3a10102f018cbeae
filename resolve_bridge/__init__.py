"""DaVinci Resolve as a Host. May import only the values of `plugin` and `models_onnx`."""
