"""What students write, as a browser may show it: text, tables and pictures, and nothing that runs.

nbgrader's pages put the HTML of Markdown cells and of outputs into the page as it is, where a script would have the
teacher's rights.
"""

import re

import bleach
from nbconvert.filters import markdown2html

TAGS = set(
    "a abbr b blockquote br code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i img li ol p pre s span strong sub "
    "sup table tbody td th thead tr tt u ul".split()
)
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
PICTURE = re.compile(r"data:image/(png|jpeg|gif);base64,[\w+/=\s]*|[\w.-]+\.(png|jpe?g|gif|svg)")  # none from afar
TEX = re.compile(r"\\(?=(href|url|class|style|cssId|require|csname)\b)")  # commands by which a formula is a link
BASE64 = re.compile(r"[\w+/=\s]*")
MIMETYPES = ("text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/jpeg")


def html(text: str) -> str:
    """HTML with those tags, attributes and links only that cannot run anything; the rest is shown as text."""
    return bleach.clean(
        TEX.sub("", text), tags=TAGS, attributes=_allowed, protocols={"http", "https", "mailto", "data"}
    )


def markdown(source: str) -> str:
    """The HTML of a Markdown text, of which nothing can run."""
    return html(markdown2html(source))


def data(bundle: dict) -> dict:
    """Of an output's {MIME type: content}, what a page may show."""
    return {
        kind: TEX.sub("", text) if kind == "text/latex" else text
        for kind, text in bundle.items()
        if kind in MIMETYPES and isinstance(text, str) and (kind.startswith("text/") or BASE64.fullmatch(text))
    }


def _allowed(tag, name, value):
    if (tag, name) == ("img", "src"):
        return bool(PICTURE.fullmatch(value))
    return name in ATTRIBUTES.get(tag, ()) and not (name == "href" and value.strip().lower().startswith("data:"))
