"""From cue to takes to stem: planning, rendering, stitching, naming, running."""
