"""One document into the pages of a fax: a program of its own, for what it opens comes from anywhere.

    python -I render.py DOCUMENT pdf|jpg FOLDER

writes `fax.tif` (1728 pixels wide, 204 × 196 dpi, CCITT group 4) and `page1.png` into the folder, and says on its
standard output `{"pages": 3}`, or `{"reason": "encrypted"}` with a word of `FaxReason`. It limits its own memory and
time, knows neither the portal nor its database, and runs no script: its PDF library is built without.
"""

import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pypdfium2
from PIL import Image, ImageOps, TiffImagePlugin
from pypdfium2 import raw

MEMORY, SECONDS, MOST_BYTES, MOST_PAGES = 480 * 2**20, 60, 100 * 2**20, 100
WIDTH, HEIGHT, ACROSS, DOWN = 1728, 2292, 204, 196  # pixels, dots per inch
PREVIEW = (864, 1192)
DEEPEST = 20  # dictionaries within one another, without a name of their own
MOST_PIXELS = 60_000_000  # of a picture; before anything of it is unpacked


class Refused(Exception):
    """It becomes no fax; the only argument is the word that says why."""


def limit() -> None:
    """Limit what this process may use; beyond it is killed or told that there is no more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def render(document: Path, kind: str, folder: Path) -> int:
    """Write the fax and the preview of its first page; return how many pages. Raises Refused."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    pages = _of_pdf(document) if kind == "pdf" else _of_picture(document)
    count = 0
    with TiffImagePlugin.AppendingTiffWriter(str(folder / "fax.tif"), new=True) as written:
        for page in pages:
            if not count:
                page.resize(PREVIEW).save(folder / "page1.png", optimize=True)
            fax = page.point(_contrast).convert("1")
            fax.save(written, format="TIFF", compression="group4", dpi=(ACROSS, DOWN))
            written.newFrame()
            count += 1
    return count


def _contrast(shade: int) -> int:
    """Letters stay clear, for only what lies between is dithered."""
    return 0 if shade < 96 else 255 if shade > 200 else (shade - 96) * 255 // 104


def _of_pdf(document: Path) -> Iterator[Image.Image]:
    try:
        pdf = pypdfium2.PdfDocument(document)
    except pypdfium2.PdfiumError as error:
        protected = (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
        raise Refused("encrypted" if raw.FPDF_GetLastError() in protected else "broken") from error
    if raw.FPDF_GetSecurityHandlerRevision(pdf) != -1:
        raise Refused("encrypted")
    if raw.FPDFDoc_GetJavaScriptActionCount(pdf) > 0 or _has_scripts(document):
        raise Refused("script")
    if not 0 < len(pdf) <= MOST_PAGES:
        raise Refused("too_many_pages" if len(pdf) else "broken")
    for number in range(len(pdf)):
        yield _page(pdf, number)


def _has_scripts(document: Path) -> bool:
    """Return whether an object is a script's action: where it opens, on a page, in a field, or behind a name."""
    try:
        with pikepdf.open(document) as pdf:
            things = [thing for thing in pdf.objects if isinstance(thing, pikepdf.Dictionary)]
            return any(_holds_script(thing, 0) for thing in things)
    except pikepdf.PdfError:
        return False  # none can be found in what has to be repaired, and none is run


def _holds_script(thing: pikepdf.Object, depth: int) -> bool:
    if not isinstance(thing, pikepdf.Dictionary):
        return False
    if "/JS" in thing or thing.get("/S") == pikepdf.Name.JavaScript:
        return True
    inside = [thing.get(name) for name in thing.keys()]  # noqa: SIM118 -- iterating it yields no keys
    return depth < DEEPEST and any(
        _holds_script(one, depth + 1) for one in inside if isinstance(one, pikepdf.Object) and not one.is_indirect
    )


def _page(pdf: pypdfium2.PdfDocument, number: int) -> Image.Image:
    page = pdf[number]
    try:
        width, height = page.get_size()
        if not (0 < width < 1e6 and 0 < height < 1e6):
            raise Refused("broken")
        turned = 90 if width > height else 0
        wide, high = sorted((width, height))
        fitted = min(1.0, WIDTH / (wide / 72 * ACROSS), HEIGHT / (high / 72 * DOWN))
        bitmap = page.render(scale=ACROSS / 72 * fitted, rotation=turned, grayscale=True, may_draw_forms=False)
        return _on_paper(bitmap.to_pil(), round(wide / 72 * ACROSS * fitted), round(high / 72 * DOWN * fitted))
    finally:
        page.close()


def _of_picture(document: Path) -> Iterator[Image.Image]:
    with Image.open(document, formats=["JPEG"]) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise Refused("too_large")
        picture.draft("L", (2 * WIDTH, 2 * HEIGHT))  # unpacks large pictures at a fraction of their size
        upright = ImageOps.exif_transpose(picture).convert("L")
    if upright.width > upright.height:
        upright = upright.transpose(Image.Transpose.ROTATE_90)
    fitted = min(WIDTH / ACROSS / upright.width, HEIGHT / DOWN / upright.height)
    yield _on_paper(upright, round(upright.width * fitted * ACROSS), round(upright.height * fitted * DOWN))


def _on_paper(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Return a white page of a fax with the picture on it, centred; its dots are wider than they are high."""
    paper = Image.new("L", (WIDTH, HEIGHT), 255)
    placed = picture.convert("L").resize((max(1, min(width, WIDTH)), max(1, min(height, HEIGHT))))
    paper.paste(placed, ((WIDTH - placed.width) // 2, (HEIGHT - placed.height) // 2))
    return paper


def main() -> None:
    """Render one document within the limits, and say what became of it."""
    limit()
    document, kind, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    try:
        said: dict[str, int | str] = {"pages": render(document, kind, folder)}
    except Refused as refused:
        said = {"reason": str(refused)}
    except MemoryError:
        said = {"reason": "too_large"}
    except Exception as error:  # noqa: BLE001 -- whatever the libraries say of it, it cannot be read
        said = {"reason": "too_large" if "Bomb" in type(error).__name__ else "broken"}
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
