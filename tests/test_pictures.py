"""The pictures of README and docs/, and the script that makes them."""

import pytest
from badges import badges
from browsers import CHROMIUM, needs_browser
from pictures import FIGURE, IMAGES, LARGEST, SCREEN, browser_page, keep, photograph
from PIL import Image

SCREENS = [IMAGES / "report.png", IMAGES / "tensorboard.png", IMAGES / "lesson.png"]


@pytest.mark.parametrize("name", badges())
def test_each_badge_says_what_the_project_says(name):
    assert (IMAGES / name).read_text() == badges()[name]


@pytest.mark.parametrize("file", [*SCREENS, FIGURE], ids=lambda file: file.stem)
def test_each_picture_is_a_small_png(file):
    with Image.open(file) as image:
        assert image.format == "PNG"
        assert file not in SCREENS or image.size == tuple(SCREEN.values())
    assert file.stat().st_size <= LARGEST


def test_a_picture_is_refused_that_would_be_slow_to_load(tmp_path, monkeypatch):
    monkeypatch.setattr("pictures.ROOT", tmp_path)
    noise = Image.effect_noise((800, 800), 200)
    with pytest.raises(SystemExit, match=r"noise\.png: \d\d\d,\d\d\d bytes, more than 300,000"):
        keep(noise, tmp_path / "noise.png")


@needs_browser
@pytest.mark.slow
def test_a_page_is_photographed_once_it_has_come_to_rest(tmp_path, monkeypatch):
    monkeypatch.setattr("pictures.ROOT", tmp_path)
    page = tmp_path / "page.html"
    page.write_text("""<body style="margin: 0; height: 900px; background: red"><script>
        setTimeout(() => document.documentElement.dataset.drawn = 1, 100);
        let steps = 0;
        const drawing = setInterval(() => {
          document.body.style.background = ++steps < 20 ? `rgb(${steps}, 0, 0)` : "blue";
          if (steps === 20) clearInterval(drawing);
        }, 100);
    </script>""")
    with browser_page(CHROMIUM) as tab:
        keep(photograph(tab, page.as_uri(), drawn="html[data-drawn]"), tmp_path / "page.png")
    with Image.open(tmp_path / "page.png") as image:
        assert image.size == tuple(SCREEN.values())
        assert image.convert("RGB").getcolors() == [(1400 * 900, (0, 0, 255))]
