"""What goes wrong with data a user hands over."""

__all__ = ["InputError", "MissingExtraError", "UnknownColumnError"]


class InputError(ValueError):
    """Data, a file or a place to write to that cannot be used as it is.

    The message is one line. It names the file, and where they are known the row and the
    column, and says what to do. Row 1 is the first row of data, below any header.
    """


class UnknownColumnError(InputError):
    """A column that is not in the file.

    Attributes
    ----------
    column : str
        Its name.
    """

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


class MissingExtraError(ImportError):
    """An optional package is not installed; the message says which extra brings it."""
