"""HTML in the pages that JupyterLab exports: formats and pictures stay, scripts go.

"Save and Export Notebook As > HTML" proposes to sanitize, and nbconvert's own sanitizer then shows every heading and
every picture as the text of its HTML. `remix lab` has nbconvert use this one.
"""

from __future__ import annotations

import re

import bleach
from bleach.css_sanitizer import CSSSanitizer

SCRIPTS = re.compile(r"<(script|style|select)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
TAGS = (
    "p br hr h1 h2 h3 h4 h5 h6 div span pre code a b i u s em strong small sub sup del ins kbd blockquote abbr acronym "
    "ul ol li dl dt dd table caption thead tbody tfoot tr th td figure figcaption img details summary"
)
ATTRIBUTES = "class id title style alt align width height colspan rowspan start open"
STYLES = (
    "display position top left right bottom transform width height min-width max-width min-height max-height margin "
    "margin-top margin-bottom margin-left margin-right padding padding-top padding-bottom padding-left padding-right "
    "border border-left border-bottom border-radius border-collapse outline background background-color color opacity "
    "font font-size font-weight font-style font-family line-height white-space text-align vertical-align overflow "
    "overflow-x overflow-y gap flex flex-wrap align-items grid-template-columns image-rendering visibility word-break"
)


def is_allowed(tag: str, name: str, value: str) -> bool:
    """Returns whether an element may have an attribute; of addresses, those of pages and of pictures in the page.

    >>> is_allowed("img", "src", "data:image/png;base64,iVBOR"), is_allowed("a", "href", "data:text/html,")
    (True, False)
    """
    is_data = value.strip().lower().startswith("data:")
    if (tag, name) == ("img", "src"):
        return not is_data or value.startswith("data:image/")
    return not is_data if (tag, name) == ("a", "href") else name in ATTRIBUTES.split()


CLEANER = bleach.Cleaner(
    tags=TAGS.split(),
    attributes=is_allowed,
    protocols=["http", "https", "mailto", "data", "attachment"],
    css_sanitizer=CSSSanitizer(allowed_css_properties=STYLES.split()),
    strip=True,
)


def clean_html(element: str | bytes) -> str:
    """Returns HTML without scripts, with the formats and pictures that notebooks have.

    >>> clean_html('<h1>Loss</h1><script>alert(1)</script><p onclick="alert(1)">3.1</p>')
    '<h1>Loss</h1><p>3.1</p>'
    """
    text = element.decode() if isinstance(element, bytes) else str(element)
    return CLEANER.clean(SCRIPTS.sub("", text))
