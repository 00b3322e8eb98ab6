"""Makes a ComfyUI whose Python lacks some packages, as before `pip install -r requirements.txt`.

ComfyUI runs this first of all. The folder of installed packages leaves `sys.path`; in its place comes one
with links to everything in it but the packages below.
"""

import sys
from pathlib import Path

HIDDEN = {"diffusers", "librosa", "cv2"}

user = Path(sys.argv[sys.argv.index("--user-directory") + 1])
for number, place in enumerate(sys.path):
    if place.endswith("site-packages"):
        folder = user / f"packages-{number}"
        folder.mkdir()
        for entry in Path(place).iterdir():
            if entry.name.partition("-")[0] not in HIDDEN:
                (folder / entry.name).symlink_to(entry)
        sys.path[number] = str(folder)
