"""The page in a real browser."""

import numpy as np
import pytest
from by_hand import EVIL, make_report, profile_by_hand

from centroids import FitRecorder, KMeans, write_report


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return make_report(tmp_path_factory.mktemp("report") / "report.html")


@pytest.mark.parametrize("k", [1, 2, 10, 30])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_are_drawn_without_a_word_or_a_request(open_page, tmp_path, k, scheme):
    page = open_page(make_report(tmp_path / "r.html", k=k), color_scheme=scheme)
    for chart in ("map", "elbow", "scores"):
        box = page.locator(f"#{chart}").bounding_box()
        assert box["width"] > 300
        assert box["height"] > 200
    assert page.locator("#map .center").count() == k
    assert page.locator("#silhouette .block").count() == (k if k > 1 else 0)
    assert page.troubles == []


def test_a_hostile_table_does_nothing(open_page, tmp_path):
    names = [f"a{EVIL}", "javascript:alert(1)", "c"]
    path = make_report(tmp_path / "r.html", feature_names=names, names=[EVIL] * 4, evil=EVIL)
    page = open_page(path)
    assert page.title() == f"Title{EVIL}"
    assert page.locator("img").count() == 0
    assert page.locator(".card-title").first.inner_text().endswith(EVIL)
    assert page.troubles == []


@pytest.mark.parametrize(
    "where",
    [".chip[data-choose='2']", ".card-title[data-choose='2']", "#map .center[data-choose='2']",
     "#silhouette .block[data-choose='2']", "#heat-map button[data-choose='2']",
     "#map .point[data-now='2'] >> nth=0"],
    ids=["chip", "card", "center", "silhouette", "heat map", "row"],
)  # fmt: skip
def test_a_cluster_chosen_anywhere_is_chosen_everywhere(open_page, report, where):
    page = open_page(report)
    page.locator(where).dispatch_event("click")
    chosen = page.locator(".is-chosen[data-cluster]")
    clusters = set(chosen.evaluate_all("marks => marks.map(mark => mark.dataset.cluster)"))
    assert clusters == {"2"}
    for part in (".card", "#silhouette .block", ".center", "#heat-map td", "details"):
        assert page.locator(f"{part}.is-chosen").count() > 0
    rows = page.locator("#map .point.is-chosen")
    assert rows.count() == page.locator("#map .point[data-now='2']").count() > 0
    assert "Cluster 2" in page.locator("#says").inner_text()
    page.keyboard.press("Escape")
    assert page.locator(".is-chosen").count() == 0
    assert page.troubles == []


@pytest.mark.parametrize("key", ["Enter", " "])
def test_charts_are_reached_and_used_by_keyboard(open_page, report, key):
    page = open_page(report)
    for part in (".chip[data-choose='1']", ".center[data-choose='1']", ".block[data-choose='1']"):
        page.locator(part).focus()
        page.keyboard.press(key)
        assert page.locator(".card.is-chosen").get_attribute("data-cluster") == "1"
        assert page.locator(part).get_attribute("aria-pressed") == "true"
        page.keyboard.press(key)
        assert page.locator(".is-chosen").count() == 0


def test_the_slider_replays_the_fit(open_page, report):
    page = open_page(report)
    state = """() => [
        [...document.querySelectorAll('#map .center')].map(c => c.getAttribute('transform')),
        [...document.querySelectorAll('#map .point')].map(p => p.dataset.now)]"""
    slider = page.locator("#iteration")
    last = int(slider.get_attribute("max"))
    assert last >= 3
    final = page.evaluate(state)
    seen = []
    slider.focus()
    page.keyboard.press("Home")
    assert page.locator("#when").inner_text().startswith("First centers: inertia")
    for _ in range(last):
        seen.append(page.evaluate(state))
        page.keyboard.press("ArrowRight")
    assert page.evaluate(state) == final
    assert page.locator("#when").inner_text().startswith("What the search after the run found")
    assert seen[0][0] != final[0]  # centers moved
    assert seen[0][1] != final[1]  # rows changed their color
    inertia = page.evaluate("JSON.parse(document.getElementById('replay-data').textContent).frames"
                            ".map(f => Number(f.inertia.replaceAll(',', '')))")  # fmt: skip
    assert inertia == sorted(inertia, reverse=True)
    assert page.troubles == []


def test_the_slider_says_what_the_search_found(open_page, tmp_path):
    X = np.random.default_rng(0).uniform(size=(600, 2))
    recorder = FitRecorder()
    model = KMeans(12, random_state=0, callback=recorder).fit(X)
    profile = profile_by_hand(X, model.labels_, ["a", "b"])
    write_report(tmp_path / "r.html", model=model, X=X, profile=profile, replay=recorder)
    page = open_page(tmp_path / "r.html")
    assert page.locator("#when").inner_text().startswith("What the search after the run found")
    page.locator("#iteration").focus()
    page.keyboard.press("ArrowLeft")
    n = len(recorder.run_of(model)) - 1
    assert page.locator("#when").inner_text().startswith(f"After {n} of {n} iterations")
    assert page.troubles == []


def test_play_runs_to_the_end(open_page, report):
    page = open_page(report)
    page.clock.install()
    page.locator("#play").click()
    assert page.locator("#play").inner_text() == "Stop"
    page.clock.run_for(60_000)
    assert page.locator("#play").inner_text() == "Play"
    slider = page.locator("#iteration")
    assert slider.input_value() == slider.get_attribute("max")


@pytest.mark.parametrize("k", [1, 4, 30])
def test_a_phone_shows_the_page_without_scrolling_sideways(open_page, tmp_path, k):
    names = ["a_rather_long_name_of_a_column_that_goes_on", "Donaudampfschifffahrt" * 4, "c"]
    page = open_page(make_report(tmp_path / "r.html", k=k, feature_names=names), width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = page.evaluate("""() => [...document.querySelectorAll('button, summary')]
        .filter(b => b.getBoundingClientRect().height && b.getBoundingClientRect().height < 22)
        .map(b => b.outerHTML)""")
    assert small == []


def test_on_paper_everything_is_open_and_nothing_is_chosen(open_page, report, tmp_path):
    page = open_page(report)
    page.locator(".chip[data-choose='1']").click()
    page.pdf(path=tmp_path / "r.pdf")
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator(".is-chosen").count() == 0
    page.emulate_media(media="print")
    assert not page.locator(".chips").is_visible()
    assert page.locator("table.rows").last.is_visible()


def test_without_script_the_page_is_whole(browser, report):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("#map .point").count() == 400
    assert not page.locator(".chips").is_visible()
    assert not page.locator("#replay").is_visible()
    context.close()


COLORS = """() => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const brush = canvas.getContext('2d', {willReadFrequently: true});
  const rgb = color => {
    brush.fillStyle = color;
    brush.fillRect(0, 0, 1, 1);
    return [...brush.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const cells = [...document.querySelectorAll('.heat td.above, .heat td.below, .heat td.count')];
  cells.forEach((cell, i) => cell.style.setProperty('--s', `${100 - i % 9 * 12}%`));
  return cells.map(cell => [getComputedStyle(cell).backgroundColor, getComputedStyle(cell).color])
    .map(pair => pair.map(rgb));
}"""


def luminance(color):
    share = np.array(color) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_numbers_on_cells_of_any_strength_can_be_read(open_page, report, scheme):
    """WCAG 2 asks for a contrast of 4.5."""
    pairs = open_page(report, color_scheme=scheme).evaluate(COLORS)
    assert len(pairs) > 9
    for pair in pairs:
        dark, light = sorted(map(luminance, pair))
        assert (light + 0.05) / (dark + 0.05) >= 4.5
