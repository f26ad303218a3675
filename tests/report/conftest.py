"""The browser that looks at reports."""

import os
import shutil

import pytest

pytest.importorskip("jinja2")

# What a browser would do on its own, besides showing the page.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
]


@pytest.fixture(scope="session")
def browser():
    chromium = shutil.which("chromium") or os.environ.get("CENTROIDS_CHROMIUM")
    if chromium is None:
        pytest.skip("no Chromium: install it (apt install chromium) to test pages in a browser")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def open_page(browser):
    """Open a file and note what goes wrong: messages, errors, requests."""
    pages = []

    def open_file(path, width=1280, **options):
        page = browser.new_page(viewport={"width": width, "height": 844}, **options)
        page.troubles = []
        page.on("console", lambda message: page.troubles.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: page.troubles.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (page.troubles.append("dialog"), dialog.dismiss()))

        def seen(request):
            is_own = request.url == path.as_uri() or request.url.startswith("data:")
            if not is_own:
                page.troubles.append(f"request: {request.url}")

        page.on("request", seen)
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield open_file
    for page in pages:
        page.close()
