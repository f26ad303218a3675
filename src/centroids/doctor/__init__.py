"""What to know about the columns and rows of a table before they are clustered.

``examine`` reads the input once: a data frame, an array or a ``Table``; ``columns`` and ``rows``
hold one check per function, each from finished numbers to a ``Finding``; ``findings`` says what
they give. The checks fit nothing and change nothing, look at every row, and give the same answer
for the same data. Advice on clusters that were found is in `describe`.

Called by users and, through the public names, by `cli`.
"""

from centroids.doctor.examining import examine
from centroids.doctor.findings import Finding, Findings

__all__ = ["Finding", "Findings", "examine"]
