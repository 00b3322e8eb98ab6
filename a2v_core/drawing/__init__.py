"""Pictures without a plotting library: strokes, and panels over a time axis, as SVG and as pixels."""
