"""The company's own look: pictures that harm nobody, and colours that everybody can read."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from service.config import Config, parse
from service.config.brand_check import check_brand
from service.config.colours import DARK_GROUND, LIGHT_GROUND, READABLE, contrast, readable, stronger
from service.config.differences import differences
from service.config.pictures import LARGEST, read_picture
from service.config.yaml_text import read_document
from service.errors import ConfigFaulty
from service.web.front import STATIC

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'
COLOURS = some.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def read(folder: Path, site: str) -> Config:
    return parse(f'site: {{name: A, url: "https://a.example", {site}}}\n', folder / "config.yaml", {})


def fault(folder: Path, site: str) -> str:
    with pytest.raises(ConfigFaulty) as raised:
        read(folder, site)
    (found,) = raised.value.faults
    return found.text


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0JFIF", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (SVG.format('<use xlink:href="#a"/><path fill="url(#b)"/>').encode(), "image/svg+xml"),
        (b'<?xml version="1.0"?><!-- made by hand -->' + SVG.format("").encode(), "image/svg+xml"),
    ],
)
def test_a_picture_is_known_by_its_bytes(tmp_path: Path, content: bytes, kind: str) -> None:
    (tmp_path / "logo").write_bytes(content)
    logo = read(tmp_path, "logo: logo").site.logo
    assert logo is not None
    assert (logo.media_type, logo.content) == (kind, content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"GIF89a", "is not a PNG, JPEG, WebP or SVG picture"),
        (b"", "is not a PNG"),
        (b"<svg", "its XML is faulty"),
        (b"<!-- --><html/>", "it is some other XML"),
        (SVG.format("<script>x()</script>").encode(), "holds <script>"),
        (SVG.format("<foreignObject/>").encode(), "holds <foreignobject>"),
        (SVG.format('<path onload="x()"/>').encode(), "holds `onload`"),
        (SVG.format('<a xlink:href="javascript:x()"/>').encode(), "by `href`"),
        (SVG.format('<image href="https://evil.example/x.png"/>').encode(), "by `href`"),
        (SVG.format("<path style=\"fill: url('//evil.example')\"/>").encode(), "by url()"),
        (SVG.format("<style>@import 'x';</style>").encode(), "in its styles"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG.format("&a;").encode(), "holds a DOCTYPE"),
        (b'<?xml version="1.0"?><!DOCTYPE svg SYSTEM "file:///etc/passwd">' + SVG.encode(), "a DOCTYPE"),
        (PNG + b"\0" * LARGEST, "is larger than 256 KiB"),
    ],
)
@pytest.mark.parametrize("name", ["logo", "favicon"])
def test_a_picture_that_cannot_be_shown_is_a_fault(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / "x.svg").write_bytes(content)
    found = fault(tmp_path, f"{name}: x.svg")
    assert found.startswith("the file `x.svg` ")
    assert said in found


def test_a_picture_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    assert fault(tmp_path, "logo: x.svg") == "the file `x.svg` does not exist"
    assert fault(tmp_path, "logo: .") == "the file `.` is not a file"


@given(some.binary(max_size=200), some.sampled_from([b"", b"<svg ", b"<?xml ", PNG]))
def test_whatever_a_file_holds_it_is_a_picture_or_said_why_not(content: bytes, head: bytes) -> None:
    path = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path()  # noqa: S108  written by this test alone
    file = path / "replycast-picture"
    file.write_bytes(head + content)
    said = ""
    try:
        read_picture(file)
    except ValueError as error:
        said = str(error)
    finally:
        file.unlink()
    assert not said or said.startswith(("is ", "holds ", "fetches "))


def test_a_colour_that_cannot_be_read_is_a_fault_with_its_ratio_and_a_better_one(tmp_path: Path) -> None:
    light = fault(tmp_path, 'colours: {brand: "#FFCC00"}')
    assert "on the light pages: its contrast is 1.33 to 1, and 4.5 are needed" in light
    better = light.partition('"')[2].partition('"')[0]
    assert read(tmp_path, f'colours: {{brand: "{better}"}}').site.brand == better
    dark = fault(tmp_path, 'colours: {brand: "#333333", brand_dark: "#222288"}')
    assert "on the dark pages: its contrast is 1.0" in dark


@pytest.mark.parametrize("written", ["blue", '"#fff"', '"#12345g"', '"rgb(1,2,3)"'])
def test_what_is_no_colour_is_a_fault(tmp_path: Path, written: str) -> None:
    assert "is not a colour: write one such as" in fault(tmp_path, f"colours: {{brand: {written}}}")


def test_a_colour_without_quotes_is_told_about_the_comment() -> None:
    _, faults = read_document("site:\n  colours:\n    brand: #3350b0\n", "config.yaml")
    assert [one.text for one in faults] == [
        "`brand` has no value, since # begins a comment: put the colour in quotes"
    ]


def test_a_dark_colour_needs_a_light_one(tmp_path: Path) -> None:
    assert "needs a `brand`" in fault(tmp_path, 'colours: {brand_dark: "#ffffff"}')


def test_without_a_dark_colour_a_brighter_shade_is_made(tmp_path: Path) -> None:
    site = read(tmp_path, 'colours: {brand: "#aa0000"}').site
    assert contrast(site.brand_dark, DARK_GROUND) >= READABLE
    assert read(tmp_path, "hide_authors: true").site.brand_dark == ""


@given(COLOURS, some.booleans())
def test_a_shade_that_is_offered_can_be_read_and_so_can_what_stands_on_it(colour: str, is_dark: bool) -> None:  # noqa: FBT001  drawn
    shade = readable(colour, is_dark=is_dark)
    ground, upon = (DARK_GROUND, "#11182e") if is_dark else (LIGHT_GROUND, "#ffffff")
    for one in (shade, stronger(shade, is_dark=is_dark)):
        assert contrast(one, ground) >= READABLE
        assert contrast(one, upon) >= READABLE


def test_the_grounds_are_the_hardest_of_the_stylesheet() -> None:
    css = (STATIC / "replycast.css").read_text()
    for ground in (LIGHT_GROUND, DARK_GROUND):
        assert ground in css


def test_another_logo_is_a_change_and_its_bytes_are_not_told(tmp_path: Path) -> None:
    (tmp_path / "logo").write_bytes(PNG)
    before = read(tmp_path, "logo: logo")
    (tmp_path / "logo").write_bytes(PNG + b"1")
    said = differences(before, read(tmp_path, "logo: logo"))
    assert "site.logo.content: changed" in said


def test_a_faulty_shape_hides_no_fault_of_the_look(tmp_path: Path) -> None:
    document, _ = read_document('site: {logo: [x], colours: {brand: "#ffffff"}}', "config.yaml")
    assert len(check_brand(document, tmp_path)) == 1
