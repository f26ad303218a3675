"""Options that belong together: one value for a command, single options for a user."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import signature
from typing import Annotated

import typer

from centroids.cli._groups import expanded, words_of


@dataclass(frozen=True)
class Size:
    """How large."""

    width: Annotated[int, typer.Option(help="Across.")] = 3
    label_text: str | None = None


seen: list[object] = []


@expanded
def draw(shape: str, *, size: Size, is_filled: bool = False) -> None:
    """Draw a shape
    that is not small.

    It is
    drawn at once.
    """
    seen.append((shape, size, is_filled))


def test_fields_are_parameters_in_the_place_of_their_group() -> None:
    assert list(signature(draw).parameters) == ["shape", "width", "label_text", "is_filled"]
    assert signature(draw).parameters["width"].default == 3


def test_a_command_gets_its_groups_as_values() -> None:
    draw(shape="disc", width=5, label_text=None, is_filled=True)
    assert seen.pop() == ("disc", Size(5, None), True)


def test_paragraphs_are_not_broken_where_the_source_is() -> None:
    assert draw.__doc__ == "Draw a shape that is not small.\n\nIt is drawn at once."


def test_words_repeat_what_differs_from_the_default() -> None:
    assert words_of(Size()) == []
    assert words_of(Size(label_text="a b"), Size(width=4)) == [
        "--label-text", "'a b'", "--width", "4",
    ]  # fmt: skip
