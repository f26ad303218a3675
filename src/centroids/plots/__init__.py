"""Pictures of finished numbers.

Each file holds one display: numbers in, axes out, after scikit-learn's ``Display`` objects
(``plot(ax=None)`` draws and keeps ``ax_`` and ``figure_``). A display never fits a model and
never reads data. matplotlib is imported inside the functions that draw, so that importing the
package stays light; without it they say which extra to install. Called by users and by `cli`.
"""
