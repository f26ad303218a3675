"""The page as text: what is in it, what is escaped, what it weighs."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from by_hand import EVIL, make_report, profile_by_hand
from markupsafe import escape
from sklearn.datasets import make_blobs

from centroids import (
    FitRecorder,
    InputError,
    IterationsDisplay,
    KMeans,
    match_labels,
    profile,
    write_report,
)
from centroids.plots import palette
from centroids.plots.profile import signed
from centroids.report.numbers import cell, quantity, tick
from centroids.report.sections import cards_of
from centroids.wording import rough_percent


def test_every_section_has_its_content(tmp_path):
    html = make_report(tmp_path / "r.html").read_text()
    sections = re.findall(r'<section id="([\w-]+)"', html)
    assert sections == [
        *("notes", "clusters", "charts", "how-many", "classes", "stability", "rows", "reproduce")
    ]
    for words in ("Sentence of 3.", "A problem", "They come back.", "400 rows"):
        assert words in html
    command = re.search(r"<pre><code>(.*?)</code></pre>", html)[1]
    assert re.sub("<[^>]+>", "", command).startswith("centroids fit")
    assert "25 % of rows: Sentence" not in html  # the card says it above
    assert html.index("A problem") < html.index("A note")


def test_what_is_not_given_has_no_section(tmp_path):
    nothing = dict.fromkeys(
        ["k_choice", "matches", "stability", "findings", "replay", "truth", "reproduce"]
    )
    html = make_report(tmp_path / "r.html", **nothing).read_text()
    assert re.findall(r'<section id="([\w-]+)"', html) == ["clusters", "charts", "rows"]
    assert 'id="replay"' not in html


def test_one_cluster_has_no_comparisons(tmp_path):
    html = make_report(tmp_path / "r.html", k=1, matches=None, stability=None).read_text()
    for absent in ('id="silhouette"', 'id="heat-map"', '<nav class="chips"', "In pictures"):
        assert absent not in html
    assert "The rows as a whole" in html


def test_names_and_values_from_data_are_escaped(tmp_path):
    columns = [f"a{EVIL}", "<b>bold</b>", "c"]
    page = make_report(tmp_path / "r.html", feature_names=columns, names=[EVIL] * 4, evil=EVIL)
    html = page.read_text()
    # The script and the data block are the only scripts, the icon and nothing else is linked.
    assert len(re.findall("<script", html)) == 2
    assert len(re.findall("</script", html)) == 2
    for tag in ("<img", "<b>", "<iframe", "onerror=alert(1)>"):
        assert tag not in html
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in html
    assert "{{ 7*7 }}" in html


def test_the_page_forbids_itself_the_network(tmp_path):
    html = make_report(tmp_path / "r.html").read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1]
    assert policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in policy
    assert re.findall(r"""(?:src|href)=["'](?!data:)""", html) == []
    assert not re.search(r"https?://", html)


def test_a_large_table_makes_a_small_page_that_says_what_it_shows(tmp_path):
    sizes = [200_000, 99_970, 30]
    centers = np.array([[0, 0, 0, 0], [9, 0, 9, 0], [0, 9, 0, 9]], dtype=np.float32)
    X, _ = make_blobs(sizes, 4, centers=centers, random_state=0, cluster_std=0.5)
    X = X.astype(np.float32)
    model = KMeans(3, init=centers).fit(X)
    profile = profile_by_hand(X, model.labels_, ["a", "b", "c", "d"])
    replay = IterationsDisplay.from_estimator(model, X, max_shown=1500)
    write_report(tmp_path / "r.html", model=model, X=X, profile=profile, replay=replay)
    html = (tmp_path / "r.html").read_text()
    assert len(html) < 1_000_000
    shown = int(re.search(r"([\d,]+) of 300,000 rows shown", html)[1].replace(",", ""))
    assert html.count('class="point ') == shown <= 1500
    assert html.count('class="point c2"') == 30


def test_rings_mark_rows_of_a_minority_and_are_explained_only_where_there_are_any(tmp_path):
    html = make_report(tmp_path / "r.html").read_text()
    n_rings = len(re.findall(r'class="point c\d miss"', html))
    X, y = make_blobs(400, 3, centers=4, cluster_std=2.0, random_state=3)
    labels = KMeans(4, init="random", n_init=1, random_state=1).fit_predict(X)
    assert n_rings == match_labels(y, labels).n_majority_misses > 0
    assert "Rings:" in html
    perfect = match_labels(labels, labels)
    html = make_report(tmp_path / "r.html", matches={"training rows": perfect}).read_text()
    assert "Rings:" not in html


def test_the_same_input_gives_the_same_bytes(tmp_path):
    one, other = (make_report(tmp_path / f"{name}.html").read_bytes() for name in "ab")
    assert one == other


def test_the_page_needs_no_matplotlib_and_names_the_extra_it_needs(tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); sys.modules['matplotlib'] = None\n"
        "from by_hand import make_report\n"
        "from centroids import MissingExtraError\n"
        "make_report(sys.argv[2])\n"
        "sys.modules['jinja2'] = None\n"
        "try: make_report(sys.argv[2])\n"
        "except MissingExtraError as error: print(error)\n"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path / "r.html")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == 'the report needs jinja2: pip install "centroids[report]"\n'
    assert (tmp_path / "r.html").stat().st_size > 50_000


def test_page_and_pictures_share_their_colors(tmp_path):
    html = make_report(tmp_path / "r.html").read_text()
    for color in (*palette.LIGHT[:4], *palette.DARK[:4], palette.FALLING, palette.RISING):
        assert color in html
    assert f"--accent: light-dark({palette.CURVE}," in html


def test_the_bar_of_a_cluster_is_its_share_of_all_rows():
    X = np.repeat([[0.0], [10.0], [50.0]], [60, 30, 10], axis=0)
    found = profile(KMeans(3, random_state=0).fit(X), X)
    assert [(card["share"], card["width"]) for card in cards_of(found)] == [
        ("60 %", 60.0),
        ("30 %", 30.0),
        ("10 %", 10.0),
    ]


@pytest.mark.parametrize("name", ["r.pdf", "nowhere/r.html"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path, name):
    with pytest.raises(InputError):
        make_report(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"X": np.zeros((3, 3))}, "X has 3 rows"),
        ({"truth": ["a"]}, "truth has 1 classes"),
        ({"model": KMeans(2, random_state=0).fit(np.eye(3))}, "profile has 4 clusters"),
    ],
    ids=["rows", "classes", "model"],
)
def test_parts_that_do_not_belong_together_are_refused(tmp_path, change, words):
    with pytest.raises(ValueError, match=words):
        make_report(tmp_path / "r.html", **change)
    assert list(tmp_path.iterdir()) == []


def test_a_replay_says_where_the_search_leaps(tmp_path):
    X = np.random.default_rng(0).uniform(size=(600, 2))
    for search, leaps in (("auto", True), (None, False)):
        recorder = FitRecorder()
        model = KMeans(12, random_state=0, search=search, callback=recorder).fit(X)
        display = IterationsDisplay.from_recorder(recorder, model, X)
        searched = [frame.is_after_search for frame in display.frames]
        assert searched == [False] * (len(searched) - 1) + [leaps]
        profile = profile_by_hand(X, model.labels_, ["a", "b"])
        write_report(tmp_path / "r.html", model=model, X=X, profile=profile, replay=recorder)
        page = (tmp_path / "r.html").read_text()
        assert ("The last step is a leap" in page) == leaps


def test_a_replay_of_other_rows_is_refused(tmp_path):
    X, _ = make_blobs(400, 3, centers=4, cluster_std=2.0, random_state=3)
    replay = IterationsDisplay.from_estimator(KMeans(4, random_state=1).fit(X), X, max_shown=50)
    with pytest.raises(ValueError, match="max_shown=1500"):
        make_report(tmp_path / "r.html", replay=replay)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1234.5678, "1,235"),
        (0.00012345, "0.0001234"),
        (-2.5, "−2.5"),
        (1e12, "1.000e+12"),
        (float("nan"), "–"),
        (float("-inf"), "−∞"),
    ],
)
def test_quantities_have_the_digits_a_reader_can_use(value, text):
    assert quantity(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.99999, "over 99.9 %"),
        (1e-6, "under 0.1 %"),
        (0.375, "38 %"),
        (1.037, "104 %"),
    ],
)
def test_shares_are_never_rounded_to_all_or_nothing(share, text):
    assert rough_percent(share) == text


def test_ticks_are_short():
    values = [0.001, 250.0, 1000.0, 20_000.0, 3e6, -4e10]
    assert [tick(v) for v in values] == ["0.001", "250", "1,000", "20 k", "3 M", "−40 G"]


def test_a_model_that_differs_from_the_choice_is_pointed_out(tmp_path):
    html = make_report(tmp_path / "r.html", k=3).read_text()
    assert "The model on this page has 3 clusters nevertheless." in html


def test_signs_and_cells():
    assert [signed(v) for v in (1.25, -0.31, 0.01, -0.01)] == ["+1.2", "−0.3", "0.0", "0.0"]
    assert [cell(v) for v in (None, 3, -4, 2.5, "x", np.int64(1000))] == [
        *("–", "3", "−4", "2.5", "x", "1,000")
    ]


def test_a_profile_of_the_library_is_printed(tmp_path):
    pytest.importorskip("centroids.describe", reason="profile is not there yet")
    from centroids import profile

    X, _ = make_blobs(300, 3, centers=3, random_state=0)
    model = KMeans(3, random_state=0).fit(X)
    real = profile(model, X)
    write_report(tmp_path / "r.html", model=model, X=X, profile=real)
    html = (tmp_path / "r.html").read_text()
    for card in real.clusters:
        assert str(escape(card.sentence.partition(" % of rows: ")[2])) in html
