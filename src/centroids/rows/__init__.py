"""Rows: the only place that checks or converts user data, and that reads and writes tables.

``arrays``, ``sparse`` and ``threads`` serve the estimators: arrays, data frames and sparse
matrices in, trusted C-contiguous or CSR float rows out. ``source`` finds the files that a user
names, ``files`` reads CSV, Parquet, JSON and ``.npy`` files into a ``Table``, ``writing`` and
``output`` write files that are whole or not there; the other modules are parts of these.
Inside the package, rows that passed through here are trusted and not checked again.

No clustering lives here and no estimator is imported. Called by `estimators`, `model_file`,
`plots` and, through the public names, by `cli`.
"""
