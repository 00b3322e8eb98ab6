"""Pictures without a plotting library: one set of strokes, and panels over a time axis, as SVG and as pixels."""
