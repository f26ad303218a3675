"""Sphinx: how the pages are built (`make docs`)."""

import os
import warnings
from pathlib import Path

import centroids

project = "centroids"
author = "The centroids developers"
copyright = f"2026, {author}"
version = release = centroids.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
    "sphinxcontrib.programoutput",
]
exclude_patterns = ["_build", "tutorials/*.ipynb", "tutorials/*.py", "tutorials/*.md5"]
suppress_warnings = ["config.cache"]

# ---- pages in Markdown
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# ---- reference from docstrings
default_role = "py:obj"
autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
templates_path = ["_templates"]

# ---- the tutorial: examples/*.py run, with what they print and draw
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "tutorials",
    "filename_pattern": r"\.py$",
    "download_all_examples": False,
    "show_signature": False,
    "show_memory": False,
    "write_computation_times": False,
    "min_reported_time": 1e9,
    "remove_config_comments": True,
    "abort_on_example_error": True,
    "plot_gallery": True,
}
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")

# ---- commands whose output is shown: in a folder of their own, as in a pipe 100 columns wide
scratch = Path(__file__).parent / "_build" / "scratch"
scratch.mkdir(parents=True, exist_ok=True)
os.environ.update(COLUMNS="96", NO_COLOR="1", TERM="dumb", LC_ALL="C.UTF-8")
programoutput_prompt_template = "$ {command}\n{output}"

# ---- looks
html_theme = "pydata_sphinx_theme"
html_title = "centroids"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "tango",
}
html_sidebars = {"index": [], "tutorials/**": []}
