"""Documents to be faxed."""

import io
from functools import cache

from PIL import Image, ImageDraw


@cache
def jpeg(text: str = "Fax", size: tuple[int, int] = (600, 850)) -> bytes:
    picture = Image.new("L", size, 255)
    ImageDraw.Draw(picture).text((60, 60), text, fill=0)
    said = io.BytesIO()
    picture.save(said, "JPEG")
    return said.getvalue()


@cache  # a PDF says when it was made
def pdf(text: str = "Fax", pages: int = 1) -> bytes:
    """Return a PDF of so many A4 pages with a word on each."""
    said = io.BytesIO()
    sheets = [Image.new("L", (595, 842), 255) for _ in range(pages)]
    for sheet in sheets:
        ImageDraw.Draw(sheet).text((60, 60), text, fill=0)
    sheets[0].save(said, "PDF", save_all=True, append_images=sheets[1:], resolution=72)
    return said.getvalue()
