"""Makes pictures small: at most 256 colours each, which is plenty for a page of a user interface.

    python shrink_png.py PICTURE.png ...

Pillow comes with MLflow.
"""

import sys

from PIL import Image

for path in sys.argv[1:]:
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
