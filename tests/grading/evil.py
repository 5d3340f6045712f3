"""What a student may write so that it runs in the browser of whoever reads it; what would run says EVIL."""

from nbformat.v4 import new_code_cell, new_markdown_cell

EVIL = [
    '<img src=x onerror="EVIL">',
    "<script>EVIL</script>",
    "<svg onload=EVIL></svg>",
    "[x](javascript:EVIL)",
    '<a href="data:text/html,EVIL">x</a>',
    '<a href=" JaVaScRiPt:EVIL">x</a>',
    '<iframe srcdoc="EVIL"></iframe>',
    "![x](https://EVIL.example/pixel.png)",
    '<form action="/EVIL"><button>x</button></form>',
    "<b style='EVIL'>x</b>",
    r"$\href{javascript:EVIL}{x}$",
    '<details open ontoggle="EVIL">',
    "<math><style><img src onerror=EVIL></style></math>",
    "<style>EVIL</style>",
    "$<img src=x onerror=EVIL>$",
    "`<script>EVIL</script>`",
    "</div></div><base href='https://EVIL'>",
]


def hostile_cells():
    """Cells that say all of it, as source and as output of every kind."""
    show = "\n".join(
        f"display({{{kind!r}: {text!r}}}, raw=True)"
        for text in [*EVIL, "' onerror='EVIL"]
        for kind in (
            "text/html",
            "text/markdown",
            "text/latex",
            "image/svg+xml",
            "application/javascript",
            "image/png",
            "text/vnd.mermaid",
            "application/vnd.jupyter.widget-view+json",
            "text/plain",
        )
    )
    return [
        new_code_cell(show),
        new_markdown_cell("\n\n".join(EVIL)),
        new_code_cell("\n".join(EVIL)),
        new_code_cell(f"class EVIL(Exception): pass\nEVIL.__name__ = {EVIL[0]!r}\nraise EVIL({EVIL[1]!r})"),
        new_code_cell(
            "h = display({'text/plain': 'x'}, raw=True, display_id='b')\n"
            f"h.update({{'application/javascript': {EVIL[0]!r}}}, raw=True)"
        ),
    ]
