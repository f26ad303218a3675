"""One self-contained HTML page from finished numbers.

`page` takes what the caller has and writes the file; `sections` turns results into plain values for
the template; `charts` turns the numbers of displays into positions; `numbers` prints numbers.
`page.html`, `page.css` and `page.js` are the page itself: inline SVG and a little script, no
library, no request (docs/decisions/0012).

Nothing is fitted here and no statistic computed: maps and silhouettes come from `plots`, all else
from the caller. Every value goes through the template's escaping. Called by users and by `cli`.
"""

from centroids.report.page import write_report

__all__ = ["write_report"]
