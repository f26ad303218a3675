"""K-Means libraries measured against each other; see README.md in this folder."""
