"""Sphinx's settings. `build` adds what depends on where the collection lies."""

project = "Answers you can run"
html_title = project
author = ""
extensions = ["myst_nb"]

# The notebooks are published: what they hold is shown, and nothing is run.
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]  # a page may begin its parts with ###

# Everything that a page needs lies beside it: MathJax, which npm brings, the labs, the theme's own fonts.
mathjax_path = "tex-svg.js"
html_css_files = ["labs.css", "site.css"]
html_js_files = [(name, {"defer": "defer"}) for name in ("navigation.js", "labs.js", "print.js")]
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_copy_source = False
html_use_index = False
html_show_search_summary = False  # it would be fetched from the pages, which a browser refuses files
html_show_sphinx = False
html_show_copyright = False
html_last_updated_fmt = None

html_theme = "sphinx_book_theme"
html_theme_options = {
    "use_download_button": False,  # each page links its own notebook
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "home_page_in_toc": True,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
