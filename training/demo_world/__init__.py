"""A small procedural world of sounding objects, and the scripts that train the bundled demo models on it."""
